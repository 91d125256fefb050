/* SPDX-License-Identifier: MIT
 *
 * scrape.h - everything that /metrics says, gathered from those who know.
 *
 * Threads    That of the backlog's and the standing's store.
 */
#ifndef DAEMON_ADMIN_SCRAPE_H
#define DAEMON_ADMIN_SCRAPE_H

#include <stdint.h>

struct lag;
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
