/* SPDX-License-Identifier: MIT */
#include "daemon/store/damage.h"

#include "daemon/base/clock.h"

bool damage_is(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ||
           code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS;
}

/* Damage is rare, so the statements are not kept. */
static int damage_run(struct db *db, const char *sql, int64_t seq)
{
    sqlite3_stmt *statement = NULL;
    int code = db_prepare(db, &statement, sql);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, seq);
        sqlite3_bind_int64(statement, 2, clock_steady_us());
        code = db_run(statement);
    }
    sqlite3_finalize(statement);
    return code;
}

int damage_note(struct db *db, int64_t seq)
{
    return damage_run(db, "INSERT OR IGNORE INTO damaged VALUES (?1, ?2)", seq);
}

int damage_forget(struct db *db, int64_t seq)
{
    return damage_run(db,
                      "DELETE FROM damaged WHERE seq = ?1"
                      " AND NOT EXISTS (SELECT 1 FROM unsent WHERE seq = ?1)",
                      seq);
}

int damage_newest(struct db *db, int64_t *newest)
{
    int64_t of_keys;
    int code = db_query_once(db, "SELECT max(seq) FROM delivery", newest);
    int code_of_keys = db_query_once(db,
                                     "SELECT first_seq + length(hashes) / 8 - 1 FROM keys"
                                     " ORDER BY first_seq DESC LIMIT 1",
                                     &of_keys);

    if (of_keys > *newest)
        *newest = of_keys;
    return code == SQLITE_OK || code_of_keys == SQLITE_OK ? SQLITE_OK : code;
}

int damage_count(struct db *db, int64_t *count)
{
    return db_query_once(db, "SELECT count(*) FROM damaged", count);
}
