/* SPDX-License-Identifier: MIT */
#include "daemon/admin/backlog.h"

#include <stdlib.h>

enum statement {
    NEWEST,
    RETRYING,
    PARKED,
    OLDEST_UNSENT,
    OLDEST_WAITING,
    STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
    [NEWEST] = "SELECT seq FROM delivery WHERE seq>?1 ORDER BY seq DESC LIMIT 1",
    [RETRYING] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
                 " AND due_us IS NOT NULL LIMIT ?2)",
    [PARKED] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
               " AND due_us IS NULL LIMIT ?2)",
    [OLDEST_UNSENT] = "SELECT received_us FROM delivery WHERE seq=(SELECT min(seq) FROM (SELECT seq"
                      " FROM unsent WHERE destination=?1 AND due_us IS NOT NULL LIMIT ?2))",
    [OLDEST_WAITING] = "SELECT received_us FROM delivery WHERE seq>?1 ORDER BY seq LIMIT 1",
};

struct backlog {
    sqlite3_stmt *of[STATEMENTS];
};

struct backlog *backlog_open(struct store *store, char why[STORE_WHY_SIZE])
{
    struct backlog *b = calloc(1, sizeof(*b));
    int code = b == NULL ? SQLITE_NOMEM : SQLITE_OK;

    for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
        code = store_prepare(store, &b->of[i], texts[i]);
    if (code != SQLITE_OK) {
        store_why(store, code, why);
        backlog_close(&b);
    }
    return b;
}

void backlog_close(struct backlog **backlog)
{
    free(*backlog);
    *backlog = NULL;
}

static int ask(struct backlog *b, enum statement which, int64_t about, int64_t *number)
{
    sqlite3_stmt *s = b->of[which];

    sqlite3_bind_int64(s, 1, about);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int64(s, 2, BACKLOG_COUNTED_MAX);
    return store_number(s, number, 0);
}

int backlog_read(struct backlog *b, int64_t destination, int64_t cursor,
                 struct backlog_result *result)
{
    int64_t newest = 0, unsent_us = 0, waiting_us = 0;
    int code = ask(b, NEWEST, 0, &newest);

    if (code == SQLITE_OK)
        code = ask(b, RETRYING, destination, &result->retrying);
    if (code == SQLITE_OK)
        code = ask(b, PARKED, destination, &result->parked);
    if (code == SQLITE_OK)
        code = ask(b, OLDEST_UNSENT, destination, &unsent_us);
    if (code == SQLITE_OK)
        code = ask(b, OLDEST_WAITING, cursor, &waiting_us);
    result->waiting = newest > cursor ? newest - cursor : 0;
    result->since_us = unsent_us;
    if (unsent_us == 0 || (waiting_us != 0 && waiting_us < unsent_us))
        result->since_us = waiting_us;
    return code;
}
