/* SPDX-License-Identifier: MIT
 *
 * The store and what writes to it, without a daemon: each test has a folder of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../daemon/clock.h"
#include "../../daemon/entry.h"
#include "../../daemon/journal.h"
#include "../../daemon/retention.h"
#include "../../daemon/seen.h"
#include "../../daemon/shelf.h"
#include "../../daemon/store.h"
#include "../run.h"

#define TEXT(text) ((hookline_bytes){text, sizeof(text) - 1})

static char folder[64], path[96], why[STORE_WHY_SIZE];

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "%s", "/tmp/hookline-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/store.db", folder);
}

static void remove_folder(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
    char file[128];

    for (size_t i = 0; i < COUNT(endings); i++) {
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        unlink(file);
    }
    rmdir(folder);
}

static struct store *open_store(void)
{
    struct store *store = store_open(path, STORE_WRITE, why);

    ck_assert_msg(store != NULL, "%s", why);
    return store;
}

static void execute(struct store *store, const char *sql)
{
    char *message = NULL;

    ck_assert_msg(sqlite3_exec(store_db(store), sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s",
                  sql, message);
}

static int64_t ask(struct store *store, const char *sql)
{
    sqlite3_stmt *query;
    int64_t number;

    ck_assert_int_eq(store_prepare(store, &query, sql), SQLITE_OK);
    ck_assert_int_eq(store_number(query, &number, -1), SQLITE_OK);
    sqlite3_finalize(query);
    return number;
}

/* ---- seen */

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

static bool finds(const struct seen *seen, uint64_t hash, int64_t seq)
{
    return seen_find(seen, hash, is_it, &seq) == 1;
}

/* The same numbers in each run. */
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
    struct seen *seen = seen_new();
    uint64_t *hashes = calloc(MANY, sizeof(*hashes)), state = 42 + (uint64_t)_i;

    for (int i = 0; i < MANY; i++) {
        hashes[i] = random_number(&state);
        /* Homes that are taken, and the end of a part, where it goes on from its beginning. */
        if (i % 3 == 0)
            hashes[i] = hashes[i] << 40 | UINT64_C(0xf) << 36 | (uint64_t)i % 7;
        else if (i % 3 == 1)
            hashes[i] |= UINT64_C(0x00ffff) << 40;
        ck_assert(seen_add(seen, hashes[i], i + 1));
    }
    ck_assert_uint_eq(seen_count(seen), MANY);
    for (int i = 0; i < MANY; i += 2)
        seen_remove(seen, hashes[i], i + 1);
    ck_assert_uint_eq(seen_count(seen), MANY / 2);
    for (int i = 1; i < MANY; i += 2)
        ck_assert_msg(finds(seen, hashes[i], i + 1), "%d is gone", i);
    for (int i = 1; i < MANY; i += 2)
        seen_remove(seen, hashes[i], i + 1);
    ck_assert_uint_eq(seen_count(seen), 0);
    free(hashes);
    seen_free(&seen);
}
END_TEST

START_TEST(all_candidates_of_one_hash_are_told)
{
    struct seen *seen = seen_new();
    struct found found = {.count = 0};

    for (int64_t seq = 1; seq <= 5; seq++)
        ck_assert(seen_add(seen, UINT64_MAX, seq));
    ck_assert(seen_add(seen, UINT64_MAX, SEEN_SEQ_MAX));
    ck_assert(seen_add(seen, 0, 7));
    seen_remove(seen, UINT64_MAX, 3);
    seen_remove(seen, UINT64_MAX, 99);
    seen_find(seen, UINT64_MAX, collect, &found);
    ck_assert_uint_eq(found.count, 5);
    ck_assert(finds(seen, UINT64_MAX, SEEN_SEQ_MAX));
    ck_assert(finds(seen, 0, 7));
    seen_free(&seen);
}
END_TEST

/* ---- store */

START_TEST(a_new_store_is_durable_by_its_settings)
{
    struct store *store = open_store();

    ck_assert_int_eq(ask(store, "PRAGMA synchronous"), 2);
    ck_assert_int_eq(ask(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    ck_assert_int_eq(ask(store, "PRAGMA user_version"), 1);
    store_close(&store);
}
END_TEST

START_TEST(a_second_writer_is_kept_out)
{
    struct store *store = open_store();

    ck_assert_ptr_null(store_open(path, STORE_WRITE, why));
    ck_assert_msg(strstr(why, "another process has this store open") != NULL, "%s", why);
    store_close(&store);
    store = open_store();
    store_close(&store);
}
END_TEST

START_TEST(a_reader_reads_and_does_not_write)
{
    struct store *writer = open_store(), *reader = store_open(path, STORE_READ, why);

    ck_assert_msg(reader != NULL, "%s", why);
    ck_assert_int_eq(ask(reader, "SELECT count(*) FROM delivery"), 0);
    ck_assert_int_ne(sqlite3_exec(store_db(reader), "DELETE FROM delivery", NULL, NULL, NULL),
                     SQLITE_OK);
    store_close(&reader);
    store_close(&writer);
}
END_TEST

/* What is no store of ours, and what is said of it. */
static const struct {
    const char *sql, *complaint;
} strangers[] = {
    {"PRAGMA user_version=2", "written by a newer hooklined"},
    {"PRAGMA application_id=1", "no store of hooklined"},
    {"PRAGMA application_id=0", "no store of hooklined"},
};

START_TEST(what_is_no_store_of_this_version_is_refused_and_left_alone)
{
    struct store *store = open_store();
    struct stat before, after;

    execute(store, strangers[_i].sql);
    store_close(&store);
    stat(path, &before);
    ck_assert_ptr_null(store_open(path, STORE_WRITE, why));
    ck_assert_msg(strstr(why, strangers[_i].complaint) != NULL, "%s", why);
    ck_assert_ptr_nonnull(strstr(why, path));
    stat(path, &after);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    ck_assert_int_eq(before.st_size, after.st_size);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
    FILE *file = fopen(path, "w");
    char line[64];

    for (int i = 0; i < 100; i++)
        fputs("this is no database, but somebody's text\n", file);
    fclose(file);
    ck_assert_ptr_null(store_open(path, STORE_WRITE, why));
    ck_assert_msg(strstr(why, "not a database") != NULL, "%s", why);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
    ck_assert_str_eq(line, "this is no database, but somebody's text\n");
    fclose(file);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    ck_assert_ptr_null(store_open("/nonexistent/store.db", STORE_WRITE, why));
    ck_assert_msg(strstr(why, "/nonexistent/store.db") != NULL &&
                      strstr(why, "No such file or directory") != NULL,
                  "%s", why);
}
END_TEST

/* ---- shelf */

static struct entry entry_of(const char *source, const char *id, const char *mac)
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

/* One transaction. */
static enum shelf_verdict put(struct store *store, struct shelf *shelf, struct entry *entry)
{
    enum shelf_verdict verdict;

    execute(store, "BEGIN");
    ck_assert_int_eq(shelf_put(shelf, entry, &verdict), SQLITE_OK);
    ck_assert_int_eq(shelf_before_commit(shelf), SQLITE_OK);
    execute(store, "COMMIT");
    shelf_after(shelf, true);
    return verdict;
}

static struct shelf *open_shelf(struct store *store)
{
    struct shelf *shelf = shelf_open(store, why);

    ck_assert_msg(shelf != NULL, "%s", why);
    return shelf;
}

/* In this order; `same` is the place of the first one, from 1 on. */
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
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);

    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0, stored = 0; i < COUNT(arrivals); i++) {
            struct entry e = entry_of(arrivals[i].source, arrivals[i].id, arrivals[i].mac);
            enum shelf_verdict verdict = put(store, shelf, &e);
            bool is_new = turn == 0 && arrivals[i].same > stored;

            stored += is_new;
            ck_assert_msg(verdict == (is_new ? SHELF_STORED : SHELF_DUPLICATE), "arrival %d", i);
            ck_assert_int_eq(e.seq, arrivals[i].same);
        }
        shelf_close(&shelf);
        store_close(&store);
        store = open_store();
        shelf = open_shelf(store);
        ck_assert_int_eq(shelf_newest(shelf), 10);
        ck_assert_uint_eq(shelf_count(shelf), 10);
    }
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

START_TEST(what_was_rolled_back_was_never_there)
{
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);
    struct entry e = entry_of("foil", "evt_1", NULL);
    enum shelf_verdict verdict;

    execute(store, "BEGIN");
    ck_assert_int_eq(shelf_put(shelf, &e, &verdict), SQLITE_OK);
    ck_assert_int_eq(shelf_put(shelf, &e, &verdict), SQLITE_OK);
    ck_assert_int_eq(verdict, SHELF_DUPLICATE);
    execute(store, "ROLLBACK");
    shelf_after(shelf, false);
    ck_assert_int_eq(shelf_newest(shelf), 0);
    ck_assert_int_eq(put(store, shelf, &e), SHELF_STORED);
    ck_assert_int_eq(e.seq, 1);
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

/* As many transactions as make several rows of merged keys, with one that stands alone. */
START_TEST(keys_are_merged_and_none_is_lost)
{
    enum {
        MANY = 20000
    };
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);
    char id[32];

    execute(store, "PRAGMA synchronous=OFF");
    for (int i = 0; i < MANY; i++) {
        struct entry e;

        snprintf(id, sizeof(id), "evt_%d", i);
        e = entry_of("foil", id, NULL);
        ck_assert_int_eq(put(store, shelf, &e), SHELF_STORED);
        if (i % 100 == 0) {
            int code;

            execute(store, "BEGIN");
            while ((code = shelf_merge(shelf)) == SQLITE_ROW)
                ;
            ck_assert_int_eq(code, SQLITE_DONE);
            execute(store, "COMMIT");
        }
    }
    ck_assert_int_lt(ask(store, "SELECT count(*) FROM keys"), 600);
    ck_assert_int_eq(ask(store, "SELECT sum(length(hashes)) FROM keys"), MANY * 8);
    shelf_close(&shelf);
    shelf = open_shelf(store);
    ck_assert_uint_eq(shelf_count(shelf), MANY);
    for (int i = 0; i < MANY; i++) {
        struct entry e;

        snprintf(id, sizeof(id), "evt_%d", i);
        e = entry_of("foil", id, NULL);
        ck_assert_int_eq(put(store, shelf, &e), SHELF_DUPLICATE);
        ck_assert_int_eq(e.seq, i + 1);
    }
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

/* ---- retention */

static int step_until_done(struct store *store, struct retention *retention)
{
    int code, steps = 0;

    do {
        execute(store, "BEGIN");
        code = retention_step(retention);
        execute(store, "COMMIT");
    } while (code == SQLITE_ROW && ++steps < 1000);
    ck_assert_int_eq(code, SQLITE_DONE);
    return steps;
}

static void put_many(struct store *store, struct shelf *shelf, int count, int64_t age_us)
{
    static int number;

    for (int i = 0; i < count; i++) {
        char id[32];
        struct entry e;

        snprintf(id, sizeof(id), "evt_%d", number++);
        e = entry_of("foil", id, NULL);
        e.received_us -= age_us;
        put(store, shelf, &e);
    }
}

START_TEST(what_is_old_and_done_goes_and_nothing_else)
{
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);
    struct retention_options options = {.keep_us = 1000000000};
    struct retention *retention = retention_open(store, shelf, &options, why);

    execute(store, "PRAGMA synchronous=OFF");
    put_many(store, shelf, 300, 2000000000);
    put_many(store, shelf, 10, 0);
    execute(store, "INSERT INTO destination VALUES (1, 'app', 250, 1), (2, 'gone', 1, 0)");
    execute(store, "INSERT INTO unsent VALUES (1, 100, 3, NULL, 0), (1, 101, 1, 99, 0)");
    step_until_done(store, retention);
    ck_assert_int_eq(ask(store, "SELECT count(*) FROM delivery"), 310 - 248);
    ck_assert_int_eq(ask(store, "SELECT count(*) FROM delivery WHERE seq IN (100, 101)"), 2);
    ck_assert_int_eq(ask(store, "SELECT count(*) FROM delivery WHERE seq BETWEEN 251 AND 310"), 60);
    ck_assert_uint_eq(retention_count(retention), 248);
    execute(store, "UPDATE destination SET cursor = 310 WHERE number = 1");
    step_until_done(store, retention);
    ck_assert_int_eq(ask(store, "SELECT count(*) FROM delivery"), 12);
    retention_close(&retention);
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

START_TEST(the_newest_delivery_stays_so_that_its_number_is_never_used_again)
{
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);
    struct retention_options options = {.keep_us = 1};
    struct retention *retention = retention_open(store, shelf, &options, why);

    put_many(store, shelf, 5, 2000000);
    step_until_done(store, retention);
    ck_assert_int_eq(ask(store, "SELECT count(*) FROM delivery"), 1);
    ck_assert_int_eq(ask(store, "SELECT max(seq) FROM delivery"), 5);
    retention_close(&retention);
    shelf_close(&shelf);
    shelf = open_shelf(store);
    ck_assert_int_eq(shelf_newest(shelf), 5);
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

START_TEST(a_store_that_is_too_large_gives_up_the_oldest)
{
    struct store *store = open_store();
    struct shelf *shelf = open_shelf(store);
    struct retention_options options = {.keep_us = INT64_C(1) << 50, .max_bytes = 256 * 1024};
    struct retention *retention = retention_open(store, shelf, &options, why);

    execute(store, "PRAGMA synchronous=OFF");
    put_many(store, shelf, 5000, 0);
    ck_assert_int_gt(store_bytes(store), options.max_bytes);
    step_until_done(store, retention);
    ck_assert_int_le(store_bytes(store), options.max_bytes);
    ck_assert_int_gt(ask(store, "SELECT count(*) FROM delivery"), 100);
    ck_assert_int_eq(ask(store, "SELECT max(seq) FROM delivery"), 5000);
    ck_assert_int_lt(shelf_count(shelf), 5001);
    retention_close(&retention);
    shelf_close(&shelf);
    store_close(&store);
}
END_TEST

/* ---- journal */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

struct job {
    struct journal_task task;
    int result;  /* of run() */
    bool wait;   /* run() waits until `go` */
    int outcome; /* -1: none yet */
};

static bool go;
static int failed_told, recovered_told, fatal_told;

static int run_job(struct journal_task *task)
{
    struct job *job = (struct job *)task;

    pthread_mutex_lock(&mutex);
    while (job->wait && !go)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return job->result;
}

static void finish_job(struct journal_task *task, enum journal_outcome outcome)
{
    struct job *job = (struct job *)task;

    pthread_mutex_lock(&mutex);
    job->outcome = (int)outcome;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static struct job job_of(int result)
{
    return (struct job){{.bytes = 100, .run = run_job, .done = finish_job}, result, false, -1};
}

static int outcome_of(struct job *job)
{
    pthread_mutex_lock(&mutex);
    while (job->outcome < 0)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return job->outcome;
}

static int nothing(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void after(void *data, enum journal_outcome outcome)
{
    (void)data, (void)outcome;
}

static int no_step(void *data)
{
    (void)data;
    return SQLITE_DONE;
}

static void on_failed(void *data, const char *text)
{
    (void)data, (void)text;
    failed_told++;
}

static void on_recovered(void *data)
{
    (void)data;
    recovered_told++;
}

static void on_fatal(void *data, const char *text)
{
    (void)data;
    ck_assert_ptr_nonnull(strstr(text, "store.db"));
    fatal_told++;
}

static struct journal *open_journal(struct store *store, size_t queue_bytes)
{
    struct journal_options options = {
        .queue_bytes = queue_bytes,
        .before_commit = nothing,
        .after = after,
        .step = no_step,
        .failed = on_failed,
        .recovered = on_recovered,
        .fatal = on_fatal,
    };

    return journal_open(store, &options);
}

START_TEST(a_full_queue_takes_no_more_at_once)
{
    struct store *store = open_store();
    struct journal *journal = open_journal(store, 250);
    struct job first = job_of(SQLITE_OK), jobs[3] = {job_of(0), job_of(0), job_of(0)};
    struct journal_stats stats;

    first.wait = true;
    first.task.bytes = 1000; /* more than the limit, but alone */
    ck_assert(journal_submit(journal, &first.task));
    do /* until the first one is being run */
        journal_stats(journal, &stats);
    while (stats.queued_bytes > 0);
    ck_assert(journal_submit(journal, &jobs[0].task));
    ck_assert(journal_submit(journal, &jobs[1].task));
    ck_assert(!journal_submit(journal, &jobs[2].task));
    pthread_mutex_lock(&mutex);
    go = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    ck_assert_int_eq(outcome_of(&first), JOURNAL_DURABLE);
    ck_assert_int_eq(outcome_of(&jobs[0]), JOURNAL_DURABLE);
    ck_assert_int_eq(outcome_of(&jobs[1]), JOURNAL_DURABLE);
    ck_assert(journal_submit(journal, &jobs[2].task));
    ck_assert_int_eq(outcome_of(&jobs[2]), JOURNAL_DURABLE);
    ck_assert_int_eq(jobs[2].outcome, JOURNAL_DURABLE);
    journal_close(&journal);
    store_close(&store);
}
END_TEST

START_TEST(a_failure_is_told_once_and_so_is_its_end)
{
    struct store *store = open_store();
    struct journal *journal = open_journal(store, 10000);

    for (int i = 0; i < 6; i++) {
        struct job job = job_of(i == 2 || i == 3 ? SQLITE_FULL : SQLITE_OK);

        ck_assert(journal_submit(journal, &job.task));
        ck_assert_int_eq(outcome_of(&job),
                         job.result == SQLITE_OK ? JOURNAL_DURABLE : JOURNAL_FAILED);
    }
    journal_close(&journal);
    ck_assert_int_eq(failed_told, 1);
    ck_assert_int_eq(recovered_told, 1);
    ck_assert_int_eq(fatal_told, 0);
    store_close(&store);
}
END_TEST

START_TEST(after_a_failed_sync_nothing_is_written_any_more)
{
    struct store *store = open_store();
    struct journal *journal = open_journal(store, 10000);
    struct job failing = job_of(SQLITE_IOERR_FSYNC), next = job_of(SQLITE_OK);

    ck_assert(journal_submit(journal, &failing.task));
    ck_assert_int_eq(outcome_of(&failing), JOURNAL_FAILED);
    ck_assert(!journal_submit(journal, &next.task));
    journal_close(&journal);
    ck_assert_int_eq(fatal_told, 1);
    ck_assert_int_eq(failed_told, 0);
    store_close(&store);
}
END_TEST

START_TEST(what_is_queued_is_written_before_the_journal_is_closed)
{
    struct store *store = open_store();
    struct journal *journal = open_journal(store, SIZE_MAX);
    static struct job jobs[1000];

    for (int i = 0; i < COUNT(jobs); i++) {
        jobs[i] = job_of(SQLITE_OK);
        ck_assert(journal_submit(journal, &jobs[i].task));
    }
    journal_close(&journal);
    for (int i = 0; i < COUNT(jobs); i++)
        ck_assert_int_eq(jobs[i].outcome, JOURNAL_DURABLE);
    store_close(&store);
}
END_TEST

/* ---- entry */

START_TEST(a_header_of_an_entry_is_found_in_any_case)
{
    struct entry e = {.headers = TEXT("content-type: a/b\nx-empty: \nx-a: 1\nx-a: 2\nx-ab: 3\n")};
    struct entry *copy = entry_copy(&e);
    hookline_bytes value = entry_header(copy, "Content-Type");

    ck_assert_uint_eq(value.len, 3);
    ck_assert_int_eq(memcmp(value.base, "a/b", 3), 0);
    ck_assert_uint_eq(entry_header(copy, "x-empty").len, 0);
    ck_assert_ptr_nonnull(entry_header(copy, "x-empty").base);
    ck_assert_int_eq(*entry_header(copy, "X-A").base, '1');
    ck_assert_int_eq(*entry_header(copy, "x-ab").base, '3');
    ck_assert_ptr_null(entry_header(copy, "x").base);
    ck_assert_ptr_null(entry_header(copy, "").base);
    ck_assert_ptr_null(copy->id.base);
    free(copy);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("store");
    TCase *tc = tcase_create("store");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, what_was_added_is_found_until_it_is_removed, 0, 3);
    tcase_add_test(tc, all_candidates_of_one_hash_are_told);
    tcase_add_test(tc, a_new_store_is_durable_by_its_settings);
    tcase_add_test(tc, a_second_writer_is_kept_out);
    tcase_add_test(tc, a_reader_reads_and_does_not_write);
    tcase_add_loop_test(tc, what_is_no_store_of_this_version_is_refused_and_left_alone, 0,
                        COUNT(strangers));
    tcase_add_test(tc, a_file_that_is_no_database_is_refused_and_left_alone);
    tcase_add_test(tc, a_folder_that_is_not_there_is_named);
    tcase_add_test(tc, a_delivery_is_told_by_its_source_and_id_or_else_by_its_mac);
    tcase_add_test(tc, what_was_rolled_back_was_never_there);
    tcase_add_test(tc, keys_are_merged_and_none_is_lost);
    tcase_add_test(tc, what_is_old_and_done_goes_and_nothing_else);
    tcase_add_test(tc, the_newest_delivery_stays_so_that_its_number_is_never_used_again);
    tcase_add_test(tc, a_store_that_is_too_large_gives_up_the_oldest);
    tcase_add_test(tc, a_full_queue_takes_no_more_at_once);
    tcase_add_test(tc, a_failure_is_told_once_and_so_is_its_end);
    tcase_add_test(tc, after_a_failed_sync_nothing_is_written_any_more);
    tcase_add_test(tc, what_is_queued_is_written_before_the_journal_is_closed);
    tcase_add_test(tc, a_header_of_an_entry_is_found_in_any_case);
    suite_add_tcase(s, tc);
    return s;
}
