/* SPDX-License-Identifier: MIT
 *
 * receiver.h - handler of one request: find the source, verify, store, answer.
 *
 * Ownership  libh2o frees the receiver with its path.
 * Threads    One receiver serves all loops; each loop has its own pending set.
 */
#ifndef DAEMON_RECEIVE_RECEIVER_H
#define DAEMON_RECEIVE_RECEIVER_H

#include "daemon/receive/pending.h"

struct receiver;
struct st_h2o_context_t;
struct st_h2o_pathconf_t;

struct receiver_options {
    struct pending_options pending_set;
};

/* Adds the handler to `path`. Copies `options`, but not the objects they point to. */
struct receiver *receiver_register(struct st_h2o_pathconf_t *path,
                                   const struct receiver_options *options);

/* Ends a turn of the loop; call on each loop after each turn. */
void receiver_turn(struct receiver *receiver, struct st_h2o_context_t *ctx);

#endif
