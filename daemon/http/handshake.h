/* SPDX-License-Identifier: MIT
 *
 * handshake.h - PROXY header and TLS handshake of a connection, before HTTP.
 *
 * Threads    Every function on the thread of the loop.
 */
#ifndef DAEMON_HTTP_HANDSHAKE_H
#define DAEMON_HTTP_HANDSHAKE_H

#include <stdbool.h>

struct proxies;
struct st_h2o_socket_t;
struct tls;

struct handshake_config {
    struct tls *tls; /* NULL: no TLS */
    const struct proxies
        *proxies; /* proxies that must send a PROXY header; NULL: no PROXY header */
};

enum handshake_verdict {
    HANDSHAKE_OK,
    HANDSHAKE_PEER_LEFT, /* closed by the peer, or shut down here */
    HANDSHAKE_UNTRUSTED_PROXY,
    HANDSHAKE_NO_PROXY_HEADER,
    HANDSHAKE_NO_TLS,
    HANDSHAKE_TLS_FAILED,
};

enum {
    HANDSHAKE_VERDICTS = HANDSHAKE_TLS_FAILED + 1
};

/* Returns "untrusted_proxy", "no_tls", ...; NULL for HANDSHAKE_OK and HANDSHAKE_PEER_LEFT. */
const char *handshake_verdict_name(enum handshake_verdict verdict);

/* Reports that the PROXY header set the peer address. Returns false after closing the socket;
 * handshake_done is not called then. */
typedef bool handshake_peer_known(struct st_h2o_socket_t *sock);

typedef void handshake_done(struct st_h2o_socket_t *sock, enum handshake_verdict verdict);

/* Calls `done` once, now or in a later turn. Until then the handshake owns the socket's data
 * pointer and read callback. Sets no deadline: shutting the socket down ends the handshake. An
 * error has been sent to the peer before `done`; `done` closes the socket. */
void handshake_start(const struct handshake_config *config, struct st_h2o_socket_t *sock,
                     handshake_peer_known *peer_known, handshake_done *done);

/* Returns true if the peer has sent bytes that are not answered yet. */
bool handshake_is_busy(const struct st_h2o_socket_t *sock);

#endif
