/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - the table of deliveries: inserts each delivery once and detects duplicates.
 *
 * A duplicate has the same source and the same signed id as a stored delivery. If the scheme signs
 * no id, it has the same source, the same MAC and the same delivery_id. Duplicates are detected as
 * long as the first one is stored. A repetition of a damaged delivery is stored again.
 *
 * Ownership  deliveries_open() allocates, deliveries_close() frees. The texts of a delivery_row
 *            belong to the caller; delivery_row_copy() returns row and texts in one block for
 *            free().
 * Threads    The writer thread; deliveries_open() and deliveries_close() while none runs.
 * Errors     int results are SQLITE_OK or SQLite's error code.
 */
#ifndef DAEMON_STORE_DELIVERIES_H
#define DAEMON_STORE_DELIVERIES_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

/* ---- delivery row */

struct delivery_row {
    int64_t seq; /* 0 until stored, then 1 and up in order of arrival */
    hookline_bytes source, scheme;
    hookline_bytes id;          /* the signed id; NULL base: the scheme signs none */
    hookline_bytes mac;         /* the key if there is no id, else NULL base */
    hookline_bytes delivery_id; /* the sender's unsigned id of the delivery; NULL base: none */
    hookline_bytes type;        /* NULL base: the payload has none */
    hookline_bytes unreadable;  /* why the payload could not be read; NULL base: it could */
    hookline_bytes remote;      /* ADDRESS:PORT */
    hookline_bytes query;       /* of the request's URL, without "?"; NULL base: none */
    hookline_bytes headers;     /* lines of "name: value\n" */
    hookline_bytes body;        /* the received bytes, unchanged */
    int64_t received_us;        /* since 1970 */
    int64_t signed_at;          /* seconds since 1970, or -1 */
    int secret;                 /* index of the source's secret that matched */
    bool test, fresh;
    bool damaged;    /* the store cannot read this delivery: all texts are empty */
    bool mac_is_key; /* not stored: without an id the MAC alone is the key, without delivery_id */
};

/* Returns NULL on ENOMEM. */
struct delivery_row *delivery_row_copy(const struct delivery_row *row);

/* Returns the total size of the texts in bytes. */
size_t delivery_row_size(const struct delivery_row *row);

/* The columns of delivery_row_read(), in its order. */
#define DELIVERY_ROW_COLUMNS                                                                       \
    "seq, source, type, scheme, id, mac, remote, headers, body, received_us, signed_at, secret,"   \
    " test, fresh, delivery_id, query, unreadable, sum"

/* Reads the current row of a statement; the texts are valid until its next step. Returns false if
 * the row differs from its sum. Rows of older versions have no sum. */
bool delivery_row_read(sqlite3_stmt *statement, struct delivery_row *row);

/* Removes the first line of `rest`, which starts as a row's headers. Returns false at the end. */
bool delivery_row_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value);

/* ---- deliveries */

struct deliveries;

/* Returns NULL with the reason in `why`. */
struct deliveries *deliveries_open(struct db *db, char why[DB_WHY_SIZE]);
void deliveries_close(struct deliveries **deliveries);

enum deliveries_outcome {
    DELIVERIES_STORED,
    DELIVERIES_DUPLICATE,
};

/* Inserts the row in the open transaction and sets *verdict and row->seq; for a duplicate row->seq
 * is the seq of the stored delivery. */
int deliveries_put(struct deliveries *deliveries, struct delivery_row *row,
                   enum deliveries_outcome *verdict);

/* A connection of the writer thread for reads outside of the transaction: after a damaged page was
 * read, SQLite refuses to commit. */
struct db *deliveries_reader(struct deliveries *deliveries);

/* Reads a committed delivery in full. Returns SQLITE_ROW if it is readable, SQLITE_DONE if the store does not
 * hold it, SQLITE_CORRUPT if it is damaged. Adds the size of its texts to *bytes, if not NULL. */
int deliveries_check(struct deliveries *deliveries, int64_t seq, size_t *bytes);

/* Sets row->seq to the seq of a stored delivery with the row's key, or to 0. */
int deliveries_find(struct deliveries *deliveries, struct delivery_row *row);

/* Call these before each commit, and after the end of each transaction. */
int deliveries_before_commit(struct deliveries *deliveries);
void deliveries_after_transaction(struct deliveries *deliveries, bool committed);

/* Returns the newest committed seq, 0 for an empty store. */
int64_t deliveries_newest(const struct deliveries *deliveries);

/* Housekeeping, one small step in the open transaction: returns SQLITE_ROW if the step did work,
 * SQLITE_DONE if none is left, or SQLite's error. The first one drops the oldest row of keys if all
 * of its deliveries are below `before`, the second one merges small rows of keys. */
int deliveries_forget_keys(struct deliveries *deliveries, int64_t before);
int deliveries_merge_keys(struct deliveries *deliveries);

/* Returns the number of keys in the dedup index. */
size_t deliveries_key_count(const struct deliveries *deliveries);

#endif
