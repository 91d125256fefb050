/* SPDX-License-Identifier: MIT */
#include "daemon/store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/store/checkpoint.h"
#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/store/db.h"

enum {
    TRANSACTION_BYTES = 8 << 20, /* what is queued beyond waits for the next one */
    CHECKPOINT_PAGES = 4000,
    REST_PAGES = 8000, /* 32 MB: to copy so many holds up the journal for a moment */
    IDLE_US = 1000000, /* between two looks for housekeeping */
    STUCK_US = 1000000,
};

const int64_t WRITER_BUCKETS_US[8] = {250, 500, 1000, 2500, 10000, 100000, 1000000, INT64_MAX};

struct writer_queue {
    struct writer_task *first, **end;
    size_t bytes;
};

struct writer {
    struct db *db;
    struct writer_options options;
    sqlite3_stmt *begin, *commit, *rollback;
    struct checkpoint *checkpoint;
    struct heartbeat *heartbeat;
    pthread_t thread;
    pthread_mutex_t mutex; /* a leaf; guards what follows */
    pthread_cond_t queued;
    struct writer_queue queue;
    bool waiting, closing, ended;
    struct writer_stats stats;
    /* the thread's own */
    int wal_pages; /* of the write-ahead log */
    int copied;    /* of them, by the last checkpoint */
    int64_t step_at_us, checkpoint_at_us;
};

static void writer_queue_init(struct writer_queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->bytes = 0;
}

static void writer_queue_put(struct writer_queue *q, struct writer_task *task)
{
    task->next = NULL;
    *q->end = task;
    q->end = &task->next;
    q->bytes += task->bytes;
}

/* What one transaction takes, at least one task; the rest stays. */
static void writer_queue_take(struct writer_queue *from, struct writer_queue *to)
{
    writer_queue_init(to);
    while (from->first != NULL &&
           (to->first == NULL || to->bytes + from->first->bytes <= TRANSACTION_BYTES)) {
        struct writer_task *task = from->first;

        from->first = task->next;
        from->bytes -= task->bytes;
        writer_queue_put(to, task);
    }
    if (from->first == NULL)
        writer_queue_init(from);
}

static int writer_on_wal_growth(void *data, sqlite3 *sqlite, const char *name, int pages)
{
    struct writer *j = data;

    (void)sqlite, (void)name;
    j->wal_pages = pages;
    return SQLITE_OK;
}

static void writer_roll_back(struct writer *j)
{
    /* Some errors have done so already. */
    if (!sqlite3_get_autocommit(db_sqlite(j->db)))
        db_run(j->rollback);
}

static int writer_run_tasks(struct writer *j, const struct writer_queue *batch)
{
    int code = db_run(j->begin);

    for (struct writer_task *t = batch->first; t != NULL && code == SQLITE_OK; t = t->next)
        code = t->run(t);
    if (code == SQLITE_OK)
        code = j->options.before_commit(j->options.data);
    if (code == SQLITE_OK)
        code = db_run(j->commit);
    return code;
}

static void writer_notify_all(const struct writer_queue *batch, enum writer_outcome outcome)
{
    for (struct writer_task *t = batch->first, *next; t != NULL; t = next) {
        next = t->next;
        t->done(t, outcome);
    }
}

static bool writer_is_fatal(int code)
{
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static void writer_end(struct writer *j, const char *why)
{
    pthread_mutex_lock(&j->mutex);
    j->ended = true;
    pthread_mutex_unlock(&j->mutex);
    j->options.fatal(j->options.data, why);
}

/* The administrator is told when things turn. */
static void writer_fail(void *data, int code, const char *why)
{
    struct writer *j = data;
    bool turned;

    pthread_mutex_lock(&j->mutex);
    turned = j->stats.healthy;
    j->stats.healthy = false;
    j->stats.failed_commits++;
    pthread_mutex_unlock(&j->mutex);
    if (writer_is_fatal(code))
        writer_end(j, why);
    else if (turned)
        j->options.failed(j->options.data, why);
}

static void writer_fail_code(struct writer *j, int code)
{
    char why[DB_WHY_SIZE];

    db_error_text(j->db, code, why);
    writer_fail(j, code, why);
}

/* A transaction that changes nothing succeeds on a full disk, too. */
static void writer_note_success(struct writer *j, size_t tasks, int64_t took_us, bool changed)
{
    size_t bucket = 0;
    bool turned;

    while (took_us > WRITER_BUCKETS_US[bucket])
        bucket++;
    pthread_mutex_lock(&j->mutex);
    turned = changed && !j->stats.healthy;
    j->stats.healthy = j->stats.healthy || changed;
    j->stats.tasks += tasks;
    j->stats.commits++;
    j->stats.commit_us += (uint64_t)took_us;
    j->stats.commit_buckets[bucket]++;
    pthread_mutex_unlock(&j->mutex);
    if (turned)
        j->options.recovered(j->options.data);
}

static size_t writer_count_tasks(const struct writer_queue *batch)
{
    size_t count = 0;

    for (const struct writer_task *t = batch->first; t != NULL; t = t->next)
        count++;
    return count;
}

static void writer_commit_batch(struct writer *j, const struct writer_queue *batch)
{
    int before = sqlite3_total_changes(db_sqlite(j->db));
    int64_t begun_us = clock_mono_us();
    int code = writer_run_tasks(j, batch);
    enum writer_outcome outcome = code == SQLITE_OK ? WRITER_DURABLE : WRITER_FAILED;

    if (code == SQLITE_OK) {
        writer_note_success(j, writer_count_tasks(batch), clock_mono_us() - begun_us,
                            sqlite3_total_changes(db_sqlite(j->db)) != before);
    } else {
        writer_fail_code(j, code);
        writer_roll_back(j);
    }
    j->options.after(j->options.data, outcome);
    writer_notify_all(batch, outcome);
}

static bool writer_has_ended(struct writer *j)
{
    bool ended;

    pthread_mutex_lock(&j->mutex);
    ended = j->ended;
    pthread_mutex_unlock(&j->mutex);
    return ended;
}

/* While somebody reads what was there before nothing can be copied, and each attempt would have the
 * disk sync once more. */
static void writer_note_checkpoint(struct writer *j, int copied)
{
    if (copied == j->copied)
        j->checkpoint_at_us = clock_mono_us() + STUCK_US;
    j->copied = copied;
}

/* What was written since the checkpoint. With that, the log begins anew. */
static void writer_finish_checkpoint(struct writer *j)
{
    int code =
        sqlite3_wal_checkpoint_v2(db_sqlite(j->db), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        writer_fail_code(j, sqlite3_extended_errcode(db_sqlite(j->db)));
    j->wal_pages = 0;
}

/* SQLite would do so by itself, inside of a commit and without a word if it fails. Most of it is
 * done in another thread, and the rest here. It is much if that thread took long, or somebody had
 * read the store for long: then once more. */
static void writer_limit_wal(struct writer *j)
{
    int copied;
    bool done = checkpoint_take_done(j->checkpoint, &copied);

    /* By that thread, perhaps: what it could not sync, the next one here would not look at. */
    if (writer_has_ended(j))
        return;
    if (done)
        writer_note_checkpoint(j, copied);
    if (done && j->wal_pages - copied <= REST_PAGES)
        writer_finish_checkpoint(j);
    else if (j->wal_pages >= CHECKPOINT_PAGES && clock_mono_us() >= j->checkpoint_at_us)
        checkpoint_begin(j->checkpoint);
}

/* One step in a transaction of its own. True if there is more to do. */
static bool writer_housekeep(struct writer *j)
{
    int code = db_run(j->begin), done = SQLITE_DONE;

    if (code == SQLITE_OK)
        code = done = j->options.step(j->options.data);
    if (code == SQLITE_ROW)
        code = db_run(j->commit);
    if (code != SQLITE_OK && code != SQLITE_DONE)
        writer_fail_code(j, code);
    if (code != SQLITE_OK)
        writer_roll_back(j);
    j->options.after(j->options.data, code == SQLITE_OK ? WRITER_DURABLE : WRITER_FAILED);
    return code == SQLITE_OK && done == SQLITE_ROW;
}

static void writer_wait_for_tasks(struct writer *j)
{
    int64_t until_us = j->step_at_us;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    j->waiting = true;
    while (j->queue.first == NULL && !j->closing &&
           pthread_cond_timedwait(&j->queued, &j->mutex, &until) == 0)
        ;
    j->waiting = false;
}

static void writer_serve_batch(struct writer *j, const struct writer_queue *batch)
{
    if (writer_has_ended(j)) {
        writer_notify_all(batch, WRITER_FAILED);
        j->step_at_us = INT64_MAX; /* there is nothing to wake up for */
        return;
    }
    if (batch->first != NULL)
        writer_commit_batch(j, batch);
    if (!writer_has_ended(j))
        writer_limit_wal(j);
    if (!writer_has_ended(j) && clock_mono_us() >= j->step_at_us && !writer_housekeep(j))
        j->step_at_us = clock_mono_us() + IDLE_US;
}

static void *writer_run(void *data)
{
    struct writer *j = data;
    struct writer_queue batch;
    bool last;

    do {
        pthread_mutex_lock(&j->mutex);
        if (j->queue.first == NULL && !j->closing)
            writer_wait_for_tasks(j);
        writer_queue_take(&j->queue, &batch);
        last = j->closing && j->queue.first == NULL;
        pthread_mutex_unlock(&j->mutex);
        writer_serve_batch(j, &batch);
        heartbeat_beat(j->heartbeat);
    } while (!last);
    return NULL;
}

static void writer_prepare(struct writer *j)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&j->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&j->queued, &attributes);
    pthread_condattr_destroy(&attributes);
    writer_queue_init(&j->queue);
    j->heartbeat = heartbeat_begin(j->options.heartbeats, "the journal's thread");
    j->stats.healthy = true;
    j->step_at_us = clock_mono_us() + IDLE_US;
    sqlite3_wal_hook(db_sqlite(j->db), writer_on_wal_growth, j);
}

static void writer_free(struct writer **writer)
{
    struct writer *j = *writer;

    checkpoint_close(&j->checkpoint);
    if (j->ended)
        db_keep_wal(j->db);
    heartbeat_end(j->heartbeat);
    pthread_cond_destroy(&j->queued);
    pthread_mutex_destroy(&j->mutex);
    free(j);
    *writer = NULL;
}

static bool writer_start(struct writer *j)
{
    struct checkpoint_options checkpoint = {db_path(j->db), j, writer_fail};

    if ((j->checkpoint = checkpoint_open(&checkpoint)) == NULL)
        return false;
    errno = ENOMEM;
    return db_prepare(j->db, &j->begin, "BEGIN IMMEDIATE") == SQLITE_OK &&
           db_prepare(j->db, &j->commit, "COMMIT") == SQLITE_OK &&
           db_prepare(j->db, &j->rollback, "ROLLBACK") == SQLITE_OK &&
           (errno = pthread_create(&j->thread, NULL, writer_run, j)) == 0;
}

struct writer *writer_open(struct db *db, const struct writer_options *options)
{
    struct writer *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return NULL;
    j->db = db;
    j->options = *options;
    writer_prepare(j);
    if (!writer_start(j)) {
        int saved = errno;

        writer_free(&j);
        errno = saved;
    }
    return j;
}

void writer_close(struct writer **writer)
{
    struct writer *j = *writer;

    if (j == NULL)
        return;
    pthread_mutex_lock(&j->mutex);
    j->closing = true;
    pthread_cond_signal(&j->queued);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->thread, NULL);
    writer_free(writer);
}

static bool writer_has_room(const struct writer *j, const struct writer_task *task)
{
    return j->queue.first == NULL || j->queue.bytes + task->bytes <= j->options.queue_bytes;
}

struct writer_task *writer_post_all(struct writer *j, struct writer_task *task)
{
    pthread_mutex_lock(&j->mutex);
    while (task != NULL && !j->ended && writer_has_room(j, task)) {
        struct writer_task *next = task->next;

        writer_queue_put(&j->queue, task);
        task = next;
    }
    if (j->waiting)
        pthread_cond_signal(&j->queued);
    pthread_mutex_unlock(&j->mutex);
    return task;
}

bool writer_post(struct writer *j, struct writer_task *task)
{
    task->next = NULL;
    return writer_post_all(j, task) == NULL;
}

void writer_stats(struct writer *j, struct writer_stats *stats)
{
    pthread_mutex_lock(&j->mutex);
    *stats = j->stats;
    stats->queued_bytes = j->queue.bytes;
    pthread_mutex_unlock(&j->mutex);
    stats->checkpointing_us = checkpoint_running_us(j->checkpoint);
}
