/* SPDX-License-Identifier: MIT */
#include "daemon/admin/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"
#include "daemon/store/damage.h"
#include "daemon/store/outbox.h"

struct status_row {
    char *name;
    int64_t number, cursor;
    const struct destination *configured; /* NULL: removed */
};

struct status {
    struct policy_ref policy_ref;
    struct outbox *outbox;
    sqlite3_stmt *all, *unsent;
    struct status_row *known;
    struct status_result *results;
    size_t count;
};

struct status *status_open(struct db *db, struct policy_slot *policy_slot, char why[DB_WHY_SIZE])
{
    struct status *s = calloc(1, sizeof(*s));
    int code = SQLITE_NOMEM;

    if (s != NULL) {
        policy_ref_open(&s->policy_ref, policy_slot);
        code =
            db_prepare(db, &s->all, "SELECT number, name, cursor FROM destination ORDER BY number");
    }
    if (code == SQLITE_OK)
        code = db_prepare(db, &s->unsent,
                          "SELECT destination, tries, due_us FROM unsent WHERE seq=?1");
    if (code != SQLITE_OK)
        db_error_text(db, code, why);
    if (code != SQLITE_OK || (s->outbox = outbox_open(db, why)) == NULL)
        status_close(&s);
    return s;
}

static void status_forget(struct status *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->known[i].name);
    free(s->known);
    free(s->results);
    s->known = NULL;
    s->results = NULL;
    s->count = 0;
}

void status_close(struct status **status)
{
    struct status *s = *status;

    if (s == NULL)
        return;
    outbox_close(&s->outbox);
    status_forget(s);
    policy_ref_close(&s->policy_ref);
    free(s);
    *status = NULL;
}

static bool status_add_destination(struct status *s)
{
    struct status_row *more = realloc(s->known, (s->count + 1) * sizeof(*more));
    const char *name = (const char *)sqlite3_column_text(s->all, 1);

    if (more == NULL)
        return false;
    s->known = more;
    more += s->count;
    *more = (struct status_row){
        .name = name == NULL ? NULL : strdup(name),
        .number = sqlite3_column_int64(s->all, 0),
        .cursor = sqlite3_column_int64(s->all, 2),
    };
    if (more->name == NULL)
        return false;
    s->count++;
    more->configured = destinations_find_name(s->policy_ref.policy->destinations, name);
    return true;
}

void status_refresh_policy(struct status *s)
{
    if (policy_ref_refresh(&s->policy_ref))
        status_forget(s);
}

int status_refresh(struct status *s)
{
    bool good = true;
    int code;

    status_refresh_policy(s);
    status_forget(s);
    while (good && sqlite3_step(s->all) == SQLITE_ROW)
        good = status_add_destination(s);
    code = sqlite3_reset(s->all);
    s->results = calloc(s->count + 1, sizeof(*s->results));
    return good && s->results != NULL ? code : SQLITE_NOMEM;
}

size_t status_count(const struct status *s)
{
    return s->count;
}

const char *status_destination_name(const struct status *s, size_t n)
{
    return s->known[n].name;
}

int64_t status_destination_number(const struct status *s, size_t n)
{
    return s->known[n].number;
}

int64_t status_destination_cursor(const struct status *s, size_t n)
{
    return s->known[n].cursor;
}

bool status_is_configured(const struct status *s, size_t n)
{
    return s->known[n].configured != NULL;
}

size_t status_find(const struct status *s, const char *name)
{
    size_t n = 0;

    while (n < s->count && strcmp(s->known[n].name, name) != 0)
        n++;
    return n;
}

/* Reads the state of a delivery without a row in `unsent`. Below the low-water mark a successful
 * attempt is recorded, or the destination was configured otherwise when the delivery arrived. */
static int status_without_row(struct status *s, const struct status_row *k, int64_t seq,
                              struct status_result *result)
{
    enum outbox_state found;
    int code = outbox_state(s->outbox, k->number, seq, &found, NULL);
    bool succeeded = false;

    if (damage_is(code)) {
        result->state = QUERY_ANY;
        return SQLITE_OK;
    }
    if (code == SQLITE_OK && found == OUTBOX_DONE)
        code = outbox_succeeded(s->outbox, k->number, seq, &succeeded);
    result->state = found == OUTBOX_WAITING ? QUERY_WAITING
                    : succeeded             ? QUERY_DONE
                                            : QUERY_PASSED_OVER;
    result->reason = "earlier_configuration";
    return code;
}

static void status_take_row(struct status *s)
{
    int64_t number = sqlite3_column_int64(s->unsent, 0);

    for (size_t i = 0; i < s->count; i++) {
        if (s->known[i].number != number)
            continue;
        s->results[i].tries = (unsigned)sqlite3_column_int64(s->unsent, 1);
        s->results[i].due_us = sqlite3_column_int64(s->unsent, 2);
        s->results[i].state =
            sqlite3_column_type(s->unsent, 2) == SQLITE_NULL ? QUERY_PARKED : QUERY_RETRYING;
    }
}

/* Judges a destination without a row in `unsent`. A damaged delivery has no source. */
static int status_judge(struct status *s, size_t i, int64_t seq, hookline_bytes source,
                        hookline_bytes type)
{
    const struct status_row *k = &s->known[i];
    struct status_result *result = &s->results[i];
    enum destination_pass pass = destination_passes(k->configured, source, type);
    int code = SQLITE_OK;

    result->state = QUERY_PASSED_OVER;
    result->reason = destination_pass_name(pass);
    if (pass == DESTINATION_TAKES || source.base == NULL)
        code = status_without_row(s, k, seq, result);
    if (source.base == NULL)
        result->reason = "damaged";
    return code;
}

int status_of(struct status *s, int64_t seq, hookline_bytes source, hookline_bytes type,
              const struct status_result **results)
{
    int code;

    memset(s->results, 0, s->count * sizeof(*s->results));
    sqlite3_bind_int64(s->unsent, 1, seq);
    while (sqlite3_step(s->unsent) == SQLITE_ROW)
        status_take_row(s);
    code = sqlite3_reset(s->unsent);
    if (damage_is(code))
        code = SQLITE_OK;
    for (size_t i = 0; i < s->count && code == SQLITE_OK; i++)
        if (s->results[i].state == QUERY_ANY && s->known[i].configured != NULL)
            code = status_judge(s, i, seq, source, type);
    *results = s->results;
    return code;
}
