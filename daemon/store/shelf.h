/* SPDX-License-Identifier: MIT
 *
 * shelf.h - the deliveries in the store: put there once, told from repeated ones.
 *
 * A repeated delivery has the source and the signed id of one that is in the store, or the source
 * and the MAC if nothing signed is an id. So it is told for as long as the store keeps the first.
 *
 * Threads    The journal's, but for shelf_open() and shelf_close().
 */
#ifndef DAEMON_STORE_SHELF_H
#define DAEMON_STORE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

struct entry;
struct shelf;

/* NULL, and in `why` what is wrong. */
struct shelf *shelf_open(struct store *writer, char why[STORE_WHY_SIZE]);
void shelf_close(struct shelf **shelf);

enum shelf_verdict {
    SHELF_STORED,
    SHELF_DUPLICATE,
};

/* Inside of a transaction. Sets *verdict and entry->seq, that of the first one for a duplicate.
 * SQLite's code. */
int shelf_put(struct shelf *shelf, struct entry *entry, enum shelf_verdict *verdict);

/* To be called before a transaction's commit, and after its end. */
int shelf_before_commit(struct shelf *shelf);
void shelf_after(struct shelf *shelf, bool committed);

/* The newest seq, 0 for none. */
int64_t shelf_newest(const struct shelf *shelf);

/* Small steps of housekeeping, inside of a transaction: SQLITE_ROW if something was done,
 * SQLITE_DONE if there is nothing to do, or another code of SQLite's. */
int shelf_forget(struct shelf *shelf, int64_t before); /* the deliveries before that seq are gone */
int shelf_merge(struct shelf *shelf);

/* How many keys are known. */
size_t shelf_count(const struct shelf *shelf);

#endif
