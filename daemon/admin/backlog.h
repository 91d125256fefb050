/* SPDX-License-Identifier: MIT
 *
 * backlog.h - how much each destination has not got yet.
 *
 * Ownership  backlog_open() makes it, backlog_close() ends it; before the store.
 * Threads    That of the store.
 */
#ifndef DAEMON_ADMIN_BACKLOG_H
#define DAEMON_ADMIN_BACKLOG_H

#include <stdint.h>

#include "daemon/store/store.h"

struct backlog;

enum {
    BACKLOG_COUNTED_MAX = 200000 /* more than that are not counted */
};

struct backlog_result {
    int64_t waiting;  /* for being looked at: some of them may be none of its business */
    int64_t retrying; /* up to BACKLOG_COUNTED_MAX, as is ... */
    int64_t parked;   /* ... this */
    int64_t since_us; /* when the oldest that waits or is retried was received; 0: there is none */
};

struct backlog *backlog_open(struct store *store, char why[STORE_WHY_SIZE]);
void backlog_close(struct backlog **backlog);

/* Of the destination with that number and that cursor. SQLite's code. */
int backlog_read(struct backlog *backlog, int64_t destination, int64_t cursor,
                 struct backlog_result *result);

#endif
