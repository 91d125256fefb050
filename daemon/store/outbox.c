/* SPDX-License-Identifier: MIT */
#include "daemon/store/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/damage.h"

#define DISCARDED "discarded"

enum {
    SCANNED_MAX = 256,
};

enum outbox_statement {
    NEXT,
    READ_DELIVERY,
    DUE,
    LOWEST_DUE,
    NEXT_DUE,
    UNSENT,
    SUCCEEDED,
    ATTEMPTS_MADE,
    CURSOR,
    RETIRE,
    REGISTER,
    NUMBER,
    CORRECT_CLOCK,
    RETRY_NOW,
    END_WAITS,
    SET_CURSOR,
    PUT_UNSENT,
    CHANGE_UNSENT,
    DELETE_UNSENT,
    ADD_ATTEMPT,
    KIND,
    REARM,
    STATEMENTS,
};

/* at_us is part of the key of `attempt`. REPLACE: the clock may return the same time twice. */
static const char *const outbox_sql[STATEMENTS] = {
    [NEXT] = "SELECT " DELIVERY_ROW_COLUMNS " FROM delivery WHERE seq >= ?1 + 1 ORDER BY seq",
    [READ_DELIVERY] = "SELECT " DELIVERY_ROW_COLUMNS " FROM delivery WHERE seq = ?1",
    [DUE] = "SELECT seq, due_us, tries FROM unsent WHERE destination = ?1 AND due_us <= ?2"
            " ORDER BY due_us, seq LIMIT ?3",
    [LOWEST_DUE] =
        "SELECT seq, due_us, tries FROM unsent WHERE destination = ?1 AND due_us IS NOT NULL"
        " ORDER BY seq LIMIT 1",
    [NEXT_DUE] = "SELECT min(due_us) FROM unsent WHERE destination = ?1 AND due_us > ?2",
    [UNSENT] = "SELECT tries, due_us IS NULL FROM unsent WHERE destination = ?1 AND seq = ?2",
    [SUCCEEDED] = "SELECT 1 FROM attempt WHERE seq = ?2 AND destination = ?1 AND"
                  " (status BETWEEN 200 AND 299 AND error IS NULL OR error = '" DISCARDED "')"
                  " LIMIT 1",
    [ATTEMPTS_MADE] = "SELECT count(*) FROM attempt WHERE seq = ?2 AND destination = ?1"
                      " AND tries = ?3",
    [CURSOR] = "SELECT cursor FROM destination WHERE number = ?1",
    [RETIRE] = "UPDATE destination SET active = 0",
    [REGISTER] = "INSERT INTO destination(name, cursor, active) VALUES (?1, ?2, 1)"
                 " ON CONFLICT(name) DO UPDATE SET active = 1",
    [NUMBER] = "SELECT number, cursor FROM destination WHERE name = ?1",
    [CORRECT_CLOCK] =
        "UPDATE unsent SET due_us = due_us - (set_us - ?1), set_us = ?1 WHERE set_us > ?1",
    /* Skip rows without an attempt: their first attempt is running or about to start. */
    [RETRY_NOW] = "UPDATE unsent SET due_us = ?2, set_us = ?2"
                  " WHERE destination = ?1 AND due_us > ?2 AND EXISTS (SELECT 1 FROM attempt"
                  " WHERE attempt.seq = unsent.seq AND attempt.destination = ?1)",
    [END_WAITS] = "UPDATE unsent SET due_us = ?1, set_us = ?1 WHERE due_us > ?1 AND NOT EXISTS"
                  " (SELECT 1 FROM attempt WHERE attempt.seq = unsent.seq"
                  " AND attempt.destination = unsent.destination)",
    [SET_CURSOR] = "UPDATE destination SET cursor = ?2 WHERE number = ?1 AND cursor < ?2",
    [PUT_UNSENT] = "INSERT OR REPLACE INTO unsent(destination, seq, tries, due_us, set_us)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
    [CHANGE_UNSENT] = "UPDATE unsent SET tries = ?3, due_us = ?4, set_us = ?5"
                      " WHERE destination = ?1 AND seq = ?2",
    [DELETE_UNSENT] = "DELETE FROM unsent WHERE destination = ?1 AND seq = ?2",
    [ADD_ATTEMPT] = "INSERT OR REPLACE INTO attempt(destination, seq, at_us, tries, took_us,"
                    " status, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [REARM] = "UPDATE unsent SET due_us = ?3, set_us = ?3,"
              " tries = CASE WHEN due_us IS NULL THEN 0 ELSE tries END"
              " WHERE destination = ?1 AND seq = ?2 AND (due_us IS NULL OR"
              " (tries > 0 AND due_us > ?3 AND set_us <= ?4))",
    [KIND] = "SELECT source, type FROM delivery WHERE seq = ?1",
};

struct outbox {
    struct db *db;
    sqlite3_stmt *of[STATEMENTS];
};

struct outbox *outbox_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));
    int code = outbox == NULL ? SQLITE_NOMEM : SQLITE_OK;

    for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
        code = db_prepare(db, &outbox->of[i], outbox_sql[i]);
    if (code != SQLITE_OK) {
        db_error_text(db, code, why);
        outbox_close(&outbox);
    } else {
        outbox->db = db;
    }
    return outbox;
}

void outbox_close(struct outbox **outbox)
{
    free(*outbox);
    *outbox = NULL;
}

/* Binds `numbers` to the statement's first parameters. */
static sqlite3_stmt *outbox_bind(struct outbox *outbox, enum outbox_statement which,
                                 const int64_t numbers[], int count)
{
    sqlite3_stmt *statement = outbox->of[which];

    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(statement, i + 1, numbers[i]);
    return statement;
}

#define OUTBOX_BIND(outbox, which, ...)                                                            \
    outbox_bind(outbox, which, (const int64_t[]){__VA_ARGS__},                                     \
                (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static int outbox_copy_row(sqlite3_stmt *row, struct delivery_row **delivery)
{
    struct delivery_row view;

    if (!delivery_row_read(row, &view))
        view = (struct delivery_row){.seq = view.seq, .damaged = true};
    *delivery = delivery_row_copy(&view);
    return *delivery == NULL ? SQLITE_NOMEM : SQLITE_ROW;
}

static int outbox_copy_damaged(int64_t seq, struct delivery_row **delivery)
{
    const struct delivery_row damaged = {.seq = seq, .damaged = true};

    *delivery = delivery_row_copy(&damaged);
    return *delivery == NULL ? SQLITE_NOMEM : SQLITE_ROW;
}

/* Reads one delivery, even beside damaged ones. */
static int outbox_read_one(struct outbox *outbox, int64_t seq, outbox_filter *filter,
                           const void *data, struct delivery_row **delivery)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, READ_DELIVERY, seq);
    int code = sqlite3_step(row);

    *delivery = NULL;
    if (code == SQLITE_ROW &&
        (filter == NULL || filter(data, db_column_bytes(row, 1), db_column_bytes(row, 2))))
        code = outbox_copy_row(row, delivery);
    sqlite3_reset(row);
    return damage_is(code) ? outbox_copy_damaged(seq, delivery) : code;
}

/* Steps over a damaged page, which ends a scan: looks up each seq on its own. A missing one is
 * damaged as well, because retention deletes none that a destination still needs. */
static int outbox_step_over(struct outbox *outbox, int64_t *after, outbox_filter *filter,
                            const void *data, struct delivery_row **delivery, bool *more)
{
    int64_t newest;
    int code = damage_newest(outbox->db, &newest);

    if (code != SQLITE_OK)
        return code;
    for (int i = 0; i < SCANNED_MAX && *after < newest && *delivery == NULL; i++) {
        code = outbox_read_one(outbox, *after + 1, filter, data, delivery);
        if (code == SQLITE_DONE)
            code = outbox_copy_damaged(*after + 1, delivery);
        if (code != SQLITE_ROW)
            return code;
        ++*after;
    }
    *more = *after < newest;
    return *delivery == NULL ? SQLITE_DONE : SQLITE_ROW;
}

/* A damaged page may claim any seq, so only an expected one is believed without its sum. */
static bool outbox_is_believed(sqlite3_stmt *row, int64_t after)
{
    struct delivery_row view;

    return sqlite3_column_int64(row, 0) == after + 1 || delivery_row_read(row, &view);
}

static int outbox_check_row(sqlite3_stmt *row, int64_t after, outbox_filter *filter,
                            const void *data, struct delivery_row **delivery)
{
    int code = SQLITE_ROW;

    if (!outbox_is_believed(row, after))
        return SQLITE_CORRUPT;
    if (filter(data, db_column_bytes(row, 1), db_column_bytes(row, 2)))
        code = outbox_copy_row(row, delivery);
    return code;
}

int outbox_next(struct outbox *outbox, int64_t *after, outbox_filter *filter, const void *data,
                struct delivery_row **delivery, bool *more)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, NEXT, *after);
    int code = SQLITE_DONE;

    *delivery = NULL;
    for (int i = 0; i < SCANNED_MAX && *delivery == NULL; i++) {
        if ((code = sqlite3_step(row)) == SQLITE_ROW)
            code = outbox_check_row(row, *after, filter, data, delivery);
        if (code != SQLITE_ROW)
            break;
        *after = sqlite3_column_int64(row, 0);
    }
    *more = code == SQLITE_ROW;
    sqlite3_reset(row);
    if (damage_is(code))
        return outbox_step_over(outbox, after, filter, data, delivery, more);
    return *more && *delivery == NULL ? SQLITE_DONE : code;
}

int outbox_read_delivery(struct outbox *outbox, int64_t seq, struct delivery_row **delivery)
{
    return outbox_read_one(outbox, seq, NULL, NULL, delivery);
}

static void outbox_read_due(sqlite3_stmt *row, struct outbox_due *due)
{
    due->seq = sqlite3_column_int64(row, 0);
    due->due_us = sqlite3_column_int64(row, 1);
    due->tries = (unsigned)sqlite3_column_int64(row, 2);
}

int outbox_due(struct outbox *outbox, int64_t destination, int64_t until_us, struct outbox_due *due,
               size_t max, size_t *count)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, DUE, destination, until_us, (int64_t)max);

    for (*count = 0; *count < max && sqlite3_step(row) == SQLITE_ROW; ++*count)
        outbox_read_due(row, &due[*count]);
    return sqlite3_reset(row);
}

int outbox_lowest_due(struct outbox *outbox, int64_t destination, struct outbox_due *due,
                      bool *found)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, LOWEST_DUE, destination);

    *found = sqlite3_step(row) == SQLITE_ROW;
    if (*found)
        outbox_read_due(row, due);
    return sqlite3_reset(row);
}

int outbox_next_due(struct outbox *outbox, int64_t destination, int64_t after_us, int64_t *due_us)
{
    return db_query_number(OUTBOX_BIND(outbox, NEXT_DUE, destination, after_us), due_us, INT64_MAX);
}

int outbox_state(struct outbox *outbox, int64_t destination, int64_t seq, enum outbox_state *state,
                 unsigned *tries)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, UNSENT, destination, seq);
    int64_t cursor, succeeded;
    bool found = sqlite3_step(row) == SQLITE_ROW;
    int code;

    *state = found && sqlite3_column_int(row, 1) != 0 ? OUTBOX_PARKED : OUTBOX_RETRY;
    if (tries != NULL)
        *tries = found ? (unsigned)sqlite3_column_int64(row, 0) : 0;
    if ((code = sqlite3_reset(row)) != SQLITE_OK || found)
        return code;
    if ((code = db_query_number(OUTBOX_BIND(outbox, CURSOR, destination), &cursor, 0)) != SQLITE_OK)
        return code;
    code = db_query_number(OUTBOX_BIND(outbox, SUCCEEDED, destination, seq), &succeeded, 0);
    *state = seq <= cursor || succeeded ? OUTBOX_DONE : OUTBOX_WAITING;
    return code;
}

int outbox_succeeded(struct outbox *outbox, int64_t destination, int64_t seq, bool *succeeded)
{
    int64_t found;
    int code = db_query_number(OUTBOX_BIND(outbox, SUCCEEDED, destination, seq), &found, 0);

    *succeeded = found != 0;
    return code;
}

int outbox_count_attempts(struct outbox *outbox, int64_t destination, int64_t seq, unsigned tries,
                          int64_t *count)
{
    return db_query_number(OUTBOX_BIND(outbox, ATTEMPTS_MADE, destination, seq, (int64_t)tries),
                           count, 0);
}

int outbox_retire_all(struct outbox *outbox)
{
    return db_run(outbox->of[RETIRE]);
}

int outbox_register(struct outbox *outbox, const char *name, int64_t newest, int64_t *destination,
                    int64_t *cursor)
{
    sqlite3_stmt *row = outbox->of[REGISTER];
    int code;

    sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 2, newest);
    code = db_run(row);
    sqlite3_clear_bindings(row);
    if (code != SQLITE_OK)
        return code;
    row = outbox->of[NUMBER];
    sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
    sqlite3_step(row);
    *destination = sqlite3_column_int64(row, 0);
    *cursor = sqlite3_column_int64(row, 1);
    code = sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    return code;
}

int outbox_correct_clock(struct outbox *outbox, int64_t now_us)
{
    return db_run(OUTBOX_BIND(outbox, CORRECT_CLOCK, now_us));
}

int outbox_end_waits(struct outbox *outbox, int64_t now_us)
{
    return db_run(OUTBOX_BIND(outbox, END_WAITS, now_us));
}

int outbox_retry_now(struct outbox *outbox, int64_t destination, int64_t now_us)
{
    return db_run(OUTBOX_BIND(outbox, RETRY_NOW, destination, now_us));
}

int outbox_set_cursor(struct outbox *outbox, int64_t destination, int64_t cursor)
{
    return db_run(OUTBOX_BIND(outbox, SET_CURSOR, destination, cursor));
}

int outbox_add(struct outbox *outbox, int64_t destination, int64_t seq, int64_t due_us,
               int64_t now_us)
{
    return db_run(OUTBOX_BIND(outbox, PUT_UNSENT, destination, seq, 0, due_us, now_us));
}

static int outbox_add_attempt(struct outbox *outbox, const struct outbox_attempt *a)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, ADD_ATTEMPT, a->destination, a->seq, a->at_us,
                                    (int64_t)a->tries, a->took_us, a->status);
    int code;

    /* A NULL error becomes SQL NULL. */
    sqlite3_bind_text(row, 7, a->error, -1, SQLITE_STATIC);
    code = db_run(row);
    sqlite3_clear_bindings(row);
    return code;
}

int outbox_record(struct outbox *outbox, const struct outbox_attempt *a)
{
    sqlite3_stmt *row;
    int code = outbox_add_attempt(outbox, a);

    if (code == SQLITE_OK && a->damaged)
        code = damage_note(outbox->db, a->seq);
    if (code != SQLITE_OK)
        return code;
    if (a->state == OUTBOX_DONE)
        return a->first ? SQLITE_OK
                        : db_run(OUTBOX_BIND(outbox, DELETE_UNSENT, a->destination, a->seq));
    row = OUTBOX_BIND(outbox, a->first ? PUT_UNSENT : CHANGE_UNSENT, a->destination, a->seq,
                      (int64_t)a->tries - a->spared, a->due_us, a->at_us + a->took_us);
    if (a->state == OUTBOX_PARKED)
        sqlite3_bind_null(row, 4);
    return db_run(row);
}

int outbox_replay(struct outbox *outbox, int64_t destination, int64_t seq, outbox_filter *filter,
                  const void *data, int64_t now_us, bool *found)
{
    sqlite3_stmt *row = OUTBOX_BIND(outbox, KIND, seq);
    enum outbox_state state;
    int code;

    *found = sqlite3_step(row) == SQLITE_ROW &&
             filter(data, db_column_bytes(row, 0), db_column_bytes(row, 1));
    code = sqlite3_reset(row);
    if (code != SQLITE_OK || !*found)
        return code;
    code = outbox_state(outbox, destination, seq, &state, NULL);
    if (code != SQLITE_OK || state == OUTBOX_WAITING)
        return code;
    return db_run(OUTBOX_BIND(outbox, PUT_UNSENT, destination, seq, 0, now_us, now_us));
}

int outbox_rearm(struct outbox *outbox, int64_t destination, int64_t seq, int64_t now_us,
                 bool *found)
{
    int code = db_run(
        OUTBOX_BIND(outbox, REARM, destination, seq, now_us, now_us - (int64_t)OUTBOX_REARM_US));

    *found = code == SQLITE_OK && sqlite3_changes(db_sqlite(outbox->db)) > 0;
    return code;
}

int outbox_discard(struct outbox *outbox, int64_t destination, int64_t seq, int64_t now_us,
                   bool *found)
{
    struct outbox_attempt trace = {
        .destination = destination, .seq = seq, .at_us = now_us, .error = DISCARDED};
    int code = db_run(OUTBOX_BIND(outbox, DELETE_UNSENT, destination, seq));

    *found = code == SQLITE_OK && sqlite3_changes(db_sqlite(outbox->db)) > 0;
    if (*found && (code = outbox_add_attempt(outbox, &trace)) == SQLITE_OK)
        code = damage_forget(outbox->db, seq);
    return code;
}
