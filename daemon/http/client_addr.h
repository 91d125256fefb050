/* SPDX-License-Identifier: MIT
 *
 * client_addr.h - who has sent a request: the peer, or whom a proxy that is believed names.
 *
 * Threads    Those of the request's loop.
 */
#ifndef DAEMON_HTTP_CLIENT_ADDR_H
#define DAEMON_HTTP_CLIENT_ADDR_H

#include <stdbool.h>

#include "daemon/base/net.h"

struct proxies;
struct st_h2o_req_t;

struct client_addr {
    struct network_host host;     /* its family is 0 if there is none, as with a Unix socket */
    char text[ADDRESS_TEXT_SIZE]; /* ADDRESS:PORT of the peer, or the ADDRESS that X-Forwarded-For
                                   * gives */
    bool is_proxy;                /* a trusted one, which has not said for whom it speaks */
};

/* `proxies` are believed; NULL: nobody is. */
void client_addr_find(struct st_h2o_req_t *req, const struct proxies *proxies,
                      struct client_addr *sender);

/* Whether what it does may be held against its host: what a proxy sends may be anybody's, and so
 * may what comes through a Unix socket. */
bool client_addr_is_known(const struct client_addr *sender);

#endif
