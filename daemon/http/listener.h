/* SPDX-License-Identifier: MIT
 *
 * listener.h - listening sockets and the threads that serve them, each with a loop of its own.
 *
 * Ownership  listener_open() makes it, listener_free() ends it, also after a failure half-way.
 * Threads    Every function on the thread that opened it, unless it says otherwise.
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
    size_t body_max; /* bytes; read no further */
    struct connection_limits limits;
    struct heartbeats *heartbeats; /* those of the loops are added, as `name`; may be NULL */
    const char *name;
    const struct proxies *proxies; /* as in connection.h */
    void *data;
    /* Registers what answers requests. */
    void (*setup)(void *data, struct st_h2o_pathconf_t *path);
    /* On each loop, after it has handled what was ready; may be NULL. */
    void (*turn)(void *data, struct st_h2o_context_t *ctx);
};

/* NULL on failure, with errno. */
struct listener *listener_new(const struct listener_options *options);

enum {
    LISTENER_SOCKETS_MAX = 32 /* those that are passed, and those that are configured */
};

/* An address as address.h reads it. Call it for each before listener_start(). False with errno. */
bool listener_add(struct listener *l, const char *address);

/* The same for a socket that listens already, which is the listener's from now on. What has not
 * been accepted when it stops waits for the next one who has the socket. */
bool listener_adopt(struct listener *l, int fd);

/* Leads those who come to the n-th socket through an entrance, which outlives the listener. Before
 * listener_start(). */
void listener_set_handshake(struct listener *l, size_t n, const struct handshake_config *handshake);

/* The address of the n-th socket as it is bound: tells the port that 0 became. False if there
 * are fewer. `text` has ADDRESS_TEXT_SIZE bytes. */
bool listener_address(const struct listener *l, size_t n, char *text);

bool listener_start(struct listener *l); /* false with errno */

/* Other limits, also for the connections that are open. Each loop has had a turn when it returns.
 */
void listener_limit(struct listener *l, size_t body_max, const struct connection_limits *limits);

/* What an errno of listener_add() or listener_start() means, for people. */
const char *listener_problem(int error);

/* How many are open, and how many were refused at the entrance. On any thread. */
unsigned listener_connections(const struct listener *l);
uint64_t listener_refused(const struct listener *l, enum handshake_verdict verdict);
uint64_t listener_ended(const struct listener *l, enum connection_end end); /* by a limit */

/* Accepts no more, lets what is in flight end, for `seconds` at most, and joins the threads.
 * Returns how many connections were cut. */
unsigned listener_stop(struct listener *l, unsigned seconds);

void listener_free(struct listener **l);

#endif
