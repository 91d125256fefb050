/* SPDX-License-Identifier: MIT
 *
 * receiver.h - one request: find its source, verify it, record it, answer.
 *
 * Threads    One receiver serves all loops; what a request writes to belongs to its loop.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

struct log;
struct receiver;
struct sources;
struct st_h2o_pathconf_t;

struct receiver_options {
    const struct sources *sources;
    struct log *log;
    bool log_body;
    size_t body_max; /* bytes */
};

/* Serves `path`; libh2o releases it. `options` is copied, what it points to is not. */
void receiver_register(struct st_h2o_pathconf_t *path, const struct receiver_options *options);

#endif
