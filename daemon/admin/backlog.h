/* SPDX-License-Identifier: MIT
 *
 * backlog.h - how much each destination has not got yet.
 *
 * Ownership  lag_open() makes it, lag_close() ends it; before the store.
 * Threads    That of the store.
 */
#ifndef DAEMON_ADMIN_BACKLOG_H
#define DAEMON_ADMIN_BACKLOG_H

#include <stdint.h>

#include "daemon/store/db.h"

struct lag;

enum {
    LAG_COUNTED_MAX = 200000 /* more than that are not counted */
};

struct lag_result {
    int64_t waiting;  /* for being looked at: some of them may be none of its business */
    int64_t retrying; /* up to LAG_COUNTED_MAX, as is ... */
    int64_t parked;   /* ... this */
    int64_t since_us; /* when the oldest that waits or is retried was received; 0: there is none */
};

struct lag *lag_open(struct db *db, char why[DB_WHY_SIZE]);
void lag_close(struct lag **lag);

/* Of the destination with that number and that cursor. SQLite's code. */
int lag_read(struct lag *lag, int64_t destination, int64_t cursor, struct lag_result *result);

#endif
