/* SPDX-License-Identifier: MIT
 *
 * request_head.h - header lookup for the verifier, and the headers that are stored.
 *
 * Threads    The thread of the request's loop.
 */
#ifndef DAEMON_RECEIVE_REQUEST_HEAD_H
#define DAEMON_RECEIVE_REQUEST_HEAD_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- headers */

struct st_h2o_mem_pool_t;

/* Implements hookline_find_header; `headers` is an h2o_headers_t. */
size_t request_head_find(const void *headers, const char *name, hookline_bytes *value);

/* Returns lines "name: value\n" with lower-case names, in the order of the request: each header
 * that travels (header_name.h), except those that Connection names. A control character in a value
 * becomes a blank. `headers` is an h2o_headers_t. */
hookline_bytes request_head_write(const void *headers, struct st_h2o_mem_pool_t *pool);

/* ---- path */

/* Returns the path of the request, and its query without "?": NULL base without a query. Points into
 * the request. */
struct st_h2o_req_t;
hookline_bytes request_head_path(const struct st_h2o_req_t *req, hookline_bytes *query);

#endif
