/* SPDX-License-Identifier: MIT
 *
 * pending.h - verified deliveries waiting for their fsync, and their answers.
 *
 * The writer thread gets a copy of the delivery and posts a loop call back, so no libh2o request
 * crosses threads. A delivery whose sender disconnects meanwhile is still stored.
 *
 * Ownership  A pending delivery holds the policy it began with.
 * Threads    One set per loop; every function on the thread of the loop.
 * Errors     false on ENOMEM.
 */
#ifndef DAEMON_RECEIVE_PENDING_H
#define DAEMON_RECEIVE_PENDING_H

#include <stdbool.h>

struct delivery;
struct delivery_recorder;
struct pending_set;
struct feed;
struct writer;
struct log;
struct metrics;
struct refusal_limit;
struct policy;
struct policy_slot;
struct deliveries;
struct destination;
struct outbox;
struct answer_wait;
struct st_h2o_context_t;
struct st_h2o_req_t;

/* Lets senders wait for the application's answer (answer: upstream). */
struct upstream_answer {
    struct outbox *outbox; /* used on the writer thread only */
    void *data;
    /* Hands the waiter to the queue of the destination. */
    void (*add_waiter)(void *data, const struct destination *destination,
                       struct answer_wait *waiter);
    /* Deliveries became due: the queues look again. Writer thread. */
    void (*rearmed)(void *data);
};

struct pending_options {
    struct writer *writer;
    struct deliveries *deliveries; /* used on the writer thread */
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct refusal_limit *refusal_limit;
    struct policy_slot *policy_slot;
    struct upstream_answer upstream;
};

/* Opens the set of a loop; aborts on ENOMEM. */
struct pending_set *pending_set_open(struct st_h2o_context_t *ctx,
                                     const struct pending_options *options);

/* Waits for pending deliveries, then frees the set. */
void pending_set_close(struct pending_set *pending_set);

/* Takes over the delivery; after its fsync, records it and answers the request. A delivery that is
 * looked up is not stored: it is answered as a duplicate if the store has it, else refused. Returns
 * false on ENOMEM, with no effect. */
bool pending_begin(struct pending_set *pending_set, struct st_h2o_req_t *req, struct delivery *d);

/* Hands the deliveries of this turn to the writer as one batch. Call after each turn of the
 * loop. */
void pending_set_turn(struct pending_set *pending_set);

/* Returns the current policy, valid until the next call or the end of the turn. */
const struct policy *pending_set_policy(struct pending_set *pending_set);

/* Returns true if the last transaction was stored. */
bool pending_set_is_storing(struct pending_set *pending_set);

/* Returns the recorder of the loop. */
struct delivery_recorder *pending_set_recorder(struct pending_set *pending_set);

#endif
