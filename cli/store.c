/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "daemon/base/json.h"
#include "daemon/base/message.h"
#include "daemon/store/damage.h"
#include "daemon/store/db.h"
#include "daemon/store/outbox.h"

enum {
    PROBLEMS_MAX = 20,
    SHOWN_DAMAGED_MAX = 20,
    FIRST_COMPLETE_SCHEMA = 2, /* has sums */
};

struct cmd_store_options {
    bool json;
};

static const struct option_row rows[] = {
    FLAG(0, "json", struct cmd_store_options, json, "print the findings as one line of JSON"),
    OPTIONS_END,
};

static const char details[] =
    "Reads every delivery of the store FILE, also while hooklined runs, and changes\n"
    "nothing. Exit status: 0 if the store is whole, 1 if it is damaged.\n";

struct cmd_store_destination {
    char *name;
    bool active;
    int64_t waiting, retrying, parked;
};

struct cmd_store_findings {
    int64_t schema, wal_bytes;
    char *problems[PROBLEMS_MAX]; /* of SQLite's integrity check */
    size_t problem_count;
    int64_t deliveries, damaged;
    int64_t damaged_seqs[SHOWN_DAMAGED_MAX];
    int64_t keys_missing; /* -1: the keys are damaged */
    struct cmd_store_destination *destinations;
    size_t destination_count;
};

static bool cmd_store_is_whole(const struct cmd_store_findings *f)
{
    return f->problem_count == 0 && f->damaged == 0 && f->keys_missing == 0;
}

static void cmd_store_free(struct cmd_store_findings *f)
{
    for (size_t i = 0; i < f->problem_count; i++)
        free(f->problems[i]);
    for (size_t i = 0; i < f->destination_count; i++)
        free(f->destinations[i].name);
    free(f->destinations);
}

/* ---- reading */

/* Adds a problem; a full list drops it. */
static void cmd_store_add_problem(struct cmd_store_findings *f, const char *text)
{
    char *copy = f->problem_count == PROBLEMS_MAX || text == NULL ? NULL : strdup(text);

    if (copy != NULL)
        f->problems[f->problem_count++] = copy;
}

static int cmd_store_check_pages(struct db *db, struct cmd_store_findings *f)
{
    sqlite3_stmt *check = NULL;
    int code = db_prepare(db, &check, "PRAGMA integrity_check(20)");

    while (code == SQLITE_OK && (code = sqlite3_step(check)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(check, 0);

        if (text == NULL || strcmp(text, "ok") != 0)
            cmd_store_add_problem(f, text);
        code = SQLITE_OK;
    }
    sqlite3_finalize(check);
    if (damage_is(code))
        cmd_store_add_problem(f, sqlite3_errstr(code));
    return code == SQLITE_DONE || damage_is(code) ? SQLITE_OK : code;
}

static bool cmd_store_wants_all(const void *data, hookline_bytes source, hookline_bytes type)
{
    (void)data, (void)source, (void)type;
    return true;
}

static int cmd_store_check_deliveries(struct outbox *outbox, struct cmd_store_findings *f)
{
    struct delivery_row *row;
    int64_t after = 0;
    bool more = true;
    int code;

    while ((code = outbox_next(outbox, &after, cmd_store_wants_all, NULL, &row, &more)) ==
               SQLITE_ROW ||
           (code == SQLITE_DONE && more)) {
        if (row == NULL)
            continue;
        f->deliveries++;
        if (row->damaged && f->damaged++ < SHOWN_DAMAGED_MAX)
            f->damaged_seqs[f->damaged - 1] = row->seq;
        free(row);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Counts deliveries whose repetition would not be recognised. */
static int cmd_store_check_keys(struct db *db, struct cmd_store_findings *f)
{
    int code = db_query_once(db,
                             "SELECT count(*) FROM delivery AS d WHERE NOT EXISTS (SELECT 1 FROM"
                             " keys WHERE first_seq = (SELECT max(first_seq) FROM keys WHERE"
                             " first_seq <= d.seq) AND first_seq + length(hashes) / 8 > d.seq)",
                             &f->keys_missing);

    if (damage_is(code))
        f->keys_missing = -1;
    return damage_is(code) ? SQLITE_OK : code;
}

static bool cmd_store_add_destination(sqlite3_stmt *row, struct cmd_store_findings *f)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    struct cmd_store_destination *more =
        realloc(f->destinations, (f->destination_count + 1) * sizeof(*more));

    if (more == NULL)
        return false;
    f->destinations = more;
    more += f->destination_count;
    *more = (struct cmd_store_destination){
        .name = name == NULL ? NULL : strdup(name),
        .active = sqlite3_column_int(row, 1) != 0,
        .waiting = sqlite3_column_int64(row, 2),
        .retrying = sqlite3_column_int64(row, 3),
        .parked = sqlite3_column_int64(row, 4),
    };
    f->destination_count += more->name != NULL;
    return more->name != NULL;
}

static int cmd_store_read_destinations(struct db *db, struct cmd_store_findings *f)
{
    sqlite3_stmt *row = NULL;
    int64_t newest;
    int code = damage_newest(db, &newest);

    if (code == SQLITE_OK)
        code = db_prepare(db, &row,
                          "SELECT name, active, max(?1 - cursor, 0), (SELECT count(*) FROM unsent"
                          " WHERE destination = number AND due_us IS NOT NULL), (SELECT count(*)"
                          " FROM unsent WHERE destination = number AND due_us IS NULL)"
                          " FROM destination ORDER BY number");
    if (code == SQLITE_OK)
        sqlite3_bind_int64(row, 1, newest);
    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW)
        code = cmd_store_add_destination(row, f) ? SQLITE_OK : SQLITE_NOMEM;
    sqlite3_finalize(row);
    return code == SQLITE_DONE || damage_is(code) ? SQLITE_OK : code;
}

/* A store of an older version has no sums: hooklined adds them to new deliveries only. */
static int cmd_store_check_rows(struct db *db, struct cmd_store_findings *f, char *why)
{
    struct outbox *outbox;
    int code;

    if (f->schema < FIRST_COMPLETE_SCHEMA)
        return db_query_once(db, "SELECT count(*) FROM delivery", &f->deliveries);
    if ((outbox = outbox_open(db, why)) == NULL)
        return SQLITE_ERROR;
    code = cmd_store_check_deliveries(outbox, f);
    outbox_close(&outbox);
    if (code == SQLITE_OK)
        code = cmd_store_check_keys(db, f);
    return code == SQLITE_OK ? cmd_store_read_destinations(db, f) : code;
}

static bool cmd_store_read(struct db *db, struct cmd_store_findings *f, char *why)
{
    int code = db_query_once(db, "PRAGMA user_version", &f->schema);

    f->wal_bytes = db_wal_bytes(db);
    if (code == SQLITE_OK && f->schema == 0) {
        snprintf(why, DB_WHY_SIZE, "%s: not a store of hooklined", db_path(db));
        return false;
    }
    if (code == SQLITE_OK)
        code = cmd_store_check_pages(db, f);
    if (code == SQLITE_OK)
        code = cmd_store_check_rows(db, f, why);
    if (damage_is(code))
        cmd_store_add_problem(f, sqlite3_errstr(code));
    else if (code != SQLITE_OK)
        db_error_text(db, code, why);
    return code == SQLITE_OK || damage_is(code);
}

/* ---- printing */

static void cmd_store_print_destinations(const struct cmd_store_findings *f)
{
    for (size_t i = 0; i < f->destination_count; i++) {
        const struct cmd_store_destination *d = &f->destinations[i];

        printf("  %-12s %" PRId64 " waiting, %" PRId64 " retrying, %" PRId64 " parked%s\n", d->name,
               d->waiting, d->retrying, d->parked, d->active ? "" : " (not configured)");
    }
}

static void cmd_store_print(const char *file, const struct cmd_store_findings *f)
{
    printf("%s: %s\n", file, cmd_store_is_whole(f) ? "whole" : "DAMAGED");
    printf("  %-12s %" PRId64 "\n", "schema", f->schema);
    printf("  %-12s %s\n", "pages", f->problem_count == 0 ? "good" : f->problems[0]);
    for (size_t i = 1; i < f->problem_count; i++)
        printf("  %-12s %s\n", "", f->problems[i]);
    printf("  %-12s %" PRId64 ", %" PRId64 " damaged", "deliveries", f->deliveries, f->damaged);
    for (int64_t i = 0; i < f->damaged && i < SHOWN_DAMAGED_MAX; i++)
        printf("%s%" PRId64, i == 0 ? ": " : ", ", f->damaged_seqs[i]);
    printf("%s\n", f->damaged > SHOWN_DAMAGED_MAX ? ", ..." : "");
    if (f->keys_missing < 0)
        printf("  %-12s damaged\n", "keys");
    else
        printf("  %-12s %" PRId64 " missing\n", "keys", f->keys_missing);
    printf("  %-12s %" PRId64 " bytes\n", "-wal", f->wal_bytes < 0 ? 0 : f->wal_bytes);
    cmd_store_print_destinations(f);
}

static void cmd_store_write_destinations(struct json_writer *line,
                                         const struct cmd_store_findings *f)
{
    json_open_array(line, "destinations");
    for (size_t i = 0; i < f->destination_count; i++) {
        const struct cmd_store_destination *d = &f->destinations[i];

        json_open_element(line);
        json_string(line, "name", d->name);
        json_bool(line, "active", d->active);
        json_number(line, "waiting", d->waiting);
        json_number(line, "retrying", d->retrying);
        json_number(line, "parked", d->parked);
        json_close_object(line);
    }
    json_close_array(line);
}

static bool cmd_store_print_json(const char *file, const struct cmd_store_findings *f)
{
    struct json_writer line = {0};
    bool good;

    json_begin(&line);
    json_string(&line, "file", file);
    json_bool(&line, "whole", cmd_store_is_whole(f));
    json_number(&line, "schema", f->schema);
    json_string(&line, "problem", f->problem_count == 0 ? NULL : f->problems[0]);
    json_number(&line, "deliveries", f->deliveries);
    json_number(&line, "damaged", f->damaged);
    json_number_or_null(&line, "first_damaged", f->damaged == 0 ? -1 : f->damaged_seqs[0]);
    json_number_or_null(&line, "keys_missing", f->keys_missing);
    json_number(&line, "wal_bytes", f->wal_bytes < 0 ? 0 : f->wal_bytes);
    cmd_store_write_destinations(&line, f);
    good = json_end(&line);
    if (good)
        fwrite(line.text.base, 1, line.text.len, stdout);
    json_free(&line);
    return good;
}

static enum outcome cmd_store_check(const char *file, bool json)
{
    struct cmd_store_findings findings = {.schema = 0};
    char why[DB_WHY_SIZE] = "out of memory";
    struct db *db = db_open(file, DB_INSPECT, why);
    enum outcome outcome = OUTCOME_USAGE;

    if (db != NULL && cmd_store_read(db, &findings, why)) {
        outcome = cmd_store_is_whole(&findings) ? OUTCOME_GOOD : OUTCOME_REFUSED;
        if (!json)
            cmd_store_print(file, &findings);
        else if (!cmd_store_print_json(file, &findings))
            outcome = OUTCOME_TRANSPORT;
    } else {
        message_print("%s", why);
    }
    cmd_store_free(&findings);
    db_close(&db);
    return outcome;
}

static enum outcome cmd_store_run(const void *options, const char *const *arguments, size_t count)
{
    const struct cmd_store_options *o = options;

    (void)count;
    if (strcmp(arguments[0], "check") == 0)
        return cmd_store_check(arguments[1], o->json);
    message_print("store: expected check FILE, found %s", arguments[0]);
    return OUTCOME_USAGE;
}

const struct command command_store = {
    .name = "store",
    .arguments = "check FILE",
    .arguments_min = 2,
    .arguments_max = 2,
    .summary = "Check a store for damage, also while hooklined runs",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct cmd_store_options),
    .run = cmd_store_run,
};
