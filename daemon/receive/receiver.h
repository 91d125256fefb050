/* SPDX-License-Identifier: MIT
 *
 * receiver.h - handler of one request: find the source, verify, store, answer.
 *
 * Ownership  libh2o frees the receiver with its path.
 * Threads    One receiver serves all loops; each loop has its own pending set.
 */
#ifndef DAEMON_RECEIVE_RECEIVER_H
#define DAEMON_RECEIVE_RECEIVER_H

#include <stdbool.h>

#include "daemon/http/response.h"
#include "daemon/receive/pending.h"

struct receiver;
struct st_h2o_context_t;
struct st_h2o_pathconf_t;
struct st_h2o_req_t;

struct receiver_options {
    struct pending_options pending_set;
};

/* Adds the handler to `path`. Copies `options`, but not the objects they point to. */
struct receiver *receiver_register(struct st_h2o_pathconf_t *path,
                                   const struct receiver_options *options);

/* Refuses a request whose body has not arrived, or answers OPTIONS. Returns false, without an answer,
 * if the body decides. */
bool receiver_answer_head(struct receiver *receiver, struct st_h2o_req_t *req);

/* Answers and records a request that does not reach the handler. */
void receiver_answer_problem(struct receiver *receiver, struct st_h2o_req_t *req,
                             enum response_problem problem);

/* Ends a turn of the loop; call on each loop after each turn. */
void receiver_turn(struct receiver *receiver, struct st_h2o_context_t *ctx);

#endif
