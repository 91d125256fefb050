/* SPDX-License-Identifier: MIT
 *
 * server.h - ingest server: the receiver on its listening sockets.
 *
 * Ownership  receive_server_open() creates it; receive_server_free() frees it, also after a failed
 *            start.
 * Threads    Every function on the thread that opened it.
 * Errors     NULL or an exit code, after a message on stderr.
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

/* Creates the server. `options` and the objects they point to outlive the server; `heartbeats`
 * may be NULL. Returns NULL after an error message. */
struct receive_server *receive_server_open(const struct config *config,
                                           const struct receiver_options *options,
                                           struct heartbeats *heartbeats);

/* Listens on the passed sockets and on the other configured addresses. With passed sockets,
 * default addresses are skipped. Prints each address. Returns 0, or the exit code after an error
 * message. */
int receive_server_start(struct receive_server *server, const struct config *config,
                         const struct listen_fds *passed);

/* Applies new limits. On return every loop uses the published policy. */
void receive_server_limit(struct receive_server *server, const struct config_limits *limits);

/* Stops accepting and drains connections for `seconds` at most. */
void receive_server_stop(struct receive_server *server, unsigned seconds);

void receive_server_free(struct receive_server **server);

/* Calls listener_configs_renew(). */
bool receive_server_renew(struct receive_server *server, struct listener_configs **newer);

/* Return the parts whose counts the metrics page reads. */
const struct listener_configs *receive_server_configs(const struct receive_server *server);
const struct listener *receive_server_listener(const struct receive_server *server);

#endif
