/* SPDX-License-Identifier: MIT
 *
 * connection.h - the connections of one loop: how many, how long, and how they end.
 *
 * Ownership  A set belongs to its loop's thread; the counts are shared by all of them.
 * Threads    Every function on the thread of the loop.
 */
#ifndef DAEMON_HTTP_CONNECTION_H
#define DAEMON_HTTP_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/http/handshake.h"

/* ---- what a connection is doing, and whether it has done so for too long. Pure. */

enum deadline_phase {
    DEADLINE_HANDSHAKE, /* before HTTP */
    DEADLINE_IDLE,
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WORK, /* ours, which takes what it takes */
    DEADLINE_RESPONSE,
    DEADLINE_CLOSING, /* there is something left to write */
};

enum {
    DEADLINE_PHASES = DEADLINE_CLOSING + 1
};

struct deadline_limits {
    unsigned header_s, body_s, idle_s;
};

struct deadline {
    enum deadline_phase phase;
    unsigned request; /* in which it is, of those of the connection */
    int64_t since_us;
};

/* Begins anew if the phase is another one, or the same of another request. */
void deadline_enter(struct deadline *deadline, enum deadline_phase phase, unsigned request,
                    int64_t now_us);

bool deadline_is_over(const struct deadline *deadline, const struct deadline_limits *limits,
                      int64_t now_us);

struct conn_count;
struct proxies;
struct client_addr;
struct st_h2o_accept_ctx_t;
struct st_h2o_pathconf_t;
struct st_h2o_req_t;
struct st_h2o_socket_t;

/* Why a limit ended a connection. */
enum connection_end {
    CONNECTION_TOO_MANY,
    CONNECTION_TOO_MANY_FROM_ADDRESS,
    CONNECTION_BAD_HEAD,
    CONNECTION_SLOW_HEAD,
    CONNECTION_SLOW_BODY,
    CONNECTION_SLOW_READER,
    CONNECTION_IDLE,
};

enum {
    CONNECTION_ENDS = CONNECTION_IDLE + 1
};

const char *connection_end_name(enum connection_end end);

struct connection_counts {
    atomic_uint open;
    struct conn_count *conn_count;
    atomic_uint_fast64_t ended[CONNECTION_ENDS];      /* by a limit */
    atomic_uint_fast64_t refused[HANDSHAKE_VERDICTS]; /* before HTTP */
};

struct connection_limits {
    unsigned connections; /* of all loops; some more are taken, to be told so */
    unsigned per_address; /* the same, of one host; 0: no limit */
    struct deadline_limits deadlines;
};

struct connection_set;

/* `proxies` are believed in what they say about their clients; NULL: nobody is. */
struct connection_set *connection_set_new(struct st_h2o_accept_ctx_t *accept,
                                          const struct connection_limits *limits,
                                          const struct proxies *proxies,
                                          struct connection_counts *counts);
/* Other limits, also for those that are open. */
void connection_set_limit(struct connection_set *set, const struct connection_limits *limits);

void connection_set_free(struct connection_set **set);

/* Takes a connection that was just accepted. The entrance outlives it; NULL: there is none. */
void connection_begin(struct connection_set *set, struct st_h2o_socket_t *sock,
                      const struct handshake_config *handshake);

/* Ends the connections whose time is over: call it about once a second. With `draining` also
 * those that are idle. */
void connection_sweep(struct connection_set *set, bool draining);

/* Ends the connections of those who have said that no more comes from them, once they wait for
 * nothing: call it whenever the loop has handled what was ready. */
void connection_turn(struct connection_set *set);

/* The open connections of this set. */
unsigned connection_set_size(const struct connection_set *set);

/* Ends them all, whatever they are doing. */
void connection_set_cut(struct connection_set *set);

/* Answers requests on connections beyond the limit. */
void connection_register(struct st_h2o_pathconf_t *path);

/* Who has sent the request. */
void connection_client_addr(struct st_h2o_req_t *req, struct client_addr *sender);

/* Some of an answer without an end was taken: the time in which that has to happen begins anew. */
void connection_note_progress(struct st_h2o_req_t *req);

/* The request will be answered in a later turn of the loop. Its texts may be gone from now on. */
void connection_defer(struct st_h2o_req_t *req);

/* The response that is being set up ends the connection before all of the request was read:
 * keep reading for a while, or the peer's kernel would throw the response away. */
void connection_linger(struct st_h2o_req_t *req);

#endif
