/* SPDX-License-Identifier: MIT */
#include "daemon/store/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/store/checkpoint.h"
#include "daemon/base/clock.h"
#include "daemon/base/pulse.h"
#include "daemon/store/store.h"

enum {
    TRANSACTION_BYTES = 8 << 20, /* what is queued beyond waits for the next one */
    CHECKPOINT_PAGES = 4000,
    REST_PAGES = 8000, /* 32 MB: to copy so many holds up the journal for a moment */
    IDLE_US = 1000000, /* between two looks for housekeeping */
    STUCK_US = 1000000,
};

const int64_t JOURNAL_BUCKETS_US[8] = {250, 500, 1000, 2500, 10000, 100000, 1000000, INT64_MAX};

struct queue {
    struct journal_task *first, **end;
    size_t bytes;
};

struct journal {
    struct store *store;
    struct journal_options options;
    sqlite3_stmt *begin, *commit, *rollback;
    struct checkpoint *checkpoint;
    struct pulse *pulse;
    pthread_t thread;
    pthread_mutex_t mutex; /* a leaf; guards what follows */
    pthread_cond_t queued;
    struct queue queue;
    bool waiting, closing, ended;
    struct journal_stats stats;
    /* the thread's own */
    int log_pages; /* of the write-ahead log */
    int copied;    /* of them, by the last checkpoint */
    int64_t step_at_us, checkpoint_at_us;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->bytes = 0;
}

static void queue_put(struct queue *q, struct journal_task *task)
{
    task->next = NULL;
    *q->end = task;
    q->end = &task->next;
    q->bytes += task->bytes;
}

/* What one transaction takes, at least one task; the rest stays. */
static void queue_take(struct queue *from, struct queue *to)
{
    queue_init(to);
    while (from->first != NULL &&
           (to->first == NULL || to->bytes + from->first->bytes <= TRANSACTION_BYTES)) {
        struct journal_task *task = from->first;

        from->first = task->next;
        from->bytes -= task->bytes;
        queue_put(to, task);
    }
    if (from->first == NULL)
        queue_init(from);
}

static int on_log_growth(void *data, sqlite3 *db, const char *name, int pages)
{
    struct journal *j = data;

    (void)db, (void)name;
    j->log_pages = pages;
    return SQLITE_OK;
}

static void roll_back(struct journal *j)
{
    /* Some errors have done so already. */
    if (!sqlite3_get_autocommit(store_db(j->store)))
        store_run(j->rollback);
}

static int run_tasks(struct journal *j, const struct queue *batch)
{
    int code = store_run(j->begin);

    for (struct journal_task *t = batch->first; t != NULL && code == SQLITE_OK; t = t->next)
        code = t->run(t);
    if (code == SQLITE_OK)
        code = j->options.before_commit(j->options.data);
    if (code == SQLITE_OK)
        code = store_run(j->commit);
    return code;
}

static void tell_all(const struct queue *batch, enum journal_outcome outcome)
{
    for (struct journal_task *t = batch->first, *next; t != NULL; t = next) {
        next = t->next;
        t->done(t, outcome);
    }
}

static bool is_fatal(int code)
{
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static void end(struct journal *j, const char *why)
{
    pthread_mutex_lock(&j->mutex);
    j->ended = true;
    pthread_mutex_unlock(&j->mutex);
    j->options.fatal(j->options.data, why);
}

/* The administrator is told when things turn. */
static void fail(void *data, int code, const char *why)
{
    struct journal *j = data;
    bool turned;

    pthread_mutex_lock(&j->mutex);
    turned = j->stats.healthy;
    j->stats.healthy = false;
    j->stats.failed_commits++;
    pthread_mutex_unlock(&j->mutex);
    if (is_fatal(code))
        end(j, why);
    else if (turned)
        j->options.failed(j->options.data, why);
}

static void fail_store(struct journal *j, int code)
{
    char why[STORE_WHY_SIZE];

    store_why(j->store, code, why);
    fail(j, code, why);
}

/* A transaction that changes nothing succeeds on a full disk, too. */
static void succeed(struct journal *j, size_t tasks, int64_t took_us, bool changed)
{
    size_t bucket = 0;
    bool turned;

    while (took_us > JOURNAL_BUCKETS_US[bucket])
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

static size_t count_tasks(const struct queue *batch)
{
    size_t count = 0;

    for (const struct journal_task *t = batch->first; t != NULL; t = t->next)
        count++;
    return count;
}

static void commit_batch(struct journal *j, const struct queue *batch)
{
    int before = sqlite3_total_changes(store_db(j->store));
    int64_t begun_us = clock_mono_us();
    int code = run_tasks(j, batch);
    enum journal_outcome outcome = code == SQLITE_OK ? JOURNAL_DURABLE : JOURNAL_FAILED;

    if (code == SQLITE_OK) {
        succeed(j, count_tasks(batch), clock_mono_us() - begun_us,
                sqlite3_total_changes(store_db(j->store)) != before);
    } else {
        fail_store(j, code);
        roll_back(j);
    }
    j->options.after(j->options.data, outcome);
    tell_all(batch, outcome);
}

static bool has_ended(struct journal *j)
{
    bool ended;

    pthread_mutex_lock(&j->mutex);
    ended = j->ended;
    pthread_mutex_unlock(&j->mutex);
    return ended;
}

/* While somebody reads what was there before nothing can be copied, and each attempt would have the
 * disk sync once more. */
static void note_copied(struct journal *j, int copied)
{
    if (copied == j->copied)
        j->checkpoint_at_us = clock_mono_us() + STUCK_US;
    j->copied = copied;
}

/* What was written since the checkpoint. With that, the log begins anew. */
static void copy_rest(struct journal *j)
{
    int code =
        sqlite3_wal_checkpoint_v2(store_db(j->store), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        fail_store(j, sqlite3_extended_errcode(store_db(j->store)));
    j->log_pages = 0;
}

/* SQLite would do so by itself, inside of a commit and without a word if it fails. Most of it is
 * done in another thread, and the rest here. It is much if that thread took long, or somebody had
 * read the store for long: then once more. */
static void keep_log_short(struct journal *j)
{
    int copied;
    bool done = checkpoint_take_done(j->checkpoint, &copied);

    /* By that thread, perhaps: what it could not sync, the next one here would not look at. */
    if (has_ended(j))
        return;
    if (done)
        note_copied(j, copied);
    if (done && j->log_pages - copied <= REST_PAGES)
        copy_rest(j);
    else if (j->log_pages >= CHECKPOINT_PAGES && clock_mono_us() >= j->checkpoint_at_us)
        checkpoint_begin(j->checkpoint);
}

/* One step in a transaction of its own. True if there is more to do. */
static bool keep_house(struct journal *j)
{
    int code = store_run(j->begin), done = SQLITE_DONE;

    if (code == SQLITE_OK)
        code = done = j->options.step(j->options.data);
    if (code == SQLITE_ROW)
        code = store_run(j->commit);
    if (code != SQLITE_OK && code != SQLITE_DONE)
        fail_store(j, code);
    if (code != SQLITE_OK)
        roll_back(j);
    j->options.after(j->options.data, code == SQLITE_OK ? JOURNAL_DURABLE : JOURNAL_FAILED);
    return code == SQLITE_OK && done == SQLITE_ROW;
}

static void wait_for_tasks(struct journal *j)
{
    int64_t until_us = j->step_at_us;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    j->waiting = true;
    while (j->queue.first == NULL && !j->closing &&
           pthread_cond_timedwait(&j->queued, &j->mutex, &until) == 0)
        ;
    j->waiting = false;
}

static void serve(struct journal *j, const struct queue *batch)
{
    if (has_ended(j)) {
        tell_all(batch, JOURNAL_FAILED);
        j->step_at_us = INT64_MAX; /* there is nothing to wake up for */
        return;
    }
    if (batch->first != NULL)
        commit_batch(j, batch);
    if (!has_ended(j))
        keep_log_short(j);
    if (!has_ended(j) && clock_mono_us() >= j->step_at_us && !keep_house(j))
        j->step_at_us = clock_mono_us() + IDLE_US;
}

static void *run(void *data)
{
    struct journal *j = data;
    struct queue batch;
    bool last;

    do {
        pthread_mutex_lock(&j->mutex);
        if (j->queue.first == NULL && !j->closing)
            wait_for_tasks(j);
        queue_take(&j->queue, &batch);
        last = j->closing && j->queue.first == NULL;
        pthread_mutex_unlock(&j->mutex);
        serve(j, &batch);
        pulse_beat(j->pulse);
    } while (!last);
    return NULL;
}

static void prepare(struct journal *j)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&j->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&j->queued, &attributes);
    pthread_condattr_destroy(&attributes);
    queue_init(&j->queue);
    j->pulse = pulse_begin(j->options.pulses, "the journal's thread");
    j->stats.healthy = true;
    j->step_at_us = clock_mono_us() + IDLE_US;
    sqlite3_wal_hook(store_db(j->store), on_log_growth, j);
}

static void release(struct journal **journal)
{
    struct journal *j = *journal;

    checkpoint_close(&j->checkpoint);
    if (j->ended)
        store_keep_log(j->store);
    pulse_end(j->pulse);
    pthread_cond_destroy(&j->queued);
    pthread_mutex_destroy(&j->mutex);
    free(j);
    *journal = NULL;
}

static bool start(struct journal *j)
{
    struct checkpoint_options checkpoint = {store_path(j->store), j, fail};

    if ((j->checkpoint = checkpoint_open(&checkpoint)) == NULL)
        return false;
    errno = ENOMEM;
    return store_prepare(j->store, &j->begin, "BEGIN IMMEDIATE") == SQLITE_OK &&
           store_prepare(j->store, &j->commit, "COMMIT") == SQLITE_OK &&
           store_prepare(j->store, &j->rollback, "ROLLBACK") == SQLITE_OK &&
           (errno = pthread_create(&j->thread, NULL, run, j)) == 0;
}

struct journal *journal_open(struct store *store, const struct journal_options *options)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return NULL;
    j->store = store;
    j->options = *options;
    prepare(j);
    if (!start(j)) {
        int saved = errno;

        release(&j);
        errno = saved;
    }
    return j;
}

void journal_close(struct journal **journal)
{
    struct journal *j = *journal;

    if (j == NULL)
        return;
    pthread_mutex_lock(&j->mutex);
    j->closing = true;
    pthread_cond_signal(&j->queued);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->thread, NULL);
    release(journal);
}

static bool has_room(const struct journal *j, const struct journal_task *task)
{
    return j->queue.first == NULL || j->queue.bytes + task->bytes <= j->options.queue_bytes;
}

struct journal_task *journal_submit_all(struct journal *j, struct journal_task *task)
{
    pthread_mutex_lock(&j->mutex);
    while (task != NULL && !j->ended && has_room(j, task)) {
        struct journal_task *next = task->next;

        queue_put(&j->queue, task);
        task = next;
    }
    if (j->waiting)
        pthread_cond_signal(&j->queued);
    pthread_mutex_unlock(&j->mutex);
    return task;
}

bool journal_submit(struct journal *j, struct journal_task *task)
{
    task->next = NULL;
    return journal_submit_all(j, task) == NULL;
}

void journal_stats(struct journal *j, struct journal_stats *stats)
{
    pthread_mutex_lock(&j->mutex);
    *stats = j->stats;
    stats->queued_bytes = j->queue.bytes;
    pthread_mutex_unlock(&j->mutex);
    stats->copying_us = checkpoint_lasts_us(j->checkpoint);
}
