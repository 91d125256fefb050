/* SPDX-License-Identifier: MIT
 *
 * request_head.h - header lookup for the verifier, and the headers that are stored.
 *
 * The stored headers are the signature headers of any scheme, because the lookups of the verifier
 * select them.
 *
 * Threads    The thread of the request's loop.
 */
#ifndef DAEMON_RECEIVE_REQUEST_HEAD_H
#define DAEMON_RECEIVE_REQUEST_HEAD_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- request smuggling */

/* Returns true if the head has more than one Content-Length or Transfer-Encoding. libh2o uses the
 * first Content-Length, and prefers Transfer-Encoding; a proxy that decides otherwise would let a
 * second request be smuggled in (RFC 9112, section 6.3). `head` is the raw request up to its
 * body. Pure. */
bool request_head_is_ambiguous(const char *head, size_t len);

/* ---- headers */

struct st_h2o_headers_t;
struct st_h2o_mem_pool_t;

enum {
    REQUEST_HEAD_FIELDS_MAX = 128 /* libh2o accepts 100 */
};

struct request_head_used {
    uint8_t at[REQUEST_HEAD_FIELDS_MAX]; /* 1: looked up by the verifier */
};

struct request_head {
    const void *all; /* h2o_headers_t */
    struct request_head_used *used;
};

/* Implements hookline_find_header; `headers` is a struct request_head. */
size_t request_head_find(const void *headers, const char *name, hookline_bytes *value);

/* Returns lines "name: value\n" with lower-case names: content-type, user-agent, and the headers
 * that were looked up. */
hookline_bytes request_head_write(const struct request_head *headers,
                                  struct st_h2o_mem_pool_t *pool);

#endif
