/* SPDX-License-Identifier: MIT
 *
 * storage.h - the store with what writes to it: the shelf, the retention and the journal, put
 * together and taken down.
 *
 * Ownership  store_open() makes it, store_close() ends it.
 * Threads    The one that opened it; the callbacks come from the journal's.
 */
#ifndef DAEMON_STORE_STORAGE_H
#define DAEMON_STORE_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

struct writer;
struct outbox;
struct heartbeats;
struct deliveries;
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
