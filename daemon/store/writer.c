/* SPDX-License-Identifier: MIT */
#include "daemon/store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/damage.h"
#include "daemon/store/db.h"

enum {
    TRANSACTION_BYTES = 8 << 20, /* limit of one transaction; the rest of the queue waits */
    CHECKPOINT_PAGES = 4000,
    REST_PAGES = 8000, /* 32 MB: copying more would stall the writer */
    IDLE_US = 1000000, /* between two housekeeping steps */
    IDLE_PAGES = 1000, /* 4 MB: an idle writer leaves more to the checkpoint thread */
    STUCK_US = 1000000,
};

/* A larger WAL is made small once its pages are copied. */
static const int64_t writer_wal_bytes = 4 << 20;

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
    pthread_mutex_t mutex; /* a leaf lock; guards the members below */
    pthread_cond_t queued;
    struct writer_queue queue;
    bool waiting, closing, ended;
    struct writer_stats stats;
    /* writer thread only */
    int wal_pages; /* current size of the WAL */
    int copied;    /* pages copied by the last checkpoint */
    int64_t step_at_us, checkpoint_at_us;
    uint64_t commits_seen; /* by the last housekeeping step */
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

/* Moves the tasks of one transaction, at least one, from `from` to `to`. */
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
    struct writer *writer = data;

    (void)sqlite, (void)name;
    writer->wal_pages = pages;
    return SQLITE_OK;
}

static void writer_roll_back(struct writer *writer)
{
    /* SQLite rolls back by itself on some errors. */
    if (!sqlite3_get_autocommit(db_sqlite(writer->db)))
        db_run(writer->rollback);
}

static int writer_run_tasks(struct writer *writer, const struct writer_queue *batch)
{
    int code = db_run(writer->begin);

    for (struct writer_task *t = batch->first; t != NULL && code == SQLITE_OK; t = t->next)
        code = t->run(t);
    if (code == SQLITE_OK)
        code = writer->options.before_commit(writer->options.data);
    if (code == SQLITE_OK)
        code = db_run(writer->commit);
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

static void writer_end(struct writer *writer, const char *why)
{
    pthread_mutex_lock(&writer->mutex);
    writer->ended = true;
    pthread_mutex_unlock(&writer->mutex);
    writer->options.fatal(writer->options.data, why);
}

/* Reports only the first failure of a series. */
static void writer_fail(void *data, int code, const char *why)
{
    struct writer *writer = data;
    bool turned;

    pthread_mutex_lock(&writer->mutex);
    turned = writer->stats.healthy;
    writer->stats.healthy = false;
    writer->stats.failed_commits++;
    pthread_mutex_unlock(&writer->mutex);
    if (writer_is_fatal(code))
        writer_end(writer, why);
    else if (turned)
        writer->options.failed(writer->options.data, why);
}

static void writer_fail_code(struct writer *writer, int code)
{
    char why[DB_WHY_SIZE];

    db_error_text(writer->db, code, why);
    writer_fail(writer, code, why);
}

/* A commit without changes does not prove health: it succeeds on a full disk, too. */
static void writer_note_success(struct writer *writer, size_t tasks, int64_t took_us, bool changed)
{
    size_t bucket = 0;
    bool turned;

    while (took_us > WRITER_BUCKETS_US[bucket])
        bucket++;
    pthread_mutex_lock(&writer->mutex);
    turned = changed && !writer->stats.healthy;
    writer->stats.healthy = writer->stats.healthy || changed;
    writer->stats.tasks += tasks;
    writer->stats.commits++;
    writer->stats.commit_us += (uint64_t)took_us;
    writer->stats.commit_buckets[bucket]++;
    pthread_mutex_unlock(&writer->mutex);
    if (turned)
        writer->options.recovered(writer->options.data);
}

/* ---- the files at the path */

/* Saves committed pages whose WAL no other process can read. */
static bool writer_rescue_wal(struct writer *writer)
{
    return sqlite3_wal_checkpoint_v2(db_sqlite(writer->db), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                     NULL) == SQLITE_OK &&
           db_sync(writer->db) == SQLITE_OK;
}

/* Brings the files into a state that the next start can open; says so in `done`, for free(). */
static char *writer_settle_files(struct writer *writer, enum sqlite_place_finding finding)
{
    char *moved = NULL, *done = NULL;
    int len = 0;

    /* A file that is cut may be half of a copy that replaces it. */
    if (finding < SQLITE_PLACE_WAL_GONE)
        moved = sqlite_place_set_aside(db_place(writer->db));
    if (moved != NULL)
        len = asprintf(&done, "; the -wal of the open file is now %s", moved);
    else if (finding == SQLITE_PLACE_WAL_GONE && writer_rescue_wal(writer))
        len = asprintf(&done, "; its deliveries were copied into the file");
    free(moved);
    return len < 0 ? NULL : done;
}

/* Stops all writes until a restart: an open file cannot be exchanged. */
static void writer_on_displaced(struct writer *writer, enum sqlite_place_finding finding)
{
    char *done = writer_settle_files(writer, finding), *why = NULL;

    pthread_mutex_lock(&writer->mutex);
    writer->ended = true;
    writer->stats.healthy = false;
    writer->stats.displaced = sqlite_place_text(finding);
    pthread_mutex_unlock(&writer->mutex);
    if (asprintf(&why, "%s: %s%s; put the right files there and restart hooklined",
                 db_path(writer->db), sqlite_place_text(finding), done == NULL ? "" : done) < 0)
        why = NULL;
    writer->options.failed(writer->options.data, why == NULL ? sqlite_place_text(finding) : why);
    free(why);
    free(done);
}

static bool writer_has_its_files(struct writer *writer)
{
    enum sqlite_place_finding finding = sqlite_place_check(db_place(writer->db));

    if (finding != SQLITE_PLACE_GOOD)
        writer_on_displaced(writer, finding);
    return finding == SQLITE_PLACE_GOOD;
}

/* ---- commit */

/* Checks the files before the commit, so that nothing reaches a wrong place, and afterwards,
 * because only then a sender may be answered. */
static int writer_run_checked(struct writer *writer, const struct writer_queue *batch)
{
    int code =
        writer_has_its_files(writer) ? writer_run_tasks(writer, batch) : SQLITE_READONLY_DBMOVED;

    return code == SQLITE_OK && !writer_has_its_files(writer) ? SQLITE_READONLY_DBMOVED : code;
}

static size_t writer_count_tasks(const struct writer_queue *batch)
{
    size_t count = 0;

    for (const struct writer_task *t = batch->first; t != NULL; t = t->next)
        count++;
    return count;
}

static void writer_end_transaction(struct writer *writer, const struct writer_queue *batch,
                                   enum writer_outcome outcome)
{
    if (outcome == WRITER_FAILED)
        writer_roll_back(writer);
    writer->options.after(writer->options.data, outcome);
    writer_notify_all(batch, outcome);
}

/* Commits one transaction; returns SQLite's code. The caller ends a failed one. */
static int writer_try_batch(struct writer *writer, const struct writer_queue *batch)
{
    int before = sqlite3_total_changes(db_sqlite(writer->db));
    int64_t begun_us = clock_mono_us();
    int code = writer_run_checked(writer, batch);

    if (code == SQLITE_OK) {
        writer_note_success(writer, writer_count_tasks(batch), clock_mono_us() - begun_us,
                            sqlite3_total_changes(db_sqlite(writer->db)) != before);
        writer_end_transaction(writer, batch, WRITER_DURABLE);
    }
    return code;
}

static void writer_note_damage(struct writer *writer, int code)
{
    char why[DB_WHY_SIZE];
    bool known;

    pthread_mutex_lock(&writer->mutex);
    known = writer->stats.damaged;
    writer->stats.damaged = true;
    pthread_mutex_unlock(&writer->mutex);
    db_error_text(writer->db, code, why);
    if (!known)
        writer->options.damaged(writer->options.data, why);
}

/* Gives each task its own transaction, so that a damaged page fails only tasks that need it. */
static void writer_commit_each(struct writer *writer, struct writer_queue *batch)
{
    int failure = SQLITE_OK;
    bool any = false;

    while (batch->first != NULL) {
        struct writer_task *task = batch->first;
        struct writer_queue one;
        int code;

        batch->first = task->next;
        writer_queue_init(&one);
        writer_queue_put(&one, task);
        if ((code = writer_try_batch(writer, &one)) == SQLITE_OK) {
            any = true;
            continue;
        }
        failure = code;
        writer_end_transaction(writer, &one, WRITER_FAILED);
    }
    if (any && damage_is(failure))
        writer_note_damage(writer, failure);
    else if (failure != SQLITE_OK)
        writer_fail_code(writer, failure);
}

static void writer_commit_batch(struct writer *writer, struct writer_queue *batch)
{
    int code = writer_try_batch(writer, batch);

    if (code == SQLITE_OK)
        return;
    if (damage_is(code) && batch->first->next != NULL) {
        writer_roll_back(writer);
        writer->options.after(writer->options.data, WRITER_FAILED);
        writer_commit_each(writer, batch);
        return;
    }
    writer_fail_code(writer, code);
    writer_end_transaction(writer, batch, WRITER_FAILED);
}

static bool writer_has_ended(struct writer *writer)
{
    bool ended;

    pthread_mutex_lock(&writer->mutex);
    ended = writer->ended;
    pthread_mutex_unlock(&writer->mutex);
    return ended;
}

/* Delays the next checkpoint if this one copied nothing new: an open reader's snapshot blocks
 * copying, and each try would cost a sync. */
static void writer_note_checkpoint(struct writer *writer, int copied)
{
    if (copied == writer->copied)
        writer->checkpoint_at_us = clock_mono_us() + STUCK_US;
    writer->copied = copied;
}

/* Copies the pages written during the checkpoint. Once all are copied, SQLite restarts the WAL at
 * its beginning. */
static void writer_finish_checkpoint(struct writer *writer)
{
    int code = sqlite3_wal_checkpoint_v2(db_sqlite(writer->db), NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         NULL, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        writer_fail_code(writer, sqlite3_extended_errcode(db_sqlite(writer->db)));
    writer->wal_pages = 0;
}

/* Replaces SQLite's auto-checkpoint, which runs inside a commit and hides its errors. The
 * checkpoint thread copies most pages, and the writer the rest. If the WAL grew a lot meanwhile,
 * start another checkpoint instead. */
static void writer_limit_wal(struct writer *writer)
{
    int copied;
    bool done = checkpoint_take_done(writer->checkpoint, &copied);

    /* The checkpoint thread may have failed; checkpointing here would hide its lost pages. */
    if (writer_has_ended(writer))
        return;
    if (done)
        writer_note_checkpoint(writer, copied);
    if (done && writer->wal_pages - copied <= REST_PAGES)
        writer_finish_checkpoint(writer);
    else if (writer->wal_pages >= CHECKPOINT_PAGES && clock_mono_us() >= writer->checkpoint_at_us)
        checkpoint_begin(writer->checkpoint);
}

/* SQLite reuses the WAL and never makes it smaller, so it stays as large as an open reader once
 * made it. Makes it small when few pages are left to copy. */
static void writer_shrink_wal(struct writer *writer)
{
    sqlite3 *sqlite = db_sqlite(writer->db);
    bool idle = writer->commits_seen == writer->stats.commits;
    struct sqlite_place_wal wal;
    int code;

    writer->commits_seen = writer->stats.commits;
    if (!sqlite_place_wal(db_place(writer->db), &wal) || wal.bytes <= writer_wal_bytes)
        return;
    if (idle && wal.frames > IDLE_PAGES) {
        checkpoint_begin(writer->checkpoint);
    } else if (wal.frames <= IDLE_PAGES && (idle || wal.used_bytes < wal.bytes / 4)) {
        sqlite3_busy_timeout(sqlite, 0);
        code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(sqlite, DB_BUSY_MS);
        if (code != SQLITE_OK && code != SQLITE_BUSY)
            writer_fail_code(writer, sqlite3_extended_errcode(sqlite));
    }
}

/* Runs one step in its own transaction. Returns true if more work is left. */
static bool writer_housekeep(struct writer *writer)
{
    int code = db_run(writer->begin), done = SQLITE_DONE;

    if (code == SQLITE_OK)
        code = done = writer->options.step(writer->options.data);
    if (code == SQLITE_ROW)
        code = db_run(writer->commit);
    if (damage_is(code))
        writer_note_damage(writer, code);
    else if (code != SQLITE_OK && code != SQLITE_DONE)
        writer_fail_code(writer, code);
    if (code != SQLITE_OK)
        writer_roll_back(writer);
    writer->options.after(writer->options.data, code == SQLITE_OK ? WRITER_DURABLE : WRITER_FAILED);
    return code == SQLITE_OK && done == SQLITE_ROW;
}

static void writer_wait_for_tasks(struct writer *writer)
{
    int64_t until_us = writer->step_at_us;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    writer->waiting = true;
    while (writer->queue.first == NULL && !writer->closing &&
           pthread_cond_timedwait(&writer->queued, &writer->mutex, &until) == 0)
        ;
    writer->waiting = false;
}

static void writer_serve_batch(struct writer *writer, struct writer_queue *batch)
{
    if (writer_has_ended(writer)) {
        writer_notify_all(batch, WRITER_FAILED);
        writer->step_at_us = INT64_MAX; /* no housekeeping after a fatal error */
        return;
    }
    if (batch->first != NULL)
        writer_commit_batch(writer, batch);
    if (!writer_has_ended(writer))
        writer_limit_wal(writer);
    if (!writer_has_ended(writer) && clock_mono_us() >= writer->step_at_us &&
        writer_has_its_files(writer) && !writer_housekeep(writer)) {
        writer_shrink_wal(writer);
        writer->step_at_us = clock_mono_us() + IDLE_US;
    }
}

static void *writer_run(void *data)
{
    struct writer *writer = data;
    struct writer_queue batch;
    bool last;

    do {
        pthread_mutex_lock(&writer->mutex);
        if (writer->queue.first == NULL && !writer->closing)
            writer_wait_for_tasks(writer);
        writer_queue_take(&writer->queue, &batch);
        last = writer->closing && writer->queue.first == NULL;
        pthread_mutex_unlock(&writer->mutex);
        writer_serve_batch(writer, &batch);
        heartbeat_beat(writer->heartbeat);
    } while (!last);
    return NULL;
}

static void writer_prepare(struct writer *writer)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&writer->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->queued, &attributes);
    pthread_condattr_destroy(&attributes);
    writer_queue_init(&writer->queue);
    writer->heartbeat = heartbeat_begin(writer->options.heartbeats, "the writer thread");
    writer->stats.healthy = true;
    writer->step_at_us = clock_mono_us() + IDLE_US;
    sqlite3_wal_hook(db_sqlite(writer->db), writer_on_wal_growth, writer);
}

static void writer_free(struct writer **writer)
{
    struct writer *w = *writer;

    checkpoint_close(&w->checkpoint);
    if (w->ended)
        db_keep_wal(w->db);
    heartbeat_end(w->heartbeat);
    pthread_cond_destroy(&w->queued);
    pthread_mutex_destroy(&w->mutex);
    free(w);
    *writer = NULL;
}

static bool writer_start(struct writer *writer)
{
    struct checkpoint_options checkpoint = {db_path(writer->db), writer, writer_fail};

    if ((writer->checkpoint = checkpoint_open(&checkpoint)) == NULL)
        return false;
    errno = ENOMEM;
    return db_prepare(writer->db, &writer->begin, "BEGIN IMMEDIATE") == SQLITE_OK &&
           db_prepare(writer->db, &writer->commit, "COMMIT") == SQLITE_OK &&
           db_prepare(writer->db, &writer->rollback, "ROLLBACK") == SQLITE_OK &&
           (errno = pthread_create(&writer->thread, NULL, writer_run, writer)) == 0;
}

struct writer *writer_open(struct db *db, const struct writer_options *options)
{
    struct writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return NULL;
    writer->db = db;
    writer->options = *options;
    writer_prepare(writer);
    if (!writer_start(writer)) {
        int saved = errno;

        writer_free(&writer);
        errno = saved;
    }
    return writer;
}

void writer_close(struct writer **writer)
{
    struct writer *w = *writer;

    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->closing = true;
    pthread_cond_signal(&w->queued);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    writer_free(writer);
}

static bool writer_has_room(const struct writer *writer, const struct writer_task *task)
{
    return writer->queue.first == NULL ||
           writer->queue.bytes + task->bytes <= writer->options.queue_bytes;
}

struct writer_task *writer_post_all(struct writer *writer, struct writer_task *task)
{
    pthread_mutex_lock(&writer->mutex);
    while (task != NULL && !writer->ended && writer_has_room(writer, task)) {
        struct writer_task *next = task->next;

        writer_queue_put(&writer->queue, task);
        task = next;
    }
    if (writer->waiting)
        pthread_cond_signal(&writer->queued);
    pthread_mutex_unlock(&writer->mutex);
    return task;
}

bool writer_post(struct writer *writer, struct writer_task *task)
{
    task->next = NULL;
    return writer_post_all(writer, task) == NULL;
}

void writer_stats(struct writer *writer, struct writer_stats *stats)
{
    pthread_mutex_lock(&writer->mutex);
    *stats = writer->stats;
    stats->queued_bytes = writer->queue.bytes;
    pthread_mutex_unlock(&writer->mutex);
    stats->checkpointing_us = checkpoint_running_us(writer->checkpoint);
}
