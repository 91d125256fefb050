/* SPDX-License-Identifier: MIT */
#include "daemon/store/store.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/outbox.h"

enum {
    STEP_ROWS = 100,
    STEP_BYTES = 4 << 20,
    RETENTION_ROUND_US = 60 * 1000000, /* between two scans from the oldest delivery */
};

struct retention {
    struct db *db;
    struct deliveries *deliveries;
    struct retention_options options;
    sqlite3_stmt *boundary, *candidates, *delete_delivery, *delete_attempts, *oldest;
    int64_t position; /* seqs up to here are deleted or still in use */
    int64_t round_at_us;
    atomic_uint_fast64_t count;
};

static int retention_prepare(struct retention *retention)
{
    const struct db_statement all[] = {
        {&retention->boundary, "SELECT min(cursor) FROM destination WHERE active"},
        {&retention->candidates, "SELECT seq, received_us, length(body),"
                                 " EXISTS (SELECT 1 FROM unsent WHERE unsent.seq = delivery.seq)"
                                 " FROM delivery WHERE seq > ? AND seq <= ? ORDER BY seq"},
        {&retention->delete_delivery, "DELETE FROM delivery WHERE seq = ?"},
        {&retention->delete_attempts, "DELETE FROM attempt WHERE seq = ?"},
        {&retention->oldest, "SELECT min(seq) FROM delivery"},
        {NULL, NULL},
    };

    return db_prepare_all(retention->db, all);
}

struct retention *retention_open(struct db *db, struct deliveries *deliveries,
                                 const struct retention_options *options, char why[DB_WHY_SIZE])
{
    struct retention *retention = calloc(1, sizeof(*retention));
    int code;

    if (retention == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", db_path(db));
        return NULL;
    }
    retention->db = db;
    retention->deliveries = deliveries;
    retention->options = *options;
    if ((code = retention_prepare(retention)) != SQLITE_OK) {
        db_error_text(db, code, why);
        retention_close(&retention);
    }
    return retention;
}

void retention_close(struct retention **retention)
{
    free(*retention);
    *retention = NULL;
}

uint64_t retention_count(const struct retention *retention)
{
    return atomic_load_explicit(&retention->count, memory_order_relaxed);
}

/* Finds the last seq that may be deleted: every active destination has passed it. The newest
 * delivery always stays, so that no seq is reused. */
static int retention_find_boundary(struct retention *retention, int64_t *boundary)
{
    int64_t newest = deliveries_newest(retention->deliveries) - 1;
    int code = db_query_number(retention->boundary, boundary, newest);

    if (*boundary > newest)
        *boundary = newest;
    return code;
}

/* Collects deletable deliveries above `position`. Returns SQLITE_DONE if none are left, SQLITE_ROW
 * if the step is full. */
static int retention_collect(struct retention *retention, int64_t boundary, int64_t seqs[STEP_ROWS],
                             size_t *count)
{
    int64_t cutoff_us = clock_steady_us() - retention->options.keep_us, bytes = 0;
    bool too_large =
        retention->options.max_bytes > 0 && db_bytes(retention->db) > retention->options.max_bytes;
    size_t rows = 0;
    int code;

    *count = 0;
    sqlite3_bind_int64(retention->candidates, 1, retention->position);
    sqlite3_bind_int64(retention->candidates, 2, boundary);
    while ((code = sqlite3_step(retention->candidates)) == SQLITE_ROW && rows < STEP_ROWS &&
           bytes < STEP_BYTES) {
        int64_t seq = sqlite3_column_int64(retention->candidates, 0);

        if (sqlite3_column_int64(retention->candidates, 1) >= cutoff_us && !too_large) {
            code = SQLITE_DONE;
            break;
        }
        if (!sqlite3_column_int(retention->candidates, 3))
            seqs[(*count)++] = seq;
        bytes += sqlite3_column_int64(retention->candidates, 2);
        retention->position = seq;
        rows++;
    }
    sqlite3_reset(retention->candidates);
    return code;
}

static int retention_delete_all(struct retention *retention, const int64_t *seqs, size_t count)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        sqlite3_bind_int64(retention->delete_delivery, 1, seqs[i]);
        sqlite3_bind_int64(retention->delete_attempts, 1, seqs[i]);
        if ((code = db_run(retention->delete_delivery)) == SQLITE_OK)
            code = db_run(retention->delete_attempts);
    }
    return code;
}

static int retention_tidy_keys(struct retention *retention)
{
    int64_t oldest;
    int code = db_query_number(retention->oldest, &oldest, 0);

    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    for (int rows = 0; code == SQLITE_ROW && rows < STEP_ROWS; rows++)
        code = deliveries_forget_keys(retention->deliveries, oldest);
    return code == SQLITE_DONE ? deliveries_merge_keys(retention->deliveries) : code;
}

int retention_step(struct retention *retention)
{
    int64_t seqs[STEP_ROWS], boundary, now_us = clock_steady_us();
    size_t count;
    int code, found;

    if (now_us >= retention->round_at_us) {
        retention->round_at_us = now_us + RETENTION_ROUND_US;
        retention->position = 0;
    }
    if ((code = retention_find_boundary(retention, &boundary)) != SQLITE_OK)
        return code;
    found = retention_collect(retention, boundary, seqs, &count);
    if (found != SQLITE_ROW && found != SQLITE_DONE)
        return found;
    if ((code = retention_delete_all(retention, seqs, count)) != SQLITE_OK)
        return code;
    atomic_fetch_add_explicit(&retention->count, count, memory_order_relaxed);
    return count > 0 || found == SQLITE_ROW ? SQLITE_ROW : retention_tidy_keys(retention);
}

/* ---- store probe */

static struct store_probe *store_probe_of(struct writer_task *task)
{
    return (struct store_probe *)((char *)task - offsetof(struct store_probe, task));
}

static int store_probe_run(struct writer_task *task)
{
    return sqlite3_exec(db_sqlite(store_probe_of(task)->db),
                        "INSERT OR REPLACE INTO meta VALUES ('probe', random())", NULL, NULL, NULL);
}

static void store_probe_on_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct store_probe *probe = store_probe_of(task);

    atomic_store(&probe->good, outcome == WRITER_DURABLE);
    sem_post(&probe->answered);
}

void store_probe_init(struct store_probe *probe, struct db *db)
{
    *probe = (struct store_probe){.db = db};
    sem_init(&probe->answered, 0, 0);
}

void store_probe_destroy(struct store_probe *probe)
{
    while (probe->asked && sem_wait(&probe->answered) != 0)
        ;
    sem_destroy(&probe->answered);
}

static void store_probe_post(struct store_probe *probe, struct writer *writer)
{
    probe->task = (struct writer_task){
        .bytes = sizeof(*probe), .run = store_probe_run, .done = store_probe_on_done};
    probe->asked = writer_post(writer, &probe->task);
}

void store_probe_repeat(struct store_probe *probe, struct writer *writer)
{
    if (probe->asked && sem_trywait(&probe->answered) != 0)
        return;
    store_probe_post(probe, writer);
}

bool store_probe_ask(struct store_probe *probe, struct writer *writer, unsigned wait_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    if (!probe->asked)
        store_probe_post(probe, writer);
    if (!probe->asked || sem_clockwait(&probe->answered, CLOCK_MONOTONIC, &until) != 0)
        return false;
    probe->asked = false;
    return atomic_load(&probe->good);
}

/* ---- store */

enum {
    BURST_DELIVERIES = 1000, /* new deliveries between two steps that make a burst */
};

struct store {
    struct store_options options;
    struct db *db;
    struct deliveries *deliveries;
    struct outbox *outbox;
    struct retention *retention;
    struct writer *writer;
    /* writer thread only */
    int64_t newest_seen;
    bool in_burst;
};

static int store_before_commit(void *data)
{
    const struct store *store = data;

    return deliveries_before_commit(store->deliveries);
}

static void store_after_transaction(void *data, enum writer_outcome outcome)
{
    const struct store *store = data;

    deliveries_after_transaction(store->deliveries, outcome == WRITER_DURABLE);
    if (outcome == WRITER_DURABLE && store->options.committed != NULL)
        store->options.committed(store->options.data);
}

/* Returns freed memory to the system after a burst: malloc() would keep most of it. */
static void store_trim_memory(struct store *store)
{
    int64_t newest = deliveries_newest(store->deliveries), more = newest - store->newest_seen;

    if (more == 0 && store->in_burst)
        malloc_trim(0);
    store->in_burst = more >= BURST_DELIVERIES || (store->in_burst && more > 0);
    store->newest_seen = newest;
}

static int store_step(void *data)
{
    struct store *store = data;
    int code = retention_step(store->retention);

    if (code == SQLITE_DONE)
        store_trim_memory(store);
    return code;
}

static void store_on_failed(void *data, const char *why)
{
    const struct store *store = data;

    store->options.failed(store->options.data, why);
}

static void store_on_recovered(void *data)
{
    const struct store *store = data;

    store->options.recovered(store->options.data);
}

static void store_on_fatal(void *data, const char *why)
{
    const struct store *store = data;

    store->options.fatal(store->options.data, why);
}

struct store *store_open(const struct store_options *options, char why[DB_WHY_SIZE])
{
    struct store *store = calloc(1, sizeof(*store));
    struct retention_options retention = {options->keep_us, options->max_bytes};

    if (store == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", options->path);
        return NULL;
    }
    store->options = *options;
    clock_steady_us(); /* fix the offset now: later clock changes are ignored */
    if ((store->db = db_open(options->path, DB_WRITE, why)) == NULL ||
        (store->deliveries = deliveries_open(store->db, why)) == NULL ||
        (store->outbox = outbox_open(store->db, why)) == NULL ||
        (store->retention = retention_open(store->db, store->deliveries, &retention, why)) == NULL)
        store_close(&store);
    return store;
}

bool store_start(struct store *store)
{
    struct writer_options options = {
        .queue_bytes = store->options.queue_bytes,
        .heartbeats = store->options.heartbeats,
        .data = store,
        .before_commit = store_before_commit,
        .after = store_after_transaction,
        .step = store_step,
        .failed = store_on_failed,
        .recovered = store_on_recovered,
        .fatal = store_on_fatal,
    };

    store->writer = writer_open(store->db, &options);
    return store->writer != NULL;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    int saved = errno;

    if (s == NULL)
        return;
    writer_close(&s->writer);
    retention_close(&s->retention);
    outbox_close(&s->outbox);
    deliveries_close(&s->deliveries);
    db_close(&s->db);
    free(s);
    *store = NULL;
    errno = saved;
}

struct db *store_db(struct store *store)
{
    return store->db;
}

struct writer *store_writer(struct store *store)
{
    return store->writer;
}

struct deliveries *store_deliveries(struct store *store)
{
    return store->deliveries;
}

struct outbox *store_outbox(struct store *store)
{
    return store->outbox;
}

uint64_t store_expired_count(const struct store *store)
{
    return retention_count(store->retention);
}
