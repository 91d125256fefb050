/* SPDX-License-Identifier: MIT
 *
 * metrics_page.h - GET /metrics and /readyz: collects the numbers of all parts.
 *
 * Ownership  lag_open() allocates, lag_close() frees, before the db is closed.
 * Threads    One, that of the db.
 */
#ifndef DAEMON_ADMIN_METRICS_PAGE_H
#define DAEMON_ADMIN_METRICS_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/db.h"

struct lag;
struct listener;
struct listener_configs;
struct forwarder;
struct metrics;
struct prometheus;
struct status;
struct store;
struct writer;

/* ---- lag */

enum {
    LAG_COUNTED_MAX = 200000 /* counting stops here */
};

/* The undelivered deliveries of one destination. */
struct lag_result {
    int64_t waiting;  /* above the low-water mark, with those the destination filters out */
    int64_t retrying; /* at most LAG_COUNTED_MAX */
    int64_t parked;   /* at most LAG_COUNTED_MAX */
    int64_t since_us; /* receipt of the oldest waiting or retrying delivery, since 1970; 0: none */
};

/* Prepares the statements. Returns NULL with the reason in `why`. */
struct lag *lag_open(struct db *db, char why[DB_WHY_SIZE]);
void lag_close(struct lag **lag);

/* ---- readiness */

enum {
    READINESS_CHECKS = 4
};

struct readiness {
    bool ready;
    bool writer_failed; /* in its last transaction; only another transaction shows a recovery */
    struct {
        const char *name;
        bool good;
        char detail[160];
    } checks[READINESS_CHECKS];
};

/* Checks if the store could take a delivery now, and if its content is whole. `db` is a read
 * connection. */
void readiness_check(struct readiness *readiness, struct writer *writer,
                     const struct forwarder *forwarder, struct db *db, uint64_t free_bytes_min);

/* ---- metrics */

struct metrics_page {
    const char *version;
    int64_t start_us; /* start of the process, since 1970 */
    const struct metrics *metrics;
    const struct listener *listener; /* of the ingest sockets */
    const struct listener_configs *listener_configs;
    struct store *store;
    struct forwarder *forwarder;
    struct db *db;         /* a read connection */
    struct status *status; /* on the same connection */
    struct lag *lag;       /* on the same connection */
};

/* Appends all metrics to `out`. */
void metrics_page_write(const struct metrics_page *page, struct prometheus *out);

#endif
