/* SPDX-License-Identifier: MIT
 *
 * server.h - the public side: the receiver on its listening sockets.
 *
 * Ownership  receive_server_open() makes it, receive_server_free() ends it, also after a failure half-way.
 * Threads    Every function on the thread that opened it.
 */
#ifndef DAEMON_RECEIVE_SERVER_H
#define DAEMON_RECEIVE_SERVER_H

#include <stdbool.h>

struct config;
struct config_limits;
struct listener_configs;
struct receive_server;
struct listener;
struct listen_fds;
struct heartbeats;
struct receiver_options;

/* What `options` points to is used to the end; `pulses` may be NULL. NULL after a notice. */
struct receive_server *receive_server_open(const struct config *config,
                                           const struct receiver_options *options,
                                           struct heartbeats *heartbeats);

/* Listens on what was passed, and on every address that was not, or on no other where nobody has
 * asked for one; and says so. 0, or the code to exit with after a notice. */
int receive_server_start(struct receive_server *server, const struct config *config,
                         const struct listen_fds *passed);

/* Other limits; `limits` are complete. When it returns each loop looks at the rules that are
 * posted. */
void receive_server_limit(struct receive_server *server, const struct config_limits *limits);

/* Accepts no more and answers what has begun, for so long at most. */
void receive_server_stop(struct receive_server *server, unsigned seconds);

void receive_server_free(struct receive_server **server);

/* As entrances.h has it. */
bool receive_server_renew(struct receive_server *server, struct listener_configs **newer);

/* Their numbers are for others to read. */
const struct listener_configs *receive_server_configs(const struct receive_server *server);
const struct listener *receive_server_listener(const struct receive_server *server);

#endif
