/* SPDX-License-Identifier: MIT
 *
 * metrics_page.h - everything that /metrics says, gathered from those who know.
 *
 * Threads    That of the backlog's and the standing's store.
 */
#ifndef DAEMON_ADMIN_METRICS_PAGE_H
#define DAEMON_ADMIN_METRICS_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/db.h"

/* ---- how much each destination has not got yet.
 *
 * Ownership  lag_open() makes it, lag_close() ends it; before the store.
 * Threads    That of the store. */

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

/* ---- whether a delivery that came now could be stored, and if not, why.
 *
 * Threads    One. */

struct writer;

enum {
    READINESS_CHECKS = 3
};

struct readiness {
    bool ready;
    bool writer_failed; /* the last transaction; nobody will know better until the next one */
    struct {
        const char *name;
        bool good;
        char detail[160];
    } checks[READINESS_CHECKS];
};

/* `path` is that of the store. */
void readiness_check(struct readiness *readiness, struct writer *writer, const char *path,
                     uint64_t free_bytes_min);

struct listener_configs;
struct prometheus;
struct forwarder;
struct listener;
struct metrics;
struct status;
struct store;
struct db;

struct metrics_page {
    const char *version;
    int64_t start_us; /* of the process, since 1970 */
    const struct metrics *metrics;
    const struct listener *listener; /* where deliveries arrive */
    const struct listener_configs *listener_configs;
    struct store *store;
    struct forwarder *forwarder; /* NULL: there are no destinations */
    struct db *db;               /* a reader's, as are ... */
    struct status *status;       /* ... this */
    struct lag *lag;             /* ... and this */
};

void metrics_page_write(const struct metrics_page *page, struct prometheus *e);

#endif
