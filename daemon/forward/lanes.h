/* SPDX-License-Identifier: MIT
 *
 * lanes.h - the lanes of the destinations that are in force, and of those that are none any more as
 * long as something of theirs is under way.
 *
 * Ownership  queues_init() begins with none, queues_destroy() frees them.
 * Threads    queues_prepare() and queues_cancel() on one, which is the only one to have them changed;
 *            queues_kick(), queues_stats() and queues_policy() on any; the others on the forwarder's.
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
struct policy;

struct queues {
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest;        /* for the first ones, see lane.h */
    pthread_mutex_t mutex; /* held by others, and by the thread while it changes what follows */
    struct policy *policy; /* held */
    struct queue **all;    /* one for each destination, in the same order; then those that end */
    size_t active, count;
    atomic_bool any;      /* is active */
    atomic_bool settling; /* there are some that end */
};

void queues_init(struct queues *queues);
void queues_destroy(struct queues *queues);

/* What other rules will need. */
struct queues_change {
    struct policy *policy;
    struct queue **fresh; /* for destinations that have none; NULL where there is one */
    struct queue **all;   /* room for them, and for those that end */
};

/* False without memory; to be cancelled then, too. */
bool queues_prepare(struct queues *queues, struct policy *policy, struct queues_change *change);
void queues_cancel(struct queues_change *change);

/* From now on the lanes are those of the rules, which have been enrolled meanwhile. */
void queues_follow(struct queues *queues, struct queues_change *change);

/* Lets go of those that have ended. */
void queues_sweep(struct queues *queues);

struct queue *queues_find(const struct queues *queues,
                          int64_t number); /* of a destination; or NULL */
void queues_each(const struct queues *queues, void (*what)(struct queue *queue));
unsigned queues_sum(const struct queues *queues, unsigned (*of_queue)(const struct queue *queue));

/* ---- on any thread */

void queues_kick(struct queues *queues, const char *name); /* NULL: all */

/* Of the n-th that is in force; false if there are fewer. */
bool queues_stats(struct queues *queues, size_t n, struct queue_stats *stats);

struct policy *queues_policy(struct queues *queues); /* held for the caller */

#endif
