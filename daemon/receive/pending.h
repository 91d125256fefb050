/* SPDX-License-Identifier: MIT
 *
 * pending.h - a verified delivery on its way to the disk, and its answer on the way back.
 *
 * The writer's thread gets a copy of the bytes and gives it back by a loop call: no request of
 * libh2o's crosses a thread. A sender that leaves meanwhile is not answered; its delivery is stored
 * all the same.
 *
 * Threads    Each loop has deposits of its own; every function on the thread of the loop.
 */
#ifndef DAEMON_RECEIVE_PENDING_H
#define DAEMON_RECEIVE_PENDING_H

#include <stdbool.h>

#include "daemon/receive/upstream_answer.h"

struct delivery;
struct delivery_recorder;
struct pending_set;
struct feed;
struct request_head;
struct writer;
struct log;
struct metrics;
struct refusal_limit;
struct policy;
struct policy_slot;
struct deliveries;
struct st_h2o_context_t;
struct st_h2o_req_t;

struct pending_options {
    struct writer *writer;
    struct deliveries *deliveries; /* of the journal */
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct refusal_limit *refusal_limit;
    struct policy_slot *policy_slot;
    struct upstream_answer upstream;
};

struct pending_set *pending_set_open(struct st_h2o_context_t *ctx,
                                     const struct pending_options *options);

/* Waits for what the journal still has. */
void pending_set_close(struct pending_set *pending_set);

/* Takes the delivery over, answers the request and records the delivery when the journal has
 * spoken. False without memory: nothing has happened then. */
bool pending_begin(struct pending_set *pending_set, struct st_h2o_req_t *req, struct delivery *d,
                   const struct request_head *headers);

/* To be called when the loop has handled what was ready: hands what began meanwhile to the journal
 * in one piece. */
void pending_set_turn(struct pending_set *pending_set);

/* Those in force, until this is called again or the loop's turn ends. A deposit keeps those under
 * which it has begun. */
const struct policy *pending_set_policy(struct pending_set *pending_set);

/* What the loop writes its lines with. */
struct delivery_recorder *pending_set_recorder(struct pending_set *pending_set);

#endif
