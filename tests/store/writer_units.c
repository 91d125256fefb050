/* SPDX-License-Identifier: MIT
 *
 * Retention, the writer thread (journal) and checkpoints, without a daemon.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/store.h"
#include "daemon/store/writer.h"
#include "tests/run.h"
#include "tests/store/store_kit.h"

/* ---- retention */

static int step_until_done(struct db *db, struct retention *retention)
{
    int code, steps = 0;

    do {
        execute(db, "BEGIN");
        code = retention_step(retention);
        execute(db, "COMMIT");
    } while (code == SQLITE_ROW && ++steps < 1000);
    ck_assert_int_eq(code, SQLITE_DONE);
    return steps;
}

static void put_many(struct db *db, struct deliveries *deliveries, int count, int64_t age_us)
{
    static int number;

    for (int i = 0; i < count; i++) {
        char id[32];
        struct delivery_row e;

        snprintf(id, sizeof(id), "evt_%d", number++);
        e = entry_of("foil", id, NULL);
        e.received_us -= age_us;
        put(db, deliveries, &e);
    }
}

START_TEST(what_is_old_and_done_goes_and_nothing_else)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct retention_options options = {.keep_us = 1000000000};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    execute(db, "PRAGMA synchronous=OFF");
    put_many(db, deliveries, 300, 2000000000);
    put_many(db, deliveries, 10, 0);
    execute(db, "INSERT INTO destination VALUES (1, 'app', 250, 1), (2, 'gone', 1, 0)");
    execute(db, "INSERT INTO unsent VALUES (1, 100, 3, NULL, 0), (1, 101, 1, 99, 0)");
    step_until_done(db, retention);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery"), 310 - 248);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery WHERE seq IN (100, 101)"), 2);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery WHERE seq BETWEEN 251 AND 310"), 60);
    ck_assert_uint_eq(retention_count(retention), 248);
    execute(db, "UPDATE destination SET cursor = 310 WHERE number = 1");
    step_until_done(db, retention);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery"), 12);
    retention_close(&retention);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

START_TEST(the_newest_delivery_stays_so_that_its_number_is_never_used_again)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct retention_options options = {.keep_us = 1};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    put_many(db, deliveries, 5, 2000000);
    step_until_done(db, retention);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery"), 1);
    ck_assert_int_eq(ask(db, "SELECT max(seq) FROM delivery"), 5);
    retention_close(&retention);
    deliveries_close(&deliveries);
    deliveries = open_shelf(db);
    ck_assert_int_eq(deliveries_newest(deliveries), 5);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

START_TEST(a_store_that_is_too_large_gives_up_the_oldest)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct retention_options options = {.keep_us = INT64_C(1) << 50, .max_bytes = 256 * 1024};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    execute(db, "PRAGMA synchronous=OFF");
    put_many(db, deliveries, 5000, 0);
    ck_assert_int_gt(db_bytes(db), options.max_bytes);
    step_until_done(db, retention);
    ck_assert_int_le(db_bytes(db), options.max_bytes);
    ck_assert_int_gt(ask(db, "SELECT count(*) FROM delivery"), 100);
    ck_assert_int_eq(ask(db, "SELECT max(seq) FROM delivery"), 5000);
    ck_assert_int_lt(deliveries_key_count(deliveries), 5001);
    retention_close(&retention);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

/* Puts one delivery with this age. */
static int64_t put_aged(struct db *db, struct deliveries *deliveries, int64_t age_us)
{
    put_many(db, deliveries, 1, age_us);
    return deliveries_newest(deliveries);
}

START_TEST(a_clock_that_was_ahead_holds_up_no_deletion)
{
    const int64_t day_us = INT64_C(86400) * 1000000;
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    struct retention_options options = {.keep_us = 8 * day_us};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    execute(db, "PRAGMA synchronous=OFF");
    ck_assert_int_eq(put_aged(db, deliveries, 20 * day_us), 1);
    ck_assert_int_eq(put_aged(db, deliveries, -3650 * day_us), 2); /* ten years ahead */
    ck_assert_int_eq(put_aged(db, deliveries, 7 * day_us), 3);     /* ahead by some days */
    put_many(db, deliveries, 250, 12 * day_us);
    ck_assert_int_eq(put_aged(db, deliveries, -3650 * day_us), 254);
    put_many(db, deliveries, 5, day_us);
    step_until_done(db, retention);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery WHERE seq BETWEEN 4 AND 253"), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery WHERE seq IN (1, 2)"), 0);
    ck_assert_int_eq(ask(db, "SELECT min(seq) FROM delivery"), 3);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery WHERE seq >= 254"), 6);
    retention_close(&retention);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

static void count_report(void *data)
{
    ++*(int *)data;
}

START_TEST(a_store_that_is_filled_by_deliveries_in_use_grows_and_says_so_once)
{
    struct db *db = open_store();
    struct deliveries *deliveries = open_shelf(db);
    int reports = 0;
    struct retention_options options = {
        .keep_us = 1, .max_bytes = 64 * 1024, .data = &reports, .too_large = count_report};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    execute(db, "PRAGMA synchronous=OFF");
    put_many(db, deliveries, 2000, 0);
    execute(db, "INSERT INTO destination VALUES (1, 'app', 1000, 1), (2, 'gone', 0, 0)");
    execute(db, "INSERT INTO unsent SELECT 1, seq, 1, iif(seq % 2, NULL, 9), 0 FROM delivery"
                " WHERE seq <= 500");
    execute(db, "INSERT INTO unsent SELECT 2, seq, 1, NULL, 0 FROM delivery"
                " WHERE seq BETWEEN 501 AND 900");
    step_until_done(db, retention);
    step_until_done(db, retention);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM delivery"), 1900);
    ck_assert_int_eq(reports, 1);
    retention_close(&retention);
    deliveries_close(&deliveries);
    db_close(&db);
}
END_TEST

/* ---- journal */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

struct job {
    struct writer_task task;
    int result;  /* of run() */
    bool wait;   /* run() waits until `go` */
    int outcome; /* -1: pending */
};

static bool go;
static int failed_told, recovered_told, fatal_told;

static int run_job(struct writer_task *task)
{
    struct job *job = (struct job *)task;

    pthread_mutex_lock(&mutex);
    while (job->wait && !go)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return job->result;
}

static void finish_job(struct writer_task *task, enum writer_outcome outcome)
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

static void after(void *data, enum writer_outcome outcome)
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

static struct writer *open_journal(struct db *db, size_t queue_bytes)
{
    struct writer_options options = {
        .queue_bytes = queue_bytes,
        .before_commit = nothing,
        .after = after,
        .step = no_step,
        .failed = on_failed,
        .recovered = on_recovered,
        .fatal = on_fatal,
    };

    return writer_open(db, &options);
}

START_TEST(a_full_queue_takes_no_more_at_once)
{
    struct db *db = open_store();
    struct writer *writer = open_journal(db, 250);
    struct job first = job_of(SQLITE_OK), jobs[3] = {job_of(0), job_of(0), job_of(0)};
    struct writer_stats stats;

    first.wait = true;
    first.task.bytes = 1000; /* exceeds the limit, but the queue is empty */
    ck_assert(writer_post(writer, &first.task));
    do /* until the first one runs */
        writer_stats(writer, &stats);
    while (stats.queued_bytes > 0);
    ck_assert(writer_post(writer, &jobs[0].task));
    ck_assert(writer_post(writer, &jobs[1].task));
    ck_assert(!writer_post(writer, &jobs[2].task));
    pthread_mutex_lock(&mutex);
    go = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    ck_assert_int_eq(outcome_of(&first), WRITER_DURABLE);
    ck_assert_int_eq(outcome_of(&jobs[0]), WRITER_DURABLE);
    ck_assert_int_eq(outcome_of(&jobs[1]), WRITER_DURABLE);
    ck_assert(writer_post(writer, &jobs[2].task));
    ck_assert_int_eq(outcome_of(&jobs[2]), WRITER_DURABLE);
    ck_assert_int_eq(jobs[2].outcome, WRITER_DURABLE);
    writer_close(&writer);
    db_close(&db);
}
END_TEST

static struct db *filled;

static int fill(struct writer_task *task)
{
    (void)task;
    execute(filled, "INSERT INTO filler VALUES (zeroblob(100000))");
    return SQLITE_OK;
}

START_TEST(a_failure_is_told_once_and_so_is_its_end)
{
    struct db *db = filled = open_store();
    struct writer *writer;

    execute(db, "CREATE TABLE filler(bytes)");
    writer = open_journal(db, 10000);
    for (int i = 0; i < 7; i++) {
        struct job job = job_of(i == 2 || i == 3 ? SQLITE_FULL : SQLITE_OK);

        if (i == 6) /* only a write ends the failure */
            job.task.run = fill;
        ck_assert_int_eq(recovered_told, 0);
        ck_assert(writer_post(writer, &job.task));
        ck_assert_int_eq(outcome_of(&job),
                         job.result == SQLITE_OK ? WRITER_DURABLE : WRITER_FAILED);
    }
    writer_close(&writer);
    ck_assert_int_eq(failed_told, 1);
    ck_assert_int_eq(recovered_told, 1);
    ck_assert_int_eq(fatal_told, 0);
    db_close(&db);
}
END_TEST

START_TEST(after_a_failed_sync_nothing_is_written_any_more)
{
    struct db *db = open_store();
    struct writer *writer = open_journal(db, 10000);
    struct job failing = job_of(SQLITE_IOERR_FSYNC), next = job_of(SQLITE_OK);

    ck_assert(writer_post(writer, &failing.task));
    ck_assert_int_eq(outcome_of(&failing), WRITER_FAILED);
    ck_assert(!writer_post(writer, &next.task));
    writer_close(&writer);
    ck_assert_int_eq(fatal_told, 1);
    ck_assert_int_eq(failed_told, 0);
    db_close(&db);
}
END_TEST

START_TEST(what_is_queued_is_written_before_the_journal_is_closed)
{
    struct db *db = open_store();
    struct writer *writer = open_journal(db, SIZE_MAX);
    static struct job jobs[1000];

    for (int i = 0; i < COUNT(jobs); i++) {
        jobs[i] = job_of(SQLITE_OK);
        ck_assert(writer_post(writer, &jobs[i].task));
    }
    writer_close(&writer);
    for (int i = 0; i < COUNT(jobs); i++)
        ck_assert_int_eq(jobs[i].outcome, WRITER_DURABLE);
    db_close(&db);
}
END_TEST

/* ---- checkpoint */

static void on_checkpoint_failed(void *data, int code, const char *text)
{
    (void)data, (void)code;
    ck_abort_msg("%s", text);
}

/* Returns the number of copied pages. */
static int copy(struct checkpoint *checkpoint)
{
    int copied;

    checkpoint_begin(checkpoint);
    while (!checkpoint_take_done(checkpoint, &copied))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return copied;
}

START_TEST(a_checkpoint_tells_what_it_has_copied_and_that_is_little_while_somebody_reads)
{
    struct db *db = open_store(), *reader;
    struct checkpoint_options options = {store_file, NULL, on_checkpoint_failed};
    struct checkpoint *checkpoint = checkpoint_open(&options);

    execute(db, "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0");
    execute(db, "CREATE TABLE filler(bytes)");
    ck_assert_ptr_nonnull(reader = db_open(store_file, DB_READ, why));
    execute(reader, "BEGIN");
    ck_assert_int_eq(ask(reader, "SELECT count(*) FROM filler"), 0);
    execute(db, "INSERT INTO filler VALUES (zeroblob(4000000))");
    ck_assert_int_lt(copy(checkpoint), 100);
    execute(reader, "COMMIT");
    ck_assert_int_gt(copy(checkpoint), 900);
    ck_assert_int_eq(checkpoint_running_us(checkpoint), 0);
    checkpoint_close(&checkpoint);
    db_close(&reader);
    db_close(&db);
}
END_TEST

/* Replaces libc's fsync, for SQLite, too. */
static atomic_int syncs;

int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

START_TEST(while_somebody_reads_the_disk_does_not_sync_for_nothing)
{
    struct db *db = filled = open_store(), *reader;
    struct writer *writer;
    int64_t begun_us = clock_mono_us();

    execute(db, "PRAGMA synchronous=OFF; CREATE TABLE filler(bytes)");
    ck_assert_ptr_nonnull(reader = db_open(store_file, DB_READ, why));
    execute(reader, "BEGIN");
    ck_assert_int_eq(ask(reader, "SELECT count(*) FROM filler"), 0);
    writer = open_journal(db, SIZE_MAX);
    for (int i = 0; i < 1000; i++) { /* 25 pages each */
        struct job job = job_of(SQLITE_OK);

        job.task.run = fill;
        ck_assert(writer_post(writer, &job.task));
        ck_assert_int_eq(outcome_of(&job), WRITER_DURABLE);
    }
    ck_assert_int_lt(atomic_load(&syncs), 20 + (clock_mono_us() - begun_us) / 100000);
    writer_close(&writer);
    db_close(&reader);
    db_close(&db);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("journal");
    TCase *tc = tcase_create("journal");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, what_is_old_and_done_goes_and_nothing_else);
    tcase_add_test(tc, the_newest_delivery_stays_so_that_its_number_is_never_used_again);
    tcase_add_test(tc, a_store_that_is_too_large_gives_up_the_oldest);
    tcase_add_test(tc, a_clock_that_was_ahead_holds_up_no_deletion);
    tcase_add_test(tc, a_store_that_is_filled_by_deliveries_in_use_grows_and_says_so_once);
    tcase_add_test(tc, a_full_queue_takes_no_more_at_once);
    tcase_add_test(tc, a_failure_is_told_once_and_so_is_its_end);
    tcase_add_test(tc, after_a_failed_sync_nothing_is_written_any_more);
    tcase_add_test(tc, what_is_queued_is_written_before_the_journal_is_closed);
    tcase_add_test(tc,
                   a_checkpoint_tells_what_it_has_copied_and_that_is_little_while_somebody_reads);
    tcase_add_test(tc, while_somebody_reads_the_disk_does_not_sync_for_nothing);
    suite_add_tcase(s, tc);
    return s;
}
