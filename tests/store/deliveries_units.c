/* SPDX-License-Identifier: MIT
 *
 * The store, the index of duplicates, and the shelf, without a daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/store/dedup_index.h"
#include "tests/run.h"
#include "tests/store/store_kit.h"

/* ---- dedup_index */

struct found {
    int64_t seqs[16];
    size_t count;
};

static int collect(void *data, int64_t seq)
{
    struct found *found = data;

    found->seqs[found->count++] = seq;
    return 0;
}

static int is_it(void *data, int64_t seq)
{
    return seq == *(const int64_t *)data;
}

static bool finds(const struct dedup_index *dedup_index, uint64_t hash, int64_t seq)
{
    return dedup_index_find(dedup_index, hash, is_it, &seq) == 1;
}

/* A fixed sequence of numbers. */
static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(what_was_added_is_found_until_it_is_removed)
{
    enum {
        MANY = 50000
    };
    struct dedup_index *dedup_index = dedup_index_new();
    uint64_t *hashes = calloc(MANY, sizeof(*hashes)), state = 42 + (uint64_t)_i;

    for (int i = 0; i < MANY; i++) {
        hashes[i] = random_number(&state);
        /* Collisions, and slots at the end of a partition, where probing wraps around. */
        if (i % 3 == 0)
            hashes[i] = hashes[i] << 40 | UINT64_C(0xf) << 36 | (uint64_t)i % 7;
        else if (i % 3 == 1)
            hashes[i] |= UINT64_C(0x00ffff) << 40;
        if (i == 1000 * _i)
            ck_assert(dedup_index_reserve(dedup_index, MANY));
        dedup_index_prefetch(dedup_index, hashes[i]);
        ck_assert(dedup_index_add(dedup_index, hashes[i], i + 1));
    }
    ck_assert_uint_eq(dedup_index_count(dedup_index), MANY);
    for (int i = 0; i < MANY; i += 2)
        dedup_index_remove(dedup_index, hashes[i], i + 1);
    ck_assert_uint_eq(dedup_index_count(dedup_index), MANY / 2);
    for (int i = 1; i < MANY; i += 2)
        ck_assert_msg(finds(dedup_index, hashes[i], i + 1), "%d is gone", i);
    for (int i = 1; i < MANY; i += 2)
        dedup_index_remove(dedup_index, hashes[i], i + 1);
    ck_assert_uint_eq(dedup_index_count(dedup_index), 0);
    free(hashes);
    dedup_index_free(&dedup_index);
}
END_TEST

START_TEST(all_candidates_of_one_hash_are_told)
{
    struct dedup_index *dedup_index = dedup_index_new();
    struct found found = {.count = 0};

    for (int64_t seq = 1; seq <= 5; seq++)
        ck_assert(dedup_index_add(dedup_index, UINT64_MAX, seq));
    ck_assert(dedup_index_add(dedup_index, UINT64_MAX, DEDUP_INDEX_SEQ_MAX));
    ck_assert(dedup_index_add(dedup_index, 0, 7));
    dedup_index_remove(dedup_index, UINT64_MAX, 3);
    dedup_index_remove(dedup_index, UINT64_MAX, 99);
    dedup_index_find(dedup_index, UINT64_MAX, collect, &found);
    ck_assert_uint_eq(found.count, 5);
    ck_assert(finds(dedup_index, UINT64_MAX, DEDUP_INDEX_SEQ_MAX));
    ck_assert(finds(dedup_index, 0, 7));
    dedup_index_free(&dedup_index);
}
END_TEST

/* ---- store */

START_TEST(a_new_store_is_durable_by_its_settings)
{
    struct db *db = open_store();

    ck_assert_int_eq(ask(db, "PRAGMA synchronous"), 2);
    ck_assert_int_eq(ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    ck_assert_int_eq(ask(db, "PRAGMA user_version"), 2);
    db_close(&db);
}
END_TEST

START_TEST(a_second_writer_is_kept_out)
{
    struct db *db = open_store();

    ck_assert_ptr_null(db_open(store_file, DB_WRITE, why));
    ck_assert_msg(strstr(why, "another process has this store open") != NULL, "%s", why);
    db_close(&db);
    db = open_store();
    db_close(&db);
}
END_TEST

START_TEST(a_reader_reads_and_does_not_write)
{
    struct db *writer = open_store(), *reader = db_open(store_file, DB_READ, why);

    ck_assert_msg(reader != NULL, "%s", why);
    ck_assert_int_eq(ask(reader, "SELECT count(*) FROM delivery"), 0);
    ck_assert_int_ne(sqlite3_exec(db_sqlite(reader), "DELETE FROM delivery", NULL, NULL, NULL),
                     SQLITE_OK);
    db_close(&reader);
    db_close(&writer);
}
END_TEST

/* Clears all pages of the database file except the first. */
static void lose_pages(struct db *db)
{
    static const char nothing[4096];
    sqlite3_file *file = NULL;
    sqlite3_int64 size;

    ck_assert_int_eq(sqlite3_file_control(db_sqlite(db), "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    ck_assert_int_eq(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    for (sqlite3_int64 at = sizeof(nothing); at < size; at += (sqlite3_int64)sizeof(nothing))
        ck_assert_int_eq(file->pMethods->xWrite(file, nothing, sizeof(nothing), at), SQLITE_OK);
}

START_TEST(a_log_that_was_left_is_copied_again_though_a_reader_has_kept_its_index)
{
    struct db *db = open_store(), *reader;

    execute(db, "PRAGMA wal_autocheckpoint=0; CREATE TABLE filler(i, bytes);"
                "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
                " INSERT INTO filler SELECT i, zeroblob(400) FROM n");
    ck_assert_ptr_nonnull(reader = db_open(store_file, DB_READ, why));
    ck_assert_int_eq(ask(reader, "SELECT count(*) FROM filler"), 1000);
    execute(db, "PRAGMA wal_checkpoint(PASSIVE)");
    lose_pages(db);
    db_keep_wal(db);
    db_close(&db);
    db = open_store();
    ck_assert_int_eq(ask(db, "SELECT sum(i) FROM filler"), 500500);
    ck_assert_int_eq(ask(reader, "SELECT sum(i) FROM filler"), 500500);
    db_close(&reader);
    db_close(&db);
    db = open_store();
    ck_assert_int_eq(ask(db, "SELECT sum(i) FROM filler"), 500500);
    db_close(&db);
}
END_TEST

/* Invalid stores and their messages. */
static const struct {
    const char *sql, *complaint;
} strangers[] = {
    {"PRAGMA user_version=3", "written by a newer hooklined"},
    {"PRAGMA application_id=1", "expected a store of hooklined"},
    {"PRAGMA application_id=0", "expected a store of hooklined"},
};

START_TEST(what_is_no_store_of_this_version_is_refused_and_left_alone)
{
    struct db *db = open_store();
    struct stat before, after;

    execute(db, strangers[_i].sql);
    db_close(&db);
    stat(store_file, &before);
    ck_assert_ptr_null(db_open(store_file, DB_WRITE, why));
    ck_assert_msg(strstr(why, strangers[_i].complaint) != NULL, "%s", why);
    ck_assert_ptr_nonnull(strstr(why, store_file));
    stat(store_file, &after);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    ck_assert_int_eq(before.st_size, after.st_size);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
    FILE *file = fopen(store_file, "w");
    char line[64];

    for (int i = 0; i < 100; i++)
        fputs("this is no database, but somebody's text\n", file);
    fclose(file);
    ck_assert_ptr_null(db_open(store_file, DB_WRITE, why));
    ck_assert_msg(strstr(why, "not a database") != NULL, "%s", why);
    file = fopen(store_file, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
    ck_assert_str_eq(line, "this is no database, but somebody's text\n");
    fclose(file);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    ck_assert_ptr_null(db_open("/nonexistent/store.db", DB_WRITE, why));
    ck_assert_msg(strstr(why, "/nonexistent/store.db") != NULL &&
                      strstr(why, "No such file or directory") != NULL,
                  "%s", why);
}
END_TEST

/* ---- shelf */

/* Deliveries in order of arrival; `same` is the seq of the first equal one. */
static const struct {
    const char *source, *id, *mac;
    int same;
} arrivals[] = {
    {"foil", "evt_1", "m1", 1},  {"foil", "evt_2", "m1", 2}, {"foil", "evt_1", "m2", 1},
    {"other", "evt_1", "m1", 3}, {"foil", NULL, "m1", 4},    {"foil", NULL, "m1", 4},
    {"foil", NULL, "evt_1", 5},  {"foil", "m1", "x", 6},     {"other", NULL, "m1", 7},
    {"foil", "evt_10", "x", 8},  {"foile", "vt_1", "x", 9},  {"foil", "evt_1", "m1", 1},
    {"foil", "", "x", 10},       {"foil", "", "y", 10},
};

START_TEST(a_delivery_is_told_by_its_source_and_id_or_else_by_its_mac)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);

    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0, stored = 0; i < COUNT(arrivals); i++) {
            struct delivery_row e = entry_of(arrivals[i].source, arrivals[i].id, arrivals[i].mac);
            enum deliveries_outcome verdict = put(db, deliveries, &e);
            bool is_new = turn == 0 && arrivals[i].same > stored;

            stored += is_new;
            ck_assert_msg(verdict == (is_new ? DELIVERIES_STORED : DELIVERIES_DUPLICATE),
                          "arrival %d", i);
            ck_assert_int_eq(e.seq, arrivals[i].same);
        }
        deliveries_close(&deliveries);
        db_close(&db);
        db = open_store();
        deliveries = open_shelf(db);
        ck_assert_int_eq(deliveries_newest(deliveries), 10);
        ck_assert_uint_eq(deliveries_key_count(deliveries), 10);
    }
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

START_TEST(what_was_rolled_back_was_never_there)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct delivery_row e = entry_of("foil", "evt_1", NULL);
    enum deliveries_outcome verdict;

    execute(db, "BEGIN");
    ck_assert_int_eq(deliveries_put(deliveries, &e, &verdict), SQLITE_OK);
    ck_assert_int_eq(deliveries_put(deliveries, &e, &verdict), SQLITE_OK);
    ck_assert_int_eq(verdict, DELIVERIES_DUPLICATE);
    execute(db, "ROLLBACK");
    deliveries_after_transaction(deliveries, false);
    ck_assert_int_eq(deliveries_newest(deliveries), 0);
    ck_assert_int_eq(put(db, deliveries, &e), DELIVERIES_STORED);
    ck_assert_int_eq(e.seq, 1);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

/* The transactions fill several rows of merged keys and leave one key single. */
START_TEST(keys_are_merged_and_none_is_lost)
{
    enum {
        MANY = 20000
    };
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    char id[32];

    execute(db, "PRAGMA synchronous=OFF");
    for (int i = 0; i < MANY; i++) {
        struct delivery_row e;

        snprintf(id, sizeof(id), "evt_%d", i);
        e = entry_of("foil", id, NULL);
        ck_assert_int_eq(put(db, deliveries, &e), DELIVERIES_STORED);
        if (i % 100 == 0) {
            int code;

            execute(db, "BEGIN");
            while ((code = deliveries_merge_keys(deliveries)) == SQLITE_ROW)
                ;
            ck_assert_int_eq(code, SQLITE_DONE);
            execute(db, "COMMIT");
        }
    }
    ck_assert_int_lt(ask(db, "SELECT count(*) FROM keys"), 600);
    ck_assert_int_eq(ask(db, "SELECT sum(length(hashes)) FROM keys"), MANY * 8);
    deliveries_close(&deliveries);
    deliveries = open_shelf(db);
    ck_assert_uint_eq(deliveries_key_count(deliveries), MANY);
    for (int i = 0; i < MANY; i++) {
        struct delivery_row e;

        snprintf(id, sizeof(id), "evt_%d", i);
        e = entry_of("foil", id, NULL);
        ck_assert_int_eq(put(db, deliveries, &e), DELIVERIES_DUPLICATE);
        ck_assert_int_eq(e.seq, i + 1);
    }
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

/* ---- entry */

static hookline_bytes header(const struct delivery_row *row, const char *wanted)
{
    hookline_bytes rest = row->headers, name, value;

    while (delivery_row_next_header(&rest, &name, &value))
        if (name.len == strlen(wanted) && strncasecmp(name.base, wanted, name.len) == 0)
            return value;
    return (hookline_bytes){0};
}

/* SQLite keeps no checksums of its pages, so these changes look like other values. */
static const char *const changes[] = {
    "body = 'xx'", "body = X''",    "headers = 'a: b'", "source = 'oil'",     "id = 'evt_2'",
    "type = 'x'",  "type = ''",     "query = 'a=1'",    "delivery_id = 'id'", "unreadable = 'x'",
    "remote = ''", "signed_at = 1", "seq = 2",
};

START_TEST(a_changed_delivery_is_damaged_and_its_repetition_is_stored_again)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct delivery_row row = entry_of("foil", "evt", NULL);
    bool moved = strcmp(changes[_i], "seq = 2") == 0;
    char sql[96];

    ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_STORED);
    ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_DUPLICATE);
    ck_assert_int_eq(deliveries_check(deliveries, 1, NULL), SQLITE_ROW);
    ck_assert_int_eq(deliveries_check(deliveries, 2, NULL), SQLITE_DONE);
    snprintf(sql, sizeof(sql), "UPDATE OR IGNORE delivery SET %s", changes[_i]);
    execute(db, sql);
    ck_assert_int_eq(deliveries_check(deliveries, moved ? 2 : 1, NULL), SQLITE_CORRUPT);
    if (!moved) {
        ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_STORED);
        ck_assert_int_eq(row.seq, 2);
        ck_assert_int_eq(ask(db, "SELECT seq FROM damaged"), 1);
    }
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

START_TEST(a_corrected_time_and_a_missing_sum_are_no_damage)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct delivery_row row = entry_of("foil", NULL, "mac");

    put(db, deliveries, &row);
    execute(db, "UPDATE delivery SET received_us = 1");
    ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_DUPLICATE);
    execute(db, "UPDATE delivery SET body = 'x', sum = NULL");
    ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_DUPLICATE);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

START_TEST(a_header_of_an_entry_is_found_in_any_case)
{
    struct delivery_row e = {.headers =
                                 TEXT("content-type: a/b\nx-empty: \nx-a: 1\nx-a: 2\nx-ab: 3\n")};
    struct delivery_row *copy = delivery_row_copy(&e);
    hookline_bytes value = header(copy, "Content-Type");

    ck_assert_uint_eq(value.len, 3);
    ck_assert_int_eq(memcmp(value.base, "a/b", 3), 0);
    ck_assert_uint_eq(header(copy, "x-empty").len, 0);
    ck_assert_ptr_nonnull(header(copy, "x-empty").base);
    ck_assert_int_eq(*header(copy, "X-A").base, '1');
    ck_assert_int_eq(*header(copy, "x-ab").base, '3');
    ck_assert_ptr_null(header(copy, "x").base);
    ck_assert_ptr_null(header(copy, "").base);
    ck_assert_ptr_null(copy->id.base);
    free(copy);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("store");
    TCase *tc = tcase_create("store");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_loop_test(tc, what_was_added_is_found_until_it_is_removed, 0, 3);
    tcase_add_test(tc, all_candidates_of_one_hash_are_told);
    tcase_add_test(tc, a_new_store_is_durable_by_its_settings);
    tcase_add_test(tc, a_second_writer_is_kept_out);
    tcase_add_test(tc, a_reader_reads_and_does_not_write);
    tcase_add_test(tc, a_log_that_was_left_is_copied_again_though_a_reader_has_kept_its_index);
    tcase_add_loop_test(tc, what_is_no_store_of_this_version_is_refused_and_left_alone, 0,
                        COUNT(strangers));
    tcase_add_test(tc, a_file_that_is_no_database_is_refused_and_left_alone);
    tcase_add_test(tc, a_folder_that_is_not_there_is_named);
    tcase_add_test(tc, a_delivery_is_told_by_its_source_and_id_or_else_by_its_mac);
    tcase_add_test(tc, what_was_rolled_back_was_never_there);
    tcase_add_test(tc, keys_are_merged_and_none_is_lost);
    tcase_add_loop_test(tc, a_changed_delivery_is_damaged_and_its_repetition_is_stored_again, 0,
                        COUNT(changes));
    tcase_add_test(tc, a_corrected_time_and_a_missing_sum_are_no_damage);
    tcase_add_test(tc, a_header_of_an_entry_is_found_in_any_case);
    suite_add_tcase(s, tc);
    return s;
}
