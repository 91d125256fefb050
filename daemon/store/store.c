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
    RETENTION_ROUND_US = 60 * 1000000, /* between two looks at those that were waited for */
};

struct retention {
    struct db *db;
    struct deliveries *deliveries;
    struct retention_options options;
    sqlite3_stmt *boundary, *candidates, *delete_delivery, *delete_attempts, *oldest;
    int64_t position; /* up to here they are gone, or waited for */
    int64_t round_at_us;
    atomic_uint_fast64_t count;
};

static int retention_prepare(struct retention *r)
{
    const struct db_statement all[] = {
        {&r->boundary, "SELECT min(cursor) FROM destination WHERE active"},
        {&r->candidates, "SELECT seq, received_us, length(body),"
                         " EXISTS (SELECT 1 FROM unsent WHERE unsent.seq = delivery.seq)"
                         " FROM delivery WHERE seq > ? AND seq <= ? ORDER BY seq"},
        {&r->delete_delivery, "DELETE FROM delivery WHERE seq = ?"},
        {&r->delete_attempts, "DELETE FROM attempt WHERE seq = ?"},
        {&r->oldest, "SELECT min(seq) FROM delivery"},
        {NULL, NULL},
    };

    return db_prepare_all(r->db, all);
}

struct retention *retention_open(struct db *db, struct deliveries *deliveries,
                                 const struct retention_options *options, char why[DB_WHY_SIZE])
{
    struct retention *r = calloc(1, sizeof(*r));
    int code;

    if (r == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", db_path(db));
        return NULL;
    }
    r->db = db;
    r->deliveries = deliveries;
    r->options = *options;
    if ((code = retention_prepare(r)) != SQLITE_OK) {
        db_error_text(db, code, why);
        retention_close(&r);
    }
    return r;
}

void retention_close(struct retention **retention)
{
    free(*retention);
    *retention = NULL;
}

uint64_t retention_count(const struct retention *r)
{
    return atomic_load_explicit(&r->count, memory_order_relaxed);
}

/* The last seq that may go: all destinations have taken it up, and the newest one stays, so that
 * its seq is never used again. */
static int retention_find_boundary(struct retention *r, int64_t *boundary)
{
    int64_t newest = deliveries_newest(r->deliveries) - 1;
    int code = db_query_number(r->boundary, boundary, newest);

    if (*boundary > newest)
        *boundary = newest;
    return code;
}

/* Collects what may go from here on. SQLITE_DONE if the next one may stay. */
static int retention_collect(struct retention *r, int64_t boundary, int64_t seqs[STEP_ROWS],
                             size_t *count)
{
    int64_t cutoff_us = clock_steady_us() - r->options.keep_us, bytes = 0;
    bool too_large = r->options.max_bytes > 0 && db_bytes(r->db) > r->options.max_bytes;
    size_t rows = 0;
    int code;

    *count = 0;
    sqlite3_bind_int64(r->candidates, 1, r->position);
    sqlite3_bind_int64(r->candidates, 2, boundary);
    while ((code = sqlite3_step(r->candidates)) == SQLITE_ROW && rows < STEP_ROWS &&
           bytes < STEP_BYTES) {
        int64_t seq = sqlite3_column_int64(r->candidates, 0);

        if (sqlite3_column_int64(r->candidates, 1) >= cutoff_us && !too_large) {
            code = SQLITE_DONE;
            break;
        }
        if (!sqlite3_column_int(r->candidates, 3))
            seqs[(*count)++] = seq;
        bytes += sqlite3_column_int64(r->candidates, 2);
        r->position = seq;
        rows++;
    }
    sqlite3_reset(r->candidates);
    return code;
}

static int retention_delete_all(struct retention *r, const int64_t *seqs, size_t count)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        sqlite3_bind_int64(r->delete_delivery, 1, seqs[i]);
        sqlite3_bind_int64(r->delete_attempts, 1, seqs[i]);
        if ((code = db_run(r->delete_delivery)) == SQLITE_OK)
            code = db_run(r->delete_attempts);
    }
    return code;
}

static int retention_tidy_keys(struct retention *r)
{
    int64_t oldest;
    int code = db_query_number(r->oldest, &oldest, 0);

    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    for (int rows = 0; code == SQLITE_ROW && rows < STEP_ROWS; rows++)
        code = deliveries_forget_keys(r->deliveries, oldest);
    return code == SQLITE_DONE ? deliveries_merge_keys(r->deliveries) : code;
}

int retention_step(struct retention *r)
{
    int64_t seqs[STEP_ROWS], boundary, now_us = clock_steady_us();
    size_t count;
    int code, found;

    if (now_us >= r->round_at_us) {
        r->round_at_us = now_us + RETENTION_ROUND_US;
        r->position = 0;
    }
    if ((code = retention_find_boundary(r, &boundary)) != SQLITE_OK)
        return code;
    found = retention_collect(r, boundary, seqs, &count);
    if (found != SQLITE_ROW && found != SQLITE_DONE)
        return found;
    if ((code = retention_delete_all(r, seqs, count)) != SQLITE_OK)
        return code;
    atomic_fetch_add_explicit(&r->count, count, memory_order_relaxed);
    return count > 0 || found == SQLITE_ROW ? SQLITE_ROW : retention_tidy_keys(r);
}

/* ---- probe */

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
    struct store_probe *p = store_probe_of(task);

    atomic_store(&p->good, outcome == WRITER_DURABLE);
    sem_post(&p->answered);
}

void store_probe_init(struct store_probe *p, struct db *db)
{
    *p = (struct store_probe){.db = db};
    sem_init(&p->answered, 0, 0);
}

void store_probe_destroy(struct store_probe *p)
{
    while (p->asked && sem_wait(&p->answered) != 0)
        ;
    sem_destroy(&p->answered);
}

static void store_probe_post(struct store_probe *p, struct writer *writer)
{
    p->task = (struct writer_task){
        .bytes = sizeof(*p), .run = store_probe_run, .done = store_probe_on_done};
    p->asked = writer_post(writer, &p->task);
}

void store_probe_repeat(struct store_probe *p, struct writer *writer)
{
    if (p->asked && sem_trywait(&p->answered) != 0)
        return;
    store_probe_post(p, writer);
}

bool store_probe_ask(struct store_probe *p, struct writer *writer, unsigned wait_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    if (!p->asked)
        store_probe_post(p, writer);
    if (!p->asked || sem_clockwait(&p->answered, CLOCK_MONOTONIC, &until) != 0)
        return false;
    p->asked = false;
    return atomic_load(&p->good);
}

/* ---- storage */

enum {
    BURST_DELIVERIES = 1000, /* deliveries between two steps */
};

struct store {
    struct store_options options;
    struct db *db;
    struct deliveries *deliveries;
    struct outbox *outbox;
    struct retention *retention;
    struct writer *writer;
    /* the journal's thread's */
    int64_t newest_seen;
    bool in_burst;
};

static int store_before_commit(void *data)
{
    const struct store *s = data;

    return deliveries_before_commit(s->deliveries);
}

static void store_after_transaction(void *data, enum writer_outcome outcome)
{
    const struct store *s = data;

    deliveries_after_transaction(s->deliveries, outcome == WRITER_DURABLE);
    if (outcome == WRITER_DURABLE && s->options.committed != NULL)
        s->options.committed(s->options.data);
}

/* Of what thousands of deliveries at once have taken, malloc() keeps most for the next ones. */
static void store_trim_memory(struct store *s)
{
    int64_t newest = deliveries_newest(s->deliveries), more = newest - s->newest_seen;

    if (more == 0 && s->in_burst)
        malloc_trim(0);
    s->in_burst = more >= BURST_DELIVERIES || (s->in_burst && more > 0);
    s->newest_seen = newest;
}

static int store_step(void *data)
{
    struct store *s = data;
    int code = retention_step(s->retention);

    if (code == SQLITE_DONE)
        store_trim_memory(s);
    return code;
}

static void store_on_failed(void *data, const char *why)
{
    const struct store *s = data;

    s->options.failed(s->options.data, why);
}

static void store_on_recovered(void *data)
{
    const struct store *s = data;

    s->options.recovered(s->options.data);
}

static void store_on_fatal(void *data, const char *why)
{
    const struct store *s = data;

    s->options.fatal(s->options.data, why);
}

struct store *store_open(const struct store_options *options, char why[DB_WHY_SIZE])
{
    struct store *s = calloc(1, sizeof(*s));
    struct retention_options retention = {options->keep_us, options->max_bytes};

    if (s == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", options->path);
        return NULL;
    }
    s->options = *options;
    clock_steady_us(); /* from now on nobody's setting of the clock moves it */
    if ((s->db = db_open(options->path, DB_WRITE, why)) == NULL ||
        (s->deliveries = deliveries_open(s->db, why)) == NULL ||
        (s->outbox = outbox_open(s->db, why)) == NULL ||
        (s->retention = retention_open(s->db, s->deliveries, &retention, why)) == NULL)
        store_close(&s);
    return s;
}

bool store_start(struct store *s)
{
    struct writer_options options = {
        .queue_bytes = s->options.queue_bytes,
        .heartbeats = s->options.heartbeats,
        .data = s,
        .before_commit = store_before_commit,
        .after = store_after_transaction,
        .step = store_step,
        .failed = store_on_failed,
        .recovered = store_on_recovered,
        .fatal = store_on_fatal,
    };

    s->writer = writer_open(s->db, &options);
    return s->writer != NULL;
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

struct db *store_db(struct store *s)
{
    return s->db;
}

struct writer *store_writer(struct store *s)
{
    return s->writer;
}

struct deliveries *store_deliveries(struct store *s)
{
    return s->deliveries;
}

struct outbox *store_outbox(struct store *s)
{
    return s->outbox;
}

uint64_t store_expired_count(const struct store *s)
{
    return retention_count(s->retention);
}
