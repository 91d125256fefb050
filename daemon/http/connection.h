/* SPDX-License-Identifier: MIT
 *
 * connection.h - connections of one loop: limits, deadlines, and how they end.
 *
 * Ownership  A set belongs to its loop's thread; all sets share the counts.
 * Threads    Every function on the thread of the loop.
 */
#ifndef DAEMON_HTTP_CONNECTION_H
#define DAEMON_HTTP_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/net.h"
#include "daemon/http/handshake.h"
#include "daemon/http/response.h"

/* ---- client address */

struct proxies;
struct st_h2o_req_t;

/* The peer of a request, or the client that a trusted proxy names. */
struct client_addr {
    struct network_host host;     /* family 0 without an IP address, e.g. a Unix socket */
    char text[ADDRESS_TEXT_SIZE]; /* ADDRESS:PORT of the peer, or ADDRESS from
                                   * X-Forwarded-For */
    bool is_proxy;                /* a trusted proxy that named no client */
};

/* Returns true if refusals may count against the host. False for a Unix socket, and for a proxy
 * that named no client, because both carry many senders. */
bool client_addr_is_known(const struct client_addr *sender);

/* ---- deadlines */

enum deadline_phase {
    DEADLINE_HANDSHAKE, /* PROXY header and TLS */
    DEADLINE_IDLE,
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WORK, /* the daemon handles the request: no limit */
    DEADLINE_RESPONSE,
    DEADLINE_CLOSING, /* TLS says goodbye */
};

enum {
    DEADLINE_PHASES = DEADLINE_CLOSING + 1
};

struct deadline_limits {
    unsigned header_s, body_s, idle_s;
};

struct deadline {
    enum deadline_phase phase;
    unsigned request; /* number of the current request of the connection */
    int64_t since_us;
};

/* Restarts the clock if the phase or the request changed. */
void deadline_enter(struct deadline *deadline, enum deadline_phase phase, unsigned request,
                    int64_t now_us);

/* Returns true if the phase has lasted longer than its limit. */
bool deadline_is_over(const struct deadline *deadline, const struct deadline_limits *limits,
                      int64_t now_us);

/* ---- connections */

struct conn_count;
struct st_h2o_accept_ctx_t;
struct st_h2o_socket_t;

/* Limits that end a connection. */
enum connection_end {
    CONNECTION_TOO_MANY,
    CONNECTION_TOO_MANY_FROM_ADDRESS,
    CONNECTION_MADE_ROOM, /* idle, and a new connection needed its place */
    CONNECTION_BAD_HEAD,
    CONNECTION_BODIES_FULL,
    CONNECTION_SLOW_HEAD,
    CONNECTION_SLOW_BODY,
    CONNECTION_SLOW_READER,
    CONNECTION_IDLE,
};

enum {
    CONNECTION_ENDS = CONNECTION_IDLE + 1
};

/* Returns "too_many_connections", "slow_head", ...: values of a metric's label. */
const char *connection_end_name(enum connection_end end);

struct connection_counts {
    atomic_uint open;
    atomic_size_t bodies;    /* bytes of unfinished requests in memory */
    atomic_uint idle_sets;   /* with a connection that can make room, at their last sweep */
    atomic_uint room_wanted; /* connections that one of these is to end */
    struct conn_count *conn_count;
    atomic_uint_fast64_t ended[CONNECTION_ENDS];      /* per limit */
    atomic_uint_fast64_t refused[HANDSHAKE_VERDICTS]; /* per failed handshake */
};

struct connection_limits {
    unsigned connections; /* on all loops; for one more, the one that is idle longest ends; if
                           * none is idle, some more are accepted and answered 503 */
    unsigned per_address; /* of one host; some more are accepted and answered 429; 0: no limit */
    size_t head_bytes, body_bytes; /* of one request */
    size_t bodies_bytes;           /* of all unfinished requests; beyond it: 503 */
    struct deadline_limits deadlines;
};

struct connection_options {
    struct st_h2o_accept_ctx_t *accept;
    struct connection_limits limits;
    const struct proxies *proxies; /* may name their clients; NULL: no proxy may */
    struct connection_counts *counts;
    void *data;
    /* As in struct http1_config. */
    bool (*answer_head)(void *data, struct st_h2o_req_t *req);
    void (*refuse)(void *data, struct st_h2o_req_t *req, enum response_problem problem);
};

struct connection_set;

struct connection_set *connection_set_new(const struct connection_options *options);

/* Applies new limits, also to open connections. */
void connection_set_limit(struct connection_set *set, const struct connection_limits *limits);

void connection_set_free(struct connection_set **set);

/* Takes an accepted connection. `handshake` outlives the connection; NULL: plain HTTP. */
void connection_begin(struct connection_set *set, struct st_h2o_socket_t *sock,
                      const struct handshake_config *handshake);

/* Ends overdue connections; call about once a second. With `draining`, also ends idle ones. */
void connection_sweep(struct connection_set *set, bool draining);

/* Ends connections whose peer sent a TLS close_notify, after the response to a request in progress, and
 * one that makes room on another loop. Call after each turn of the loop. */
void connection_turn(struct connection_set *set);

/* Returns the number of open connections, including lingering ones. */
unsigned connection_set_size(const struct connection_set *set);

/* Ends every connection at once, also during a request. */
void connection_set_cut(struct connection_set *set);

/* Sets *sender to the address of the request's sender. */
void connection_client_addr(struct st_h2o_req_t *req, struct client_addr *sender);

/* Restarts the response deadline, because the client took part of a streamed answer. */
void connection_note_progress(struct st_h2o_req_t *req);

#endif
