/* SPDX-License-Identifier: MIT
 *
 * forwarder.h - the thread that takes deliveries from the store to their destinations.
 *
 * It reads the store by a connection of its own and writes by tasks of the journal. The receiver
 * and the forwarder meet in the store; for who waits for the destination's answer there are relays.
 *
 * Threads    forwarder_open(), forwarder_stop() and forwarder_free() on one; the others on any, as
 *            long as it is not stopped.
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
    struct policy *policy; /* their destinations are enrolled; it holds them */
    const char *store;     /* the path */
    struct writer *writer;
    struct outbox *outbox; /* the journal's; it is used by tasks */
    struct log *log;
    struct feed *feed;
    struct heartbeats *heartbeats; /* that of its thread is added; may be NULL */
    int64_t newest;                /* seq that is in the store */
    void *data;
    void (*failed)(void *data, const char *why); /* the store could not be read; on its thread */
};

/* Starts the thread. NULL, and in `why` what is wrong. */
struct forwarder *forwarder_open(const struct forwarder_options *options, char why[DB_WHY_SIZE]);

/* Starts no attempts any more, lets those under way end, for `seconds` at most, has their outcomes
 * recorded, joins the thread and closes the store. Before the journal is closed. */
void forwarder_stop(struct forwarder *f, unsigned seconds);

/* When nobody can wake it any more. */
void forwarder_free(struct forwarder **f);

/* Something was committed. Costs next to nothing. */
void forwarder_wake(struct forwarder *f);

/* Makes what other rules will need, before anybody follows them. NULL without memory. */
struct forwarder_change *forwarder_change_prepare(struct forwarder *f, struct policy *policy);
void forwarder_change_cancel(struct forwarder_change **change);

/* Follows the rules, whose destinations have been enrolled in the meantime, from the return on.
 * That cannot fail. What is under way to destinations that are none any more ends, and so it does
 * for senders that come and wait for their answers, as long as anybody else holds the rules before.
 */
void forwarder_change_follow(struct forwarder_change **change);

/* Whether some of that is still to end; to be woken now and then it needs somebody else. */
bool forwarder_is_settling(const struct forwarder *f);

/* Gets the answer to relay->seq from the destination. The row that outbox_add() makes is in the
 * store already. Whoever asks holds the destination's rules until done(). */
void forwarder_add_waiter(struct forwarder *f, const struct destination *d,
                          struct answer_wait *waiter);

enum forwarder_order_kind {
    FORWARDER_REPLAY, /* once more, with all tries, whatever became of it before */
    FORWARDER_DISCARD,
};

/* What an administrator wants. The asker's until forwarder_order(), and again from done() on. */
struct forwarder_order {
    struct writer_task task;     /* the forwarder's, as is ... */
    struct forwarder *forwarder; /* ... this ... */
    struct policy *policy;       /* ... and this, held: those in force when it was given */

    enum forwarder_order_kind what;
    const char *destination; /* NULL: all */
    const int64_t *seqs;
    size_t count;
    void *data; /* the asker's */
    /* On the journal's thread, which waits for it: it posts a message, no more. */
    void (*done)(struct forwarder_order *order, enum writer_outcome outcome);

    size_t changed; /* how many deliveries it concerned, each counted for each destination */
};

enum forwarder_order_result {
    FORWARDER_ACCEPTED,
    FORWARDER_NO_DESTINATION, /* of that name, or none at all; done() is not called */
    FORWARDER_BUSY,           /* the journal takes no more; neither */
};

enum forwarder_order_result forwarder_order(struct forwarder *f, struct forwarder_order *order);

/* Whether there is anything to forward to. */
bool forwarder_has_destinations(const struct forwarder *f);

/* Of the n-th destination that is in force. False if there are fewer. */
bool forwarder_stats(struct forwarder *f, size_t n, struct queue_stats *stats);

#endif
