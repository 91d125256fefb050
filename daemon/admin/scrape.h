/* SPDX-License-Identifier: MIT
 *
 * scrape.h - everything that /metrics says, gathered from those who know.
 *
 * Threads    That of the backlog's and the standing's store.
 */
#ifndef DAEMON_ADMIN_SCRAPE_H
#define DAEMON_ADMIN_SCRAPE_H

#include <stdint.h>

struct backlog;
struct entrances;
struct exposition;
struct forwarder;
struct listener;
struct metrics;
struct standing;
struct storage;
struct store;

struct scrape {
    const char *version;
    int64_t start_us; /* of the process, since 1970 */
    const struct metrics *metrics;
    const struct listener *listener; /* where deliveries arrive */
    const struct entrances *entrances;
    struct storage *storage;
    struct forwarder *forwarder; /* NULL: there are no destinations */
    struct store *store;         /* a reader's, as are ... */
    struct standing *standing;   /* ... this */
    struct backlog *backlog;     /* ... and this */
};

void scrape_write(const struct scrape *scrape, struct exposition *e);

#endif
