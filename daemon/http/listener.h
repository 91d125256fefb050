/* SPDX-License-Identifier: MIT
 *
 * listener.h - listening sockets, and the threads that serve them, each with its own event loop.
 *
 * Ownership  listener_new() creates it; listener_free() frees it, also after a failed start.
 * Threads    Every function on the thread that created it, unless noted.
 * Errors     false or NULL, with errno.
 */
#ifndef DAEMON_HTTP_LISTENER_H
#define DAEMON_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/http/connection.h"

struct listener;
struct heartbeats;
struct st_h2o_context_t;
struct st_h2o_pathconf_t;

struct listener_options {
    unsigned threads;
    struct connection_limits limits;
    struct heartbeats *heartbeats; /* one is added per loop, as `name`; may be NULL */
    const char *name;
    const struct proxies *proxies; /* may name their clients; NULL: no proxy may */
    void *data;
    /* Adds the request handlers. */
    void (*setup)(void *data, struct st_h2o_pathconf_t *path);
    /* On each loop; as in struct http1_config. */
    bool (*answer_head)(void *data, struct st_h2o_req_t *req);
    void (*refuse)(void *data, struct st_h2o_req_t *req, enum response_problem problem);
    /* Runs on each loop after each turn; may be NULL. */
    void (*turn)(void *data, struct st_h2o_context_t *ctx);
};

/* Returns NULL on failure, with errno. */
struct listener *listener_new(const struct listener_options *options);

enum {
    LISTENER_SOCKETS_MAX = 32 /* passed plus configured */
};

/* Listens on an address, in the syntax of address_read(). Call before listener_start(). Returns
 * false with errno. */
bool listener_add(struct listener *l, const char *address);

/* Takes over a listening socket. Connections not accepted before the stop remain in its backlog
 * for the next process. */
bool listener_adopt(struct listener *l, int fd);

/* Sets PROXY header and TLS of the n-th socket. `handshake` outlives the listener. Call before
 * listener_start(). */
void listener_set_handshake(struct listener *l, size_t n, const struct handshake_config *handshake);

/* Writes the bound address of the n-th socket, with the real port instead of 0. `text` has
 * ADDRESS_TEXT_SIZE bytes. Returns false if there are fewer sockets. */
bool listener_address(const struct listener *l, size_t n, char *text);

/* Starts the threads. Returns false with errno. */
bool listener_start(struct listener *l);

/* Applies new limits, also to open connections. Returns after a turn of every loop. */
void listener_limit(struct listener *l, const struct connection_limits *limits);

/* Returns a sentence for an errno of listener_add() or listener_start(). */
const char *listener_problem(int error);

/* Return the counts: open connections, bytes of unfinished requests, failed handshakes, connections
 * that a limit ended. Any thread. */
unsigned listener_connections(const struct listener *l);
size_t listener_request_bytes(const struct listener *l);
uint64_t listener_refused(const struct listener *l, enum handshake_verdict verdict);
uint64_t listener_ended(const struct listener *l, enum connection_end end);

/* Stops accepting, drains connections for `seconds` at most, and joins the threads. Returns the
 * number of connections cut. */
unsigned listener_stop(struct listener *l, unsigned seconds);

void listener_free(struct listener **l);

#endif
