/* SPDX-License-Identifier: MIT
 *
 * handshake.h - what an address asks of a connection before HTTP is spoken: that the proxy in front
 * says for whom it comes, and TLS.
 *
 * Threads    On the thread of the loop.
 */
#ifndef DAEMON_HTTP_HANDSHAKE_H
#define DAEMON_HTTP_HANDSHAKE_H

#include <stdbool.h>

struct proxies;
struct st_h2o_socket_t;
struct tls;

struct handshake_config {
    struct tls *tls;               /* NULL: none */
    const struct proxies *proxies; /* who may send the header; NULL: it is not asked for */
};

enum handshake_verdict {
    HANDSHAKE_OK,
    HANDSHAKE_PEER_LEFT, /* the peer did, or was cut */
    HANDSHAKE_UNTRUSTED_PROXY,
    HANDSHAKE_NO_PROXY_HEADER,
    HANDSHAKE_NO_TLS,
    HANDSHAKE_TLS_FAILED,
};

enum {
    HANDSHAKE_VERDICTS = HANDSHAKE_TLS_FAILED + 1
};

/* "untrusted_proxy" and so on: of what is refused. NULL of the others. */
const char *handshake_verdict_name(enum handshake_verdict verdict);

/* A proxy has said whose connection it is. False: it is closed already, and not one for `done`. */
typedef bool handshake_peer_known(struct st_h2o_socket_t *sock);

typedef void handshake_done(struct st_h2o_socket_t *sock, enum handshake_verdict verdict);

/* Calls `done` once, now or in a later turn; until then the socket's data and its reading are the
 * entrance's. It sets no deadline: who shuts the socket down ends it. The peer was told what there
 * is to say; closing is up to `done`. */
void handshake_start(const struct handshake_config *config, struct st_h2o_socket_t *sock,
                     handshake_peer_known *peer_known, handshake_done *done);

/* Whether the peer has begun to say something that is not answered yet. */
bool handshake_is_busy(const struct st_h2o_socket_t *sock);

#endif
