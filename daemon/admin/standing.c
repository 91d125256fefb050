/* SPDX-License-Identifier: MIT */
#include "daemon/admin/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/policy/destination.h"
#include "daemon/store/outbox.h"
#include "daemon/policy/rules.h"

struct known {
    char *name;
    int64_t number, cursor;
    const struct destination *configured; /* or NULL */
};

struct standing {
    struct rules_reader reader;
    struct outbox *outbox;
    sqlite3_stmt *all, *unsent;
    struct known *known;
    struct standing_result *results;
    size_t count;
};

struct standing *standing_open(struct store *store, struct rules_board *board,
                               char why[STORE_WHY_SIZE])
{
    struct standing *s = calloc(1, sizeof(*s));
    int code = SQLITE_NOMEM;

    if (s != NULL) {
        rules_reader_open(&s->reader, board);
        code = store_prepare(store, &s->all,
                             "SELECT number, name, cursor FROM destination ORDER BY number");
    }
    if (code == SQLITE_OK)
        code = store_prepare(store, &s->unsent,
                             "SELECT destination, tries, due_us FROM unsent WHERE seq=?1");
    if (code != SQLITE_OK)
        store_why(store, code, why);
    if (code != SQLITE_OK || (s->outbox = outbox_open(store, why)) == NULL)
        standing_close(&s);
    return s;
}

static void forget(struct standing *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->known[i].name);
    free(s->known);
    free(s->results);
    s->known = NULL;
    s->results = NULL;
    s->count = 0;
}

void standing_close(struct standing **standing)
{
    struct standing *s = *standing;

    if (s == NULL)
        return;
    outbox_close(&s->outbox);
    forget(s);
    rules_reader_close(&s->reader);
    free(s);
    *standing = NULL;
}

static bool learn(struct standing *s)
{
    struct known *more = realloc(s->known, (s->count + 1) * sizeof(*more));
    const char *name = (const char *)sqlite3_column_text(s->all, 1);

    if (more == NULL)
        return false;
    s->known = more;
    more += s->count;
    *more = (struct known){
        .name = name == NULL ? NULL : strdup(name),
        .number = sqlite3_column_int64(s->all, 0),
        .cursor = sqlite3_column_int64(s->all, 2),
    };
    if (more->name == NULL)
        return false;
    s->count++;
    more->configured = destinations_named(s->reader.rules->destinations, name);
    return true;
}

void standing_look(struct standing *s)
{
    if (rules_reader_look(&s->reader))
        forget(s);
}

int standing_refresh(struct standing *s)
{
    bool good = true;
    int code;

    standing_look(s);
    forget(s);
    while (good && sqlite3_step(s->all) == SQLITE_ROW)
        good = learn(s);
    code = sqlite3_reset(s->all);
    s->results = calloc(s->count + 1, sizeof(*s->results));
    return good && s->results != NULL ? code : SQLITE_NOMEM;
}

size_t standing_count(const struct standing *s)
{
    return s->count;
}

const char *standing_name(const struct standing *s, size_t n)
{
    return s->known[n].name;
}

int64_t standing_number(const struct standing *s, size_t n)
{
    return s->known[n].number;
}

int64_t standing_cursor(const struct standing *s, size_t n)
{
    return s->known[n].cursor;
}

bool standing_is_configured(const struct standing *s, size_t n)
{
    return s->known[n].configured != NULL;
}

size_t standing_find(const struct standing *s, const char *name)
{
    size_t n = 0;

    while (n < s->count && strcmp(s->known[n].name, name) != 0)
        n++;
    return n;
}

/* Of a delivery that no row of `unsent` speaks of. Beyond the cursor some may be done already:
 * those that did not take the longest. */
static int judge(struct standing *s, const struct known *k, int64_t seq, enum query_state *state)
{
    enum outbox_state found = OUTBOX_DONE;
    int code = SQLITE_OK;

    if (seq > k->cursor)
        code = outbox_state(s->outbox, k->number, seq, &found, NULL);
    *state = found == OUTBOX_WAITING ? QUERY_WAITING : QUERY_DONE;
    return code;
}

static void take_row(struct standing *s)
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

int standing_of(struct standing *s, int64_t seq, hookline_bytes source, hookline_bytes type,
                const struct standing_result **results)
{
    int code;

    memset(s->results, 0, s->count * sizeof(*s->results));
    sqlite3_bind_int64(s->unsent, 1, seq);
    while (sqlite3_step(s->unsent) == SQLITE_ROW)
        take_row(s);
    code = sqlite3_reset(s->unsent);
    for (size_t i = 0; i < s->count && code == SQLITE_OK; i++) {
        const struct known *k = &s->known[i];

        if (s->results[i].state == QUERY_ANY && k->configured != NULL &&
            destination_takes(k->configured, source, type))
            code = judge(s, k, seq, &s->results[i].state);
    }
    *results = s->results;
    return code;
}
