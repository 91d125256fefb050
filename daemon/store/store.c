/* SPDX-License-Identifier: MIT */
#include "daemon/store/store.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/store/damage.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/outbox.h"

enum {
    STEP_ROWS = 100,
    STEP_BYTES = 4 << 20,
    RETENTION_ROUND_US = 60 * 1000000, /* between two scans from the oldest delivery */
    AHEAD_PROBES = 40,
};

struct retention {
    struct db *db;
    struct deliveries *deliveries;
    struct retention_options options;
    sqlite3_stmt *boundary, *candidates, *one, *delete_delivery, *delete_attempts, *oldest;
    int64_t position; /* seqs up to here are deleted, kept or still in use */
    int64_t round_at_us;
    size_t one_by_one; /* deliveries to delete in steps of one, after damage */
    bool too_large;    /* reported: the size limit is exceeded by deliveries in use */
    atomic_uint_fast64_t count;
};

/* One delivery, as the scan sees it. */
struct retention_row {
    int64_t seq, received_us, bytes;
    bool in_use;
};

#define RETENTION_COLUMNS                                                                          \
    "seq, received_us, length(body),"                                                              \
    " EXISTS (SELECT 1 FROM unsent WHERE unsent.seq = delivery.seq)"

static int retention_prepare(struct retention *retention)
{
    const struct db_statement reads[] = {
        {&retention->boundary, "SELECT min(cursor) FROM destination WHERE active"},
        {&retention->candidates, "SELECT " RETENTION_COLUMNS
                                 " FROM delivery WHERE seq >= ?1 + 1 AND seq <= ?2 ORDER BY seq"},
        {&retention->one, "SELECT " RETENTION_COLUMNS " FROM delivery WHERE seq = ?1"},
        {&retention->oldest, "SELECT min(seq) FROM delivery"},
        {NULL, NULL},
    };
    const struct db_statement writes[] = {
        {&retention->delete_delivery, "DELETE FROM delivery WHERE seq = ?"},
        {&retention->delete_attempts, "DELETE FROM attempt WHERE seq = ?"},
        {NULL, NULL},
    };
    int code = db_prepare_all(deliveries_reader(retention->deliveries), reads);

    return code == SQLITE_OK ? db_prepare_all(retention->db, writes) : code;
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

static struct retention_row retention_read_row(sqlite3_stmt *row)
{
    return (struct retention_row){
        .seq = sqlite3_column_int64(row, 0),
        .received_us = sqlite3_column_int64(row, 1),
        .bytes = sqlite3_column_int64(row, 2),
        .in_use = sqlite3_column_int(row, 3) != 0,
    };
}

static int retention_read_one(struct retention *retention, int64_t seq, struct retention_row *row)
{
    int code;

    sqlite3_bind_int64(retention->one, 1, seq);
    code = sqlite3_step(retention->one);
    if (code == SQLITE_ROW)
        *row = retention_read_row(retention->one);
    sqlite3_reset(retention->one);
    return code;
}

/* Looks for an expired delivery behind `seq`, at growing distances. Times grow with seqs, unless the
 * clock was ahead: then a delivery that seems new is older than an expired one. */
static bool retention_expired_behind(struct retention *retention, int64_t seq, int64_t boundary,
                                     int64_t cutoff_us)
{
    struct retention_row row;
    int64_t distance = 1;

    for (int i = 0; i < AHEAD_PROBES && seq + distance <= boundary; i++, distance *= 2)
        if (retention_read_one(retention, seq + distance, &row) == SQLITE_ROW &&
            row.received_us < cutoff_us)
            return true;
    return false;
}

struct retention_plan {
    int64_t boundary, now_us, cutoff_us;
    bool too_large;
    size_t max; /* deliveries of this step */
};

enum retention_choice {
    RETENTION_DELETE,
    RETENTION_KEEP,
    RETENTION_STOP, /* all later ones are newer */
};

static enum retention_choice retention_choose(struct retention *retention,
                                              const struct retention_plan *plan,
                                              const struct retention_row *row)
{
    enum retention_choice unused = RETENTION_DELETE;

    if (row->received_us >= plan->cutoff_us && !plan->too_large) {
        if (!retention_expired_behind(retention, row->seq, plan->boundary, plan->cutoff_us))
            return RETENTION_STOP;
        /* A time in the future is wrong, so the age is that of the later delivery. */
        unused = row->received_us > plan->now_us ? RETENTION_DELETE : RETENTION_KEEP;
    }
    return row->in_use ? RETENTION_KEEP : unused;
}

/* Lists the damaged deliveries behind `position`, and moves it to the next readable one. */
static int retention_step_over(struct retention *retention, const struct retention_plan *plan)
{
    struct retention_row row;
    int code = SQLITE_OK;

    for (int i = 0; i < STEP_ROWS && code == SQLITE_OK && retention->position < plan->boundary;
         i++) {
        int found = retention_read_one(retention, retention->position + 1, &row);

        if (found == SQLITE_ROW)
            break;
        if (damage_is(found))
            code = damage_note(retention->db, retention->position + 1);
        else if (found != SQLITE_DONE)
            code = found;
        if (code == SQLITE_OK)
            retention->position++;
    }
    return code == SQLITE_OK ? SQLITE_ROW : code;
}

/* Collects deletable deliveries above `position`. Returns SQLITE_DONE if none are left, SQLITE_ROW
 * if the step is full. A damaged delivery stays: its pages may lead into those of others. */
static int retention_collect(struct retention *retention, const struct retention_plan *plan,
                             int64_t seqs[STEP_ROWS], size_t *count)
{
    enum retention_choice choice = RETENTION_KEEP;
    int64_t bytes = 0;
    size_t rows = 0;
    int code;

    *count = 0;
    sqlite3_bind_int64(retention->candidates, 1, retention->position);
    sqlite3_bind_int64(retention->candidates, 2, plan->boundary);
    while ((code = sqlite3_step(retention->candidates)) == SQLITE_ROW && rows < plan->max &&
           bytes < STEP_BYTES) {
        struct retention_row row = retention_read_row(retention->candidates);

        if ((choice = retention_choose(retention, plan, &row)) == RETENTION_STOP)
            break;
        if (choice == RETENTION_DELETE &&
            (code = deliveries_check(retention->deliveries, row.seq, NULL)) == SQLITE_ROW)
            seqs[(*count)++] = row.seq;
        else if (damage_is(code) && damage_note(retention->db, row.seq) == SQLITE_OK)
            code = SQLITE_ROW;
        if (code != SQLITE_ROW)
            break;
        bytes += row.bytes;
        retention->position = row.seq;
        rows++;
    }
    sqlite3_reset(retention->candidates);
    if (damage_is(code) && rows == 0)
        return retention_step_over(retention, plan);
    return choice == RETENTION_STOP ? SQLITE_DONE : damage_is(code) ? SQLITE_ROW : code;
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

    if (damage_is(code))
        return SQLITE_DONE;
    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    for (int rows = 0; code == SQLITE_ROW && rows < STEP_ROWS; rows++)
        code = deliveries_forget_keys(retention->deliveries, oldest);
    return code == SQLITE_DONE ? deliveries_merge_keys(retention->deliveries) : code;
}

/* Reports once that deliveries in use fill the store. They stay, and the store grows. */
static void retention_report_size(struct retention *retention, bool too_large)
{
    if (too_large && !retention->too_large && retention->options.too_large != NULL)
        retention->options.too_large(retention->options.data);
    retention->too_large = too_large;
}

static struct retention_plan retention_make_plan(struct retention *retention)
{
    int64_t now_us = clock_steady_us();

    if (now_us >= retention->round_at_us) {
        retention->round_at_us = now_us + RETENTION_ROUND_US;
        retention->position = 0;
    }
    return (struct retention_plan){
        .now_us = now_us,
        .cutoff_us = now_us - retention->options.keep_us,
        .too_large = retention->options.max_bytes > 0 &&
                     db_bytes(retention->db) > retention->options.max_bytes,
        .max = retention->one_by_one > 0 ? 1 : STEP_ROWS,
    };
}

/* Deletes one by one after damage beside a deletion, so that it holds up no other. The transaction
 * of the failed step is rolled back. */
static int retention_on_damage(struct retention *retention, int64_t before, int code)
{
    if (retention->one_by_one == 0) {
        retention->one_by_one = STEP_ROWS;
        retention->position = before;
    }
    return code;
}

int retention_step(struct retention *retention)
{
    struct retention_plan plan = retention_make_plan(retention);
    int64_t seqs[STEP_ROWS], before = retention->position;
    size_t count;
    int code, found;

    if ((code = retention_find_boundary(retention, &plan.boundary)) != SQLITE_OK)
        return code;
    found = retention_collect(retention, &plan, seqs, &count);
    if (found != SQLITE_ROW && found != SQLITE_DONE)
        return found;
    code = retention_delete_all(retention, seqs, count);
    if (code != SQLITE_OK)
        return damage_is(code) ? retention_on_damage(retention, before, code) : code;
    if (retention->one_by_one > 0)
        retention->one_by_one--;
    atomic_fetch_add_explicit(&retention->count, count, memory_order_relaxed);
    if (count > 0 || found == SQLITE_ROW)
        return SQLITE_ROW;
    retention_report_size(retention, plan.too_large);
    return retention_tidy_keys(retention);
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
    BURST_DELIVERIES = 1000,  /* new deliveries between two steps that make a burst */
    RECOVERED_ROW_BYTES = 64, /* of a delivery in the WAL, without its texts */
};

struct store {
    struct store_options options;
    struct db *db;
    struct deliveries *deliveries;
    struct outbox *outbox;
    struct retention *retention;
    struct writer *writer;
    struct store_recovery recovery;
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

static void store_on_damaged(void *data, const char *why)
{
    const struct store *store = data;

    store->options.damaged(store->options.data, why);
}

static void store_on_fatal(void *data, const char *why)
{
    const struct store *store = data;

    store->options.fatal(store->options.data, why);
}

/* Reads the deliveries that the WAL may have held, newest first, and lists damaged ones. */
static int store_check_recovered(struct store *store)
{
    struct store_recovery *r = &store->recovery;
    size_t bytes = 0;

    r->wal_bytes = db_recovered_bytes(store->db);
    for (int64_t seq = deliveries_newest(store->deliveries);
         seq > 0 && bytes < (size_t)r->wal_bytes; seq--) {
        int code = deliveries_check(store->deliveries, seq, &bytes);

        bytes += RECOVERED_ROW_BYTES;
        r->checked += code == SQLITE_ROW;
        if (code == SQLITE_ROW || code == SQLITE_DONE)
            continue;
        if (code != SQLITE_CORRUPT || (code = damage_note(store->db, seq)) != SQLITE_OK)
            return code;
        r->damaged++;
    }
    return SQLITE_OK;
}

static bool store_recover(struct store *store, char *why)
{
    int code = store_check_recovered(store);

    if (code != SQLITE_OK)
        db_error_text(store->db, code, why);
    return code == SQLITE_OK;
}

struct store *store_open(const struct store_options *options, char why[DB_WHY_SIZE])
{
    struct store *store = calloc(1, sizeof(*store));
    struct retention_options retention = {.keep_us = options->keep_us,
                                          .max_bytes = options->max_bytes,
                                          .data = options->data,
                                          .too_large = options->too_large};

    if (store == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", options->path);
        return NULL;
    }
    store->options = *options;
    clock_steady_us(); /* fix the offset now: later clock changes are ignored */
    if ((store->db = db_open(options->path, DB_WRITE, why)) == NULL ||
        (store->deliveries = deliveries_open(store->db, why)) == NULL ||
        !store_recover(store, why) || (store->outbox = outbox_open(store->db, why)) == NULL ||
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
        .damaged = store_on_damaged,
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

struct store_recovery store_recovery(const struct store *store)
{
    return store->recovery;
}

int64_t store_max_bytes(const struct store *store)
{
    return store->options.max_bytes;
}

uint64_t store_expired_count(const struct store *store)
{
    return retention_count(store->retention);
}
