/* SPDX-License-Identifier: MIT */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "../run.h"

char store_file[96], why[STORE_WHY_SIZE];
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

struct store *open_store(void)
{
    struct store *store = store_open(store_file, STORE_WRITE, why);

    ck_assert_msg(store != NULL, "%s", why);
    return store;
}

void execute(struct store *store, const char *sql)
{
    char *message = NULL;

    ck_assert_msg(sqlite3_exec(store_db(store), sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s",
                  sql, message);
}

int64_t ask(struct store *store, const char *sql)
{
    sqlite3_stmt *query;
    int64_t number;

    ck_assert_int_eq(store_prepare(store, &query, sql), SQLITE_OK);
    ck_assert_int_eq(store_number(query, &number, -1), SQLITE_OK);
    sqlite3_finalize(query);
    return number;
}

struct entry entry_of(const char *source, const char *id, const char *mac)
{
    return (struct entry){
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

enum shelf_verdict put(struct store *store, struct shelf *shelf, struct entry *entry)
{
    enum shelf_verdict verdict;

    execute(store, "BEGIN");
    ck_assert_int_eq(shelf_put(shelf, entry, &verdict), SQLITE_OK);
    ck_assert_int_eq(shelf_before_commit(shelf), SQLITE_OK);
    execute(store, "COMMIT");
    shelf_after(shelf, true);
    return verdict;
}

struct shelf *open_shelf(struct store *store)
{
    struct shelf *shelf = shelf_open(store, why);

    ck_assert_msg(shelf != NULL, "%s", why);
    return shelf;
}
