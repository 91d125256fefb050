/* SPDX-License-Identifier: MIT
 *
 * address.h - "127.0.0.1:8080", "[::1]:8080" and "unix:/path" as socket addresses. Numbers only:
 * names are not looked up.
 */
#ifndef DAEMON_BASE_ADDRESS_H
#define DAEMON_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum {
    ADDRESS_TEXT_SIZE = 120
};

bool address_read(const char *text, struct sockaddr_storage *address, socklen_t *len);

/* What is none of the three is written as "unknown", and so is a Unix socket without a path, which
 * clients have. An IPv4 address in the shape of an IPv6 one is written as what it is. `text` has
 * ADDRESS_TEXT_SIZE bytes. */
void address_write(const struct sockaddr_storage *address, char *text);

/* Whether nobody but this machine can reach it. */
bool address_is_local(const struct sockaddr_storage *address);

#endif
