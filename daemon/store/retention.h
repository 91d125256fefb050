/* SPDX-License-Identifier: MIT
 *
 * retention.h - which deliveries the store gives up: those that are too old, or the oldest when it
 * is too large; but never one that a destination is still waiting for.
 *
 * Threads    The journal's, but for retention_open() and retention_close().
 */
#ifndef DAEMON_STORE_RETENTION_H
#define DAEMON_STORE_RETENTION_H

#include <stdint.h>

#include "daemon/store/db.h"

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

#endif
