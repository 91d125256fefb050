/* SPDX-License-Identifier: MIT
 *
 * store.h - which deliveries the store gives up: those that are too old, or the oldest when it
 * is too large; but never one that a destination is still waiting for.
 *
 * Threads    The journal's, but for retention_open() and retention_close().
 */
#ifndef DAEMON_STORE_STORE_H
#define DAEMON_STORE_STORE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"
#include "daemon/store/writer.h"

struct retention;
struct deliveries;

struct retention_options {
    int64_t keep_us;
    int64_t max_bytes; /* 0: no limit */
};

/* NULL, and in `why` what is wrong. */
struct retention *retention_open(struct db *db, struct deliveries *deliveries,
                                 const struct retention_options *options, char why[DB_WHY_SIZE]);
void retention_close(struct retention **retention);

/* A small step, inside of a transaction: SQLITE_ROW if something was done, SQLITE_DONE if there is
 * nothing to do for now, or another code of SQLite's. */
int retention_step(struct retention *retention);

/* How many deliveries were given up. */
uint64_t retention_count(const struct retention *retention);

/* ---- finds out whether the journal can write, by the smallest thing that has to be written.
 *
 * Ownership  The journal's from store_probe_ask() or store_probe_repeat() until its answer, for which
 *            store_probe_destroy() waits.
 * Threads    One. */

struct db;

struct store_probe {
    struct writer_task task;
    struct db *db;
    sem_t answered;
    bool asked;
    atomic_bool good;
};

void store_probe_init(struct store_probe *probe, struct db *db);
void store_probe_destroy(struct store_probe *probe);

/* Asks the journal, unless that was done and it has not answered yet, and waits for the answer.
 * Whether it can write; false if nobody knows yet. */
bool store_probe_ask(struct store_probe *probe, struct writer *writer, unsigned wait_ms);

/* Asks the journal, unless it still owes an answer, and does not wait: writer_stats() shows what came
 * of it. */
void store_probe_repeat(struct store_probe *probe, struct writer *writer);

/* ---- the store with what writes to it: the shelf, the retention and the journal, put
 * together and taken down.
 *
 * Ownership  store_open() makes it, store_close() ends it.
 * Threads    The one that opened it; the callbacks come from the journal's. */

struct writer;
struct outbox;
struct heartbeats;
struct store;

struct store_options {
    const char *path;
    int64_t keep_us;   /* a delivery that is done is given up then */
    int64_t max_bytes; /* of the store; 0: no limit */
    size_t queue_bytes;
    struct heartbeats *heartbeats;               /* of the journal; may be NULL */
    void *data;                                  /* of the callbacks */
    void (*failed)(void *data, const char *why); /* nothing can be stored for now */
    void (*recovered)(void *data);
    void (*fatal)(void *data, const char *why); /* nor ever again, in this process */
    void (*committed)(void *data);              /* something may be there to forward */
};

/* Opens the store, recovers and migrates it, but writes no deliveries yet: store_start() does.
 * NULL, and in `why` and errno what is wrong, as db_open() has it. */
struct store *store_open(const struct store_options *options, char why[DB_WHY_SIZE]);

/* Starts the journal. False with errno. */
bool store_start(struct store *store);

/* Writes what is queued and closes the store. */
void store_close(struct store **store);

struct db *store_db(struct store *store); /* before store_start() only */
struct writer *store_writer(struct store *store);
struct deliveries *store_deliveries(struct store *store);
struct outbox *store_outbox(struct store *store);        /* from store_start() on for tasks only */
uint64_t store_expired_count(const struct store *store); /* deliveries, by retention; any thread */

#endif
