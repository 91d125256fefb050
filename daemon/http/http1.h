/* SPDX-License-Identifier: MIT
 *
 * http1.h - HTTP/1.1 on a connection: reads requests, calls libh2o's handlers, writes responses.
 *
 * Our own, because libh2o's reader accepts ambiguous requests, keeps every body until it is
 * complete, and shows its handlers neither the bytes nor the phase of a connection.
 *
 * Ownership  http1_new() allocates; the end of the connection frees, after config->closing().
 * Threads    The loop's thread; all loops share `bodies`.
 */
#ifndef DAEMON_HTTP_HTTP1_H
#define DAEMON_HTTP_HTTP1_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/http/response.h"

struct http1;
struct st_h2o_accept_ctx_t;
struct st_h2o_req_t;
struct st_h2o_socket_t;

enum http1_phase {
    HTTP1_IDLE,
    HTTP1_HEAD,
    HTTP1_BODY,
    HTTP1_WORK, /* a handler has the request */
    HTTP1_RESPONSE,
    HTTP1_REST, /* discards a body that nobody wanted */
};

/* Settings and callbacks of a loop's connections. */
struct http1_config {
    struct st_h2o_accept_ctx_t *accept;
    size_t head_max, body_max; /* bytes */
    size_t bodies_max;         /* bytes of requests in memory, all connections together */
    atomic_size_t *bodies;
    void *data;
    /* Answers a request whose body has not arrived. Returns false, without an answer, if it takes
     * the body to do so. */
    bool (*answer_head)(void *data, struct st_h2o_req_t *req);
    /* Answers a request that does not reach the handlers. Its method and path are empty if the
     * head was not read. */
    void (*refuse)(void *data, struct st_h2o_req_t *req, enum response_problem problem);
    /* Returns false if the connection is beyond a limit, and sets *problem. */
    bool (*admit)(struct st_h2o_socket_t *sock, enum response_problem *problem);
    /* Bytes have arrived. */
    void (*active)(struct st_h2o_socket_t *sock);
    /* The socket is about to be closed. With `unread`, the peer may still send a request whose
     * answer it has not read. */
    void (*closing)(struct st_h2o_socket_t *sock, bool unread);
};

/* Aborts on ENOMEM. */
struct http1 *http1_new(const struct http1_config *config, struct st_h2o_socket_t *sock);

/* Starts with the bytes that the socket has buffered. */
void http1_start(struct http1 *http1);

enum http1_phase http1_phase(const struct http1 *http1);

/* Returns true if a handler has the request, or streams its response. */
bool http1_is_busy(const struct http1 *http1);

/* Returns the number of requests so far. */
unsigned http1_requests(const struct http1 *http1);

/* Ends the connection: at once, or after the responses to requests that have arrived. */
void http1_end(struct http1 *http1);

/* Answers an unfinished request with 408, then ends the connection. */
void http1_time_out(struct http1 *http1);

#endif
