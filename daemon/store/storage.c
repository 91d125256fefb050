/* SPDX-License-Identifier: MIT */
#include "daemon/store/storage.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/store/journal.h"
#include "daemon/store/outbox.h"
#include "daemon/store/retention.h"
#include "daemon/store/shelf.h"

enum {
    CROWD = 1000, /* deliveries between two steps */
};

struct storage {
    struct storage_options options;
    struct store *store;
    struct shelf *shelf;
    struct outbox *outbox;
    struct retention *retention;
    struct journal *journal;
    /* the journal's thread's */
    int64_t newest_seen;
    bool crowded;
};

static int before_commit(void *data)
{
    const struct storage *s = data;

    return shelf_before_commit(s->shelf);
}

static void after(void *data, enum journal_outcome outcome)
{
    const struct storage *s = data;

    shelf_after(s->shelf, outcome == JOURNAL_DURABLE);
    if (outcome == JOURNAL_DURABLE && s->options.committed != NULL)
        s->options.committed(s->options.data);
}

/* Of what thousands of deliveries at once have taken, malloc() keeps most for the next ones. */
static void give_memory_back(struct storage *s)
{
    int64_t newest = shelf_newest(s->shelf), more = newest - s->newest_seen;

    if (more == 0 && s->crowded)
        malloc_trim(0);
    s->crowded = more >= CROWD || (s->crowded && more > 0);
    s->newest_seen = newest;
}

static int step(void *data)
{
    struct storage *s = data;
    int code = retention_step(s->retention);

    if (code == SQLITE_DONE)
        give_memory_back(s);
    return code;
}

static void failed(void *data, const char *why)
{
    const struct storage *s = data;

    s->options.failed(s->options.data, why);
}

static void recovered(void *data)
{
    const struct storage *s = data;

    s->options.recovered(s->options.data);
}

static void fatal(void *data, const char *why)
{
    const struct storage *s = data;

    s->options.fatal(s->options.data, why);
}

struct storage *storage_open(const struct storage_options *options, char why[STORE_WHY_SIZE])
{
    struct storage *s = calloc(1, sizeof(*s));
    struct retention_options retention = {options->keep_us, options->max_bytes};

    if (s == NULL) {
        snprintf(why, STORE_WHY_SIZE, "%s: out of memory", options->path);
        return NULL;
    }
    s->options = *options;
    clock_steady_us(); /* from now on nobody's setting of the clock moves it */
    if ((s->store = store_open(options->path, STORE_WRITE, why)) == NULL ||
        (s->shelf = shelf_open(s->store, why)) == NULL ||
        (s->outbox = outbox_open(s->store, why)) == NULL ||
        (s->retention = retention_open(s->store, s->shelf, &retention, why)) == NULL)
        storage_close(&s);
    return s;
}

bool storage_start(struct storage *s)
{
    struct journal_options options = {
        .queue_bytes = s->options.queue_bytes,
        .pulses = s->options.pulses,
        .data = s,
        .before_commit = before_commit,
        .after = after,
        .step = step,
        .failed = failed,
        .recovered = recovered,
        .fatal = fatal,
    };

    s->journal = journal_open(s->store, &options);
    return s->journal != NULL;
}

void storage_close(struct storage **storage)
{
    struct storage *s = *storage;
    int saved = errno;

    if (s == NULL)
        return;
    journal_close(&s->journal);
    retention_close(&s->retention);
    outbox_close(&s->outbox);
    shelf_close(&s->shelf);
    store_close(&s->store);
    free(s);
    *storage = NULL;
    errno = saved;
}

struct store *storage_store(struct storage *s)
{
    return s->store;
}

struct journal *storage_journal(struct storage *s)
{
    return s->journal;
}

struct shelf *storage_shelf(struct storage *s)
{
    return s->shelf;
}

struct outbox *storage_outbox(struct storage *s)
{
    return s->outbox;
}

uint64_t storage_given_up(const struct storage *s)
{
    return retention_count(s->retention);
}
