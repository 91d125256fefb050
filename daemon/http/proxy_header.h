/* SPDX-License-Identifier: MIT
 *
 * proxy_header.h - what a proxy sends before everything else to say whose connection it passes on:
 * the PROXY protocol, versions 1 and 2. Pure.
 */
#ifndef DAEMON_HTTP_PROXY_HEADER_H
#define DAEMON_HTTP_PROXY_HEADER_H

#include <stddef.h>
#include <sys/socket.h>

enum proxy_header_state {
    PROXY_HEADER_READ,
    PROXY_HEADER_INCOMPLETE, /* so far it is one */
    PROXY_HEADER_WRONG,
};

struct proxy_header {
    size_t len;                     /* what follows it is not the proxy's */
    struct sockaddr_storage source; /* AF_UNSPEC: the connection is the proxy's own, or nothing of
                                     * IP is behind it */
};

/* Sets *header if it was read. */
enum proxy_header_state proxy_header_read(const char *bytes, size_t len,
                                          struct proxy_header *header);

#endif
