/* SPDX-License-Identifier: MIT
 *
 * storage.h - the store with what writes to it: the shelf, the retention and the journal, put
 * together and taken down.
 *
 * Ownership  storage_open() makes it, storage_close() ends it.
 * Threads    The one that opened it; the callbacks come from the journal's.
 */
#ifndef DAEMON_STORE_STORAGE_H
#define DAEMON_STORE_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

struct journal;
struct outbox;
struct pulses;
struct shelf;
struct storage;

struct storage_options {
    const char *path;
    int64_t keep_us;   /* a delivery that is done is given up then */
    int64_t max_bytes; /* of the store; 0: no limit */
    size_t queue_bytes;
    struct pulses *pulses;                       /* of the journal; may be NULL */
    void *data;                                  /* of the callbacks */
    void (*failed)(void *data, const char *why); /* nothing can be stored for now */
    void (*recovered)(void *data);
    void (*fatal)(void *data, const char *why); /* nor ever again, in this process */
    void (*committed)(void *data);              /* something may be there to forward */
};

/* Opens the store, recovers and migrates it, but writes no deliveries yet: storage_start() does.
 * NULL, and in `why` and errno what is wrong, as store_open() has it. */
struct storage *storage_open(const struct storage_options *options, char why[STORE_WHY_SIZE]);

/* Starts the journal. False with errno. */
bool storage_start(struct storage *storage);

/* Writes what is queued and closes the store. */
void storage_close(struct storage **storage);

struct store *storage_store(struct storage *storage); /* before storage_start() only */
struct journal *storage_journal(struct storage *storage);
struct shelf *storage_shelf(struct storage *storage);
struct outbox *storage_outbox(struct storage *storage); /* from storage_start() on for tasks only */
uint64_t storage_given_up(const struct storage *storage); /* deliveries, by retention; any thread */

#endif
