/* SPDX-License-Identifier: MIT */
#include "daemon/admin/backlog.h"

#include <stdlib.h>

enum lag_statement {
    LAG_NEWEST,
    LAG_RETRYING,
    LAG_PARKED,
    LAG_OLDEST_UNSENT,
    LAG_OLDEST_WAITING,
    LAG_STATEMENTS,
};

static const char *const lag_sql[LAG_STATEMENTS] = {
    [LAG_NEWEST] = "SELECT seq FROM delivery WHERE seq>?1 ORDER BY seq DESC LIMIT 1",
    [LAG_RETRYING] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
                     " AND due_us IS NOT NULL LIMIT ?2)",
    [LAG_PARKED] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
                   " AND due_us IS NULL LIMIT ?2)",
    [LAG_OLDEST_UNSENT] =
        "SELECT received_us FROM delivery WHERE seq=(SELECT min(seq) FROM (SELECT seq"
        " FROM unsent WHERE destination=?1 AND due_us IS NOT NULL LIMIT ?2))",
    [LAG_OLDEST_WAITING] = "SELECT received_us FROM delivery WHERE seq>?1 ORDER BY seq LIMIT 1",
};

struct lag {
    sqlite3_stmt *of[LAG_STATEMENTS];
};

struct lag *lag_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct lag *b = calloc(1, sizeof(*b));
    int code = b == NULL ? SQLITE_NOMEM : SQLITE_OK;

    for (int i = 0; i < LAG_STATEMENTS && code == SQLITE_OK; i++)
        code = db_prepare(db, &b->of[i], lag_sql[i]);
    if (code != SQLITE_OK) {
        db_error_text(db, code, why);
        lag_close(&b);
    }
    return b;
}

void lag_close(struct lag **lag)
{
    free(*lag);
    *lag = NULL;
}

static int lag_query(struct lag *b, enum lag_statement which, int64_t about, int64_t *number)
{
    sqlite3_stmt *s = b->of[which];

    sqlite3_bind_int64(s, 1, about);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int64(s, 2, LAG_COUNTED_MAX);
    return db_query_number(s, number, 0);
}

int lag_read(struct lag *b, int64_t destination, int64_t cursor, struct lag_result *result)
{
    int64_t newest = 0, unsent_us = 0, waiting_us = 0;
    int code = lag_query(b, LAG_NEWEST, 0, &newest);

    if (code == SQLITE_OK)
        code = lag_query(b, LAG_RETRYING, destination, &result->retrying);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_PARKED, destination, &result->parked);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_OLDEST_UNSENT, destination, &unsent_us);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_OLDEST_WAITING, cursor, &waiting_us);
    result->waiting = newest > cursor ? newest - cursor : 0;
    result->since_us = unsent_us;
    if (unsent_us == 0 || (waiting_us != 0 && waiting_us < unsent_us))
        result->since_us = waiting_us;
    return code;
}
