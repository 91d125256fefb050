/* SPDX-License-Identifier: MIT
 *
 * client_addr.h - address of a request's sender: the peer, or the client a trusted proxy names.
 *
 * Threads    The thread of the request's loop.
 */
#ifndef DAEMON_HTTP_CLIENT_ADDR_H
#define DAEMON_HTTP_CLIENT_ADDR_H

#include <stdbool.h>

#include "daemon/base/net.h"

struct proxies;
struct st_h2o_req_t;

struct client_addr {
    struct network_host host;     /* family 0 without an IP address, e.g. a Unix socket */
    char text[ADDRESS_TEXT_SIZE]; /* ADDRESS:PORT of the peer, or ADDRESS from
                                   * X-Forwarded-For */
    bool is_proxy;                /* a trusted proxy that named no client */
};

/* Sets *sender. X-Forwarded-For counts only from `proxies`; NULL: from no proxy. */
void client_addr_find(struct st_h2o_req_t *req, const struct proxies *proxies,
                      struct client_addr *sender);

/* Returns true if refusals may count against the host. False for a Unix socket, and for a proxy
 * that named no client, because both carry many senders. */
bool client_addr_is_known(const struct client_addr *sender);

#endif
