/* SPDX-License-Identifier: MIT
 *
 * lanes.h - the lanes of the destinations that are in force, and of those that are none any more as
 * long as something of theirs is under way.
 *
 * Ownership  lanes_init() begins with none, lanes_destroy() frees them.
 * Threads    lanes_prepare() and lanes_cancel() on one, which is the only one to have them changed;
 *            lanes_kick(), lanes_stats() and lanes_rules() on any; the others on the forwarder's.
 */
#ifndef DAEMON_FORWARD_LANES_H
#define DAEMON_FORWARD_LANES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/forward/lane.h"

struct attempt_tools;
struct rules;

struct lanes {
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest;        /* for the first ones, see lane.h */
    pthread_mutex_t mutex; /* held by others, and by the thread while it changes what follows */
    struct rules *rules;   /* held */
    struct lane **all;     /* one for each destination, in the same order; then those that end */
    size_t active, count;
    atomic_bool any;      /* is active */
    atomic_bool settling; /* there are some that end */
};

void lanes_init(struct lanes *lanes);
void lanes_destroy(struct lanes *lanes);

/* What other rules will need. */
struct lanes_change {
    struct rules *rules;
    struct lane **fresh; /* for destinations that have none; NULL where there is one */
    struct lane **all;   /* room for them, and for those that end */
};

/* False without memory; to be cancelled then, too. */
bool lanes_prepare(struct lanes *lanes, struct rules *rules, struct lanes_change *change);
void lanes_cancel(struct lanes_change *change);

/* From now on the lanes are those of the rules, which have been enrolled meanwhile. */
void lanes_follow(struct lanes *lanes, struct lanes_change *change);

/* Lets go of those that have ended. */
void lanes_sweep(struct lanes *lanes);

struct lane *lanes_find(const struct lanes *lanes, int64_t number); /* of a destination; or NULL */
void lanes_tell(const struct lanes *lanes, void (*what)(struct lane *lane));
unsigned lanes_sum(const struct lanes *lanes, unsigned (*of_lane)(const struct lane *lane));

/* ---- on any thread */

void lanes_kick(struct lanes *lanes, const char *name); /* NULL: all */

/* Of the n-th that is in force; false if there are fewer. */
bool lanes_stats(struct lanes *lanes, size_t n, struct lane_stats *stats);

struct rules *lanes_rules(struct lanes *lanes); /* held for the caller */

#endif
