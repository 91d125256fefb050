/* SPDX-License-Identifier: MIT
 *
 * receiver.h - one request: find its source, verify it, have it stored, answer.
 *
 * Threads    One receiver serves all loops; what a request writes to belongs to its loop.
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

/* Serves `path`; libh2o releases it. `options` is copied, what it points to is not. */
struct receiver *receiver_register(struct st_h2o_pathconf_t *path,
                                   const struct receiver_options *options);

/* To be called on each loop after it has handled what was ready. */
void receiver_turn(struct receiver *receiver, struct st_h2o_context_t *ctx);

#endif
