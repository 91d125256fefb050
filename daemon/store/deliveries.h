/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - the deliveries in the store: put there once, told from repeated ones.
 *
 * A repeated delivery has the source and the signed id of one that is in the store, or the source
 * and the MAC if nothing signed is an id. So it is told for as long as the store keeps the first.
 *
 * Threads    The journal's, but for deliveries_open() and deliveries_close().
 */
#ifndef DAEMON_STORE_DELIVERIES_H
#define DAEMON_STORE_DELIVERIES_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

/* ---- a verified delivery as the store keeps it: bytes and numbers.
 *
 * Ownership  What the texts point to is somebody else's, but for that of delivery_row_copy(): it is in one
 *            piece, which free() releases. */

struct delivery_row {
    int64_t seq; /* 0 until it is stored, then 1 and up, in the order of arrival */
    hookline_bytes source, scheme;
    hookline_bytes id;      /* signed; without a base if nothing says it ... */
    hookline_bytes mac;     /* ... and then this tells a repeated delivery, else without a base */
    hookline_bytes type;    /* without a base if the payload has none */
    hookline_bytes remote;  /* ADDRESS:PORT */
    hookline_bytes headers; /* lines of "name: value\n" */
    hookline_bytes body;    /* exactly the bytes that were received */
    int64_t received_us;    /* since 1970 */
    int64_t signed_at;      /* seconds since 1970, or -1 */
    int secret;             /* which one of the source's */
    bool test, fresh;
};

/* NULL without memory. */
struct delivery_row *delivery_row_copy(const struct delivery_row *row);

/* The bytes that all the texts take. */
size_t delivery_row_size(const struct delivery_row *row);

/* Takes the first line off `rest`, which is an entry's headers at first. False at their end. */
bool delivery_row_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value);

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
