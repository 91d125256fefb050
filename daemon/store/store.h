/* SPDX-License-Identifier: MIT
 *
 * store.h - the store as a whole: database, deliveries, outbox, retention and writer thread.
 *
 * Ownership  store_open() allocates, store_close() frees; likewise retention_open() and _close().
 *            The writer borrows a store_probe from store_probe_ask() or store_probe_repeat() to its
 *            answer; store_probe_destroy() waits for it.
 * Threads    store_*() the opening thread; retention_step() the writer thread; store_probe_*()
 *            one thread. Callbacks run on the writer thread, failed() and fatal() also on the
 *            checkpoint thread.
 * Errors     int results are SQLite's codes.
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

struct deliveries;
struct heartbeats;
struct outbox;
struct retention;
struct store;

/* ---- retention */

/* Deletes deliveries that are too old, and the oldest ones while the store is too large, but none
 * that an active destination still needs, or that is parked or waits for a retry anywhere. So the
 * store may exceed its size. */
struct retention_options {
    int64_t keep_us;
    int64_t max_bytes; /* 0: no limit */
    void *data;
    /* Reports that deliveries in use exceed max_bytes; may be NULL. */
    void (*too_large)(void *data);
};

/* Returns NULL with the reason in `why`. */
struct retention *retention_open(struct db *db, struct deliveries *deliveries,
                                 const struct retention_options *options, char why[DB_WHY_SIZE]);
void retention_close(struct retention **retention);

/* Runs one small step in the open transaction. Returns SQLITE_ROW if the step did work, SQLITE_DONE
 * if none is left, or SQLite's error. */
int retention_step(struct retention *retention);

/* Returns the number of deleted deliveries. Any thread. */
uint64_t retention_count(const struct retention *retention);

/* ---- store probe: writes one small row, to test the store */

struct store_probe {
    struct writer_task task;
    struct db *db;
    sem_t answered;
    bool asked;
    atomic_bool good;
};

void store_probe_init(struct store_probe *probe, struct db *db);
void store_probe_destroy(struct store_probe *probe);

/* Submits a probe, unless one is still unanswered, and waits up to `wait_ms` for the answer.
 * Returns true if the write succeeded, false if it failed or timed out. */
bool store_probe_ask(struct store_probe *probe, struct writer *writer, unsigned wait_ms);

/* Submits a probe, unless one is still unanswered, and does not wait: writer_stats() shows the
 * result. */
void store_probe_repeat(struct store_probe *probe, struct writer *writer);

/* ---- store */

struct store_options {
    const char *path;
    int64_t keep_us;   /* age at which finished deliveries are deleted */
    int64_t max_bytes; /* size of the store; 0: no limit */
    size_t queue_bytes;
    struct heartbeats *heartbeats;               /* the writer adds its own; may be NULL */
    void *data;                                  /* for the callbacks */
    void (*failed)(void *data, const char *why); /* writing fails for now */
    void (*recovered)(void *data);
    void (*damaged)(void *data, const char *why); /* a page of the store is damaged */
    void (*too_large)(void *data);                /* deliveries in use exceed max_bytes */
    void (*fatal)(void *data, const char *why);   /* this process writes no more */
    void (*committed)(void *data);                /* new deliveries may be ready to forward */
};

/* Opens, recovers and migrates the store; store_start() starts writing. Returns NULL with `why` and
 * errno as db_open() sets them. */
struct store *store_open(const struct store_options *options, char why[DB_WHY_SIZE]);

/* Starts the writer. Returns false with errno. */
bool store_start(struct store *store);

/* Writes queued tasks and closes the store. */
void store_close(struct store **store);

/* The findings of store_open() after an unclean end; zeros after a clean one. */
struct store_recovery {
    int64_t wal_bytes;        /* size of the WAL that was applied */
    int64_t checked, damaged; /* deliveries that the WAL may have held */
};

struct store_recovery store_recovery(const struct store *store);

struct db *store_db(struct store *store); /* before store_start() only */
struct writer *store_writer(struct store *store);
struct deliveries *store_deliveries(struct store *store);
struct outbox *store_outbox(struct store *store); /* after store_start() in tasks only */
int64_t store_max_bytes(const struct store *store);
uint64_t store_expired_count(const struct store *store); /* retention_count(); any thread */

#endif
