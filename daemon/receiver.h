/* SPDX-License-Identifier: MIT
 *
 * receiver.h - one request: find its source, verify it, have it stored, answer.
 *
 * Threads    One receiver serves all loops; what a request writes to belongs to its loop.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <stddef.h>

#include "deposit.h"

struct receiver;
struct sources;
struct st_h2o_context_t;
struct st_h2o_pathconf_t;

struct receiver_options {
    const struct sources *sources;
    struct deposits_options deposits;
    size_t body_max; /* bytes */
    size_t head_max; /* of path and headers */
};

/* Serves `path`; libh2o releases it. `options` is copied, what it points to is not. */
struct receiver *receiver_register(struct st_h2o_pathconf_t *path,
                                   const struct receiver_options *options);

/* To be called on each loop after it has handled what was ready. */
void receiver_turn(struct receiver *receiver, struct st_h2o_context_t *ctx);

#endif
