/* SPDX-License-Identifier: MIT */
#include "daemon/store/storage.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/store/writer.h"
#include "daemon/store/outbox.h"
#include "daemon/store/retention.h"
#include "daemon/store/shelf.h"

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
