/* SPDX-License-Identifier: MIT
 *
 * entrance.h - what an address asks of a connection before HTTP is spoken: that the proxy in front
 * says for whom it comes, and TLS.
 *
 * Threads    On the thread of the loop.
 */
#ifndef DAEMON_HTTP_ENTRANCE_H
#define DAEMON_HTTP_ENTRANCE_H

#include <stdbool.h>

struct proxies;
struct st_h2o_socket_t;
struct tls;

struct entrance {
    struct tls *tls;               /* NULL: none */
    const struct proxies *proxies; /* who may send the header; NULL: it is not asked for */
};

enum entrance_verdict {
    ENTRANCE_OPEN,
    ENTRANCE_LEFT, /* the peer did, or was cut */
    ENTRANCE_UNTRUSTED,
    ENTRANCE_NO_PROXY_HEADER,
    ENTRANCE_NO_TLS,
    ENTRANCE_TLS_FAILED,
};

enum {
    ENTRANCE_VERDICTS = ENTRANCE_TLS_FAILED + 1
};

/* "untrusted_proxy" and so on: of what is refused. NULL of the others. */
const char *entrance_verdict_name(enum entrance_verdict verdict);

/* A proxy has said whose connection it is. False: it is closed already, and not one for `done`. */
typedef bool entrance_introduced(struct st_h2o_socket_t *sock);

typedef void entrance_done(struct st_h2o_socket_t *sock, enum entrance_verdict verdict);

/* Calls `done` once, now or in a later turn; until then the socket's data and its reading are the
 * entrance's. It sets no deadline: who shuts the socket down ends it. The peer was told what there
 * is to say; closing is up to `done`. */
void entrance_pass(const struct entrance *entrance, struct st_h2o_socket_t *sock,
                   entrance_introduced *introduced, entrance_done *done);

/* Whether the peer has begun to say something that is not answered yet. */
bool entrance_is_busy(const struct st_h2o_socket_t *sock);

#endif
