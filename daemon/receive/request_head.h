/* SPDX-License-Identifier: MIT
 *
 * request_head.h - a request's headers: found for the verifier, and those worth storing written down.
 *
 * What the verifier has asked for and found is what it relied on: these are the sender's signature
 * headers, whatever the scheme.
 */
#ifndef DAEMON_RECEIVE_REQUEST_HEAD_H
#define DAEMON_RECEIVE_REQUEST_HEAD_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- where the body of a request ends, and whether a proxy in front of us could see it
 * end elsewhere. Pure. */

/* libh2o takes the first of several Content-Lengths, and Transfer-Encoding before any of them. A
 * proxy that decides otherwise would let a second request be smuggled inside of the first
 * (RFC 9112, section 6.3). `head` is the request up to its body. */
bool request_head_is_ambiguous(const char *head, size_t len);

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
