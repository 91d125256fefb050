/* SPDX-License-Identifier: MIT
 *
 * forwarder.h - the thread that sends stored deliveries to their destinations.
 *
 * The forwarder reads the store by its own connection and writes by tasks of the writer. Receiver
 * and forwarder meet only in the store, and in the answer_wait of a sender that waits for an
 * answer.
 *
 * Ownership  forwarder_open() allocates, forwarder_free() frees.
 * Threads    forwarder_open(), _stop(), _free() and forwarder_change_*() one thread; the others any
 *            thread until forwarder_stop().
 */
#ifndef DAEMON_FORWARD_FORWARDER_H
#define DAEMON_FORWARD_FORWARDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/forward/answer_wait.h"
#include "daemon/forward/queue.h"
#include "daemon/store/writer.h"

struct destination;
struct feed;
struct forwarder;
struct forwarder_change;
struct log;
struct outbox;
struct heartbeats;
struct policy;

struct forwarder_options {
    struct policy *policy; /* its destinations are registered; the forwarder holds it */
    const char *store;     /* path */
    struct writer *writer;
    struct outbox *outbox; /* the writer's, for tasks */
    struct log *log;
    struct feed *feed;
    struct heartbeats *heartbeats; /* the forwarder adds its own; may be NULL */
    int64_t newest;                /* newest seq in the store */
    void *data;
    void (*failed)(void *data, const char *why); /* reading the store failed; forwarder thread */
};

/* Starts the thread. Returns NULL with the reason in `why`. */
struct forwarder *forwarder_open(const struct forwarder_options *options, char why[DB_WHY_SIZE]);

/* From that moment of the monotonic clock on no sender waits for an answer. Attempts go on. */
void forwarder_end_waits(struct forwarder *forwarder, int64_t at_us);

/* Stops starting attempts, waits up to `seconds` for running ones, records their outcomes, joins
 * the thread and closes the store. Call it before writer_close(). */
void forwarder_stop(struct forwarder *forwarder, unsigned seconds);

/* Frees the forwarder, once no thread can wake it any more. */
void forwarder_free(struct forwarder **forwarder);

/* Wakes the thread after a commit; cheap if the thread is awake. */
void forwarder_wake(struct forwarder *forwarder);

/* Looks for due deliveries of the destination now, even if the breaker pauses it; NULL: of all.
 * Any thread. */
void forwarder_kick(struct forwarder *forwarder, const char *destination);

/* ---- policy change */

/* Allocates everything a new policy needs, so that the change itself cannot fail. Returns NULL on
 * ENOMEM. */
struct forwarder_change *forwarder_change_prepare(struct forwarder *forwarder,
                                                  struct policy *policy);
void forwarder_change_cancel(struct forwarder_change **change);

/* Switches to the policy, whose destinations are registered by now; cannot fail. Queues of
 * removed destinations drain: running attempts end, and senders that hold the old policy still
 * get answers. */
void forwarder_change_follow(struct forwarder_change **change);

/* Returns true while retired queues drain. The caller must wake the forwarder until then. */
bool forwarder_is_settling(const struct forwarder *forwarder);

/* ---- waiting senders and orders */

/* Gets the destination's answer to waiter->seq, whose row of outbox_add() is committed. The caller
 * holds the destination's policy until done(). */
void forwarder_add_waiter(struct forwarder *forwarder, const struct destination *destination,
                          struct answer_wait *waiter);

enum forwarder_order_kind {
    FORWARDER_REPLAY, /* send again with all tries, whatever the state */
    FORWARDER_DISCARD,
};

/* An order of the admin API. The caller owns it before forwarder_order() and from done() on. */
struct forwarder_order {
    /* set by the forwarder */
    struct writer_task task;
    struct forwarder *forwarder;
    struct policy *policy; /* in force at forwarder_order(); held */

    /* set by the caller */
    enum forwarder_order_kind what;
    const char *destination; /* NULL: all */
    const int64_t *seqs;
    size_t count;
    void *data;
    /* Runs on the writer thread, which waits: only post a message here. */
    void (*done)(struct forwarder_order *order, enum writer_outcome outcome);

    size_t changed; /* result: affected deliveries, counted once a destination */
};

enum forwarder_order_result {
    FORWARDER_ACCEPTED,
    FORWARDER_NO_DESTINATION, /* unknown name, or none configured; done() is not called */
    FORWARDER_BUSY,           /* the writer's queue is full; done() is not called */
};

enum forwarder_order_result forwarder_order(struct forwarder *forwarder,
                                            struct forwarder_order *order);

/* ---- state */

/* Returns true if the policy has a destination. */
bool forwarder_has_destinations(const struct forwarder *forwarder);

/* Returns false since a read of the store failed, until the next success. Any thread. */
bool forwarder_can_read(const struct forwarder *forwarder);

/* Reads the counters of the n-th active destination; returns false if n is out of range. */
bool forwarder_stats(struct forwarder *forwarder, size_t n, struct queue_stats *stats);

#endif
