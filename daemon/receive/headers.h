/* SPDX-License-Identifier: MIT
 *
 * headers.h - a request's headers: found for the verifier, and those worth storing written down.
 *
 * What the verifier has asked for and found is what it relied on: these are the sender's signature
 * headers, whatever the scheme.
 */
#ifndef DAEMON_RECEIVE_HEADERS_H
#define DAEMON_RECEIVE_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

struct st_h2o_headers_t;
struct st_h2o_mem_pool_t;

enum {
    REQUEST_HEAD_FIELDS_MAX = 128 /* libh2o takes 100 */
};

struct request_head_used {
    uint8_t at[REQUEST_HEAD_FIELDS_MAX]; /* 1: it was asked for */
};

struct request_head {
    const void *all; /* h2o_headers_t */
    struct request_head_used *used;
};

/* A hookline_find_header: `headers` is a struct request_head. */
size_t request_head_find(const void *headers, const char *name, hookline_bytes *value);

/* Lines of "name: value\n" in lower case: content-type, user-agent, and what was found. */
hookline_bytes request_head_write(const struct request_head *headers,
                                  struct st_h2o_mem_pool_t *pool);

#endif
