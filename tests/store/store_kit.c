/* SPDX-License-Identifier: MIT */
#include "tests/store/store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "tests/run.h"

char store_file[96], why[DB_WHY_SIZE];
static char folder[64];

void make_folder(void)
{
    snprintf(folder, sizeof(folder), "%s", "/tmp/hookline-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(store_file, sizeof(store_file), "%s/store.db", folder);
}

void remove_folder(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
    char file[128];

    for (size_t i = 0; i < COUNT(endings); i++) {
        snprintf(file, sizeof(file), "%s%s", store_file, endings[i]);
        unlink(file);
    }
    rmdir(folder);
}

struct db *open_store(void)
{
    struct db *db = db_open(store_file, DB_WRITE, why);

    ck_assert_msg(db != NULL, "%s", why);
    return db;
}

void execute(struct db *db, const char *sql)
{
    char *message = NULL;

    ck_assert_msg(sqlite3_exec(db_sqlite(db), sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s",
                  sql, message);
}

int64_t ask(struct db *db, const char *sql)
{
    sqlite3_stmt *query;
    int64_t number;

    ck_assert_int_eq(db_prepare(db, &query, sql), SQLITE_OK);
    ck_assert_int_eq(db_query_number(query, &number, -1), SQLITE_OK);
    sqlite3_finalize(query);
    return number;
}

struct delivery_row entry_of(const char *source, const char *id, const char *mac)
{
    return (struct delivery_row){
        .source = {source, strlen(source)},
        .scheme = TEXT("foil"),
        .id = {id, id == NULL ? 0 : strlen(id)},
        .mac = {mac, mac == NULL ? 0 : strlen(mac)},
        .remote = TEXT("127.0.0.1:1"),
        .headers = TEXT("content-type: application/json\n"),
        .body = TEXT("{}"),
        .received_us = clock_steady_us(),
        .signed_at = -1,
    };
}

enum deliveries_outcome put(struct db *db, struct deliveries *deliveries, struct delivery_row *row)
{
    enum deliveries_outcome verdict;

    execute(db, "BEGIN");
    ck_assert_int_eq(deliveries_put(deliveries, row, &verdict), SQLITE_OK);
    ck_assert_int_eq(deliveries_before_commit(deliveries), SQLITE_OK);
    execute(db, "COMMIT");
    deliveries_after_transaction(deliveries, true);
    return verdict;
}

struct deliveries *open_shelf(struct db *db)
{
    struct deliveries *deliveries = deliveries_open(db, why);

    ck_assert_msg(deliveries != NULL, "%s", why);
    return deliveries;
}
