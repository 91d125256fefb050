/* SPDX-License-Identifier: MIT
 *
 * proxy_header.h - parser of the PROXY protocol, versions 1 and 2. Pure.
 */
#ifndef DAEMON_HTTP_PROXY_HEADER_H
#define DAEMON_HTTP_PROXY_HEADER_H

#include <stddef.h>
#include <sys/socket.h>

enum proxy_header_state {
    PROXY_HEADER_READ,
    PROXY_HEADER_INCOMPLETE, /* valid so far */
    PROXY_HEADER_WRONG,
};

struct proxy_header {
    size_t len;                     /* bytes of the header */
    struct sockaddr_storage source; /* AF_UNSPEC: a connection of the proxy itself, or a client
                                     * without an IP address */
};

/* Sets *header on PROXY_HEADER_READ. */
enum proxy_header_state proxy_header_read(const char *bytes, size_t len,
                                          struct proxy_header *header);

#endif
