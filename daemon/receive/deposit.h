/* SPDX-License-Identifier: MIT
 *
 * deposit.h - a verified delivery on its way to the disk, and its answer on the way back.
 *
 * The journal's thread gets a copy of the bytes and gives back a message to the loop: no request of
 * libh2o's crosses a thread. A sender that leaves meanwhile is not answered; its delivery is stored
 * all the same.
 *
 * Threads    Each loop has deposits of its own; every function on the thread of the loop.
 */
#ifndef DAEMON_RECEIVE_DEPOSIT_H
#define DAEMON_RECEIVE_DEPOSIT_H

#include <stdbool.h>

#include "daemon/receive/handover.h"

struct delivery;
struct delivery_recorder;
struct deposits;
struct feed;
struct headers;
struct journal;
struct log;
struct metrics;
struct offenders;
struct rules;
struct rules_board;
struct shelf;
struct st_h2o_context_t;
struct st_h2o_req_t;

struct deposits_options {
    struct journal *journal;
    struct shelf *shelf; /* of the journal */
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct offenders *offenders;
    struct rules_board *board;
    struct handover handover;
};

struct deposits *deposits_open(struct st_h2o_context_t *ctx,
                               const struct deposits_options *options);

/* Waits for what the journal still has. */
void deposits_close(struct deposits *deposits);

/* Takes the delivery over, answers the request and records the delivery when the journal has
 * spoken. False without memory: nothing has happened then. */
bool deposit_begin(struct deposits *deposits, struct st_h2o_req_t *req, struct delivery *d,
                   const struct headers *headers);

/* To be called when the loop has handled what was ready: hands what began meanwhile to the journal
 * in one piece. */
void deposits_turn(struct deposits *deposits);

/* Those in force, until this is called again or the loop's turn ends. A deposit keeps those under
 * which it has begun. */
const struct rules *deposits_rules(struct deposits *deposits);

/* What the loop writes its lines with. */
struct delivery_recorder *deposits_recorder(struct deposits *deposits);

#endif
