/* SPDX-License-Identifier: MIT
 *
 * shelf.h - the deliveries in the store: put there once, told from repeated ones.
 *
 * A repeated delivery has the source and the signed id of one that is in the store, or the source
 * and the MAC if nothing signed is an id. So it is told for as long as the store keeps the first.
 *
 * Threads    The journal's, but for deliveries_open() and deliveries_close().
 */
#ifndef DAEMON_STORE_SHELF_H
#define DAEMON_STORE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

struct delivery_row;
struct deliveries;

/* NULL, and in `why` what is wrong. */
struct deliveries *deliveries_open(struct db *db, char why[DB_WHY_SIZE]);
void deliveries_close(struct deliveries **deliveries);

enum deliveries_outcome {
    DELIVERIES_STORED,
    DELIVERIES_DUPLICATE,
};

/* Inside of a transaction. Sets *verdict and entry->seq, that of the first one for a duplicate.
 * SQLite's code. */
int deliveries_put(struct deliveries *deliveries, struct delivery_row *row,
                   enum deliveries_outcome *verdict);

/* To be called before a transaction's commit, and after its end. */
int deliveries_before_commit(struct deliveries *deliveries);
void deliveries_after_transaction(struct deliveries *deliveries, bool committed);

/* The newest seq, 0 for none. */
int64_t deliveries_newest(const struct deliveries *deliveries);

/* Small steps of housekeeping, inside of a transaction: SQLITE_ROW if something was done,
 * SQLITE_DONE if there is nothing to do, or another code of SQLite's. */
int deliveries_forget_keys(struct deliveries *deliveries,
                           int64_t before); /* the deliveries before that seq are gone */
int deliveries_merge_keys(struct deliveries *deliveries);

/* How many keys are known. */
size_t deliveries_key_count(const struct deliveries *deliveries);

#endif
