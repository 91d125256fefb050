/* SPDX-License-Identifier: MIT
 *
 * network.h - hosts and networks of IPv4 and IPv6, without ports and without names. Pure.
 *
 * An IPv4 address in the shape of an IPv6 one, ::ffff:192.0.2.1, is the IPv4 address everywhere: it
 * is the same peer, seen through another socket. So ::/0 holds no host of IPv4.
 */
#ifndef DAEMON_BASE_NETWORK_H
#define DAEMON_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* The bytes behind those of the family are zero: hosts may be compared and hashed as they lie. */
struct network_host {
    unsigned char bytes[16];
    unsigned char family; /* 4 or 6 */
};

struct network {
    struct network_host first;
    unsigned char bits;
};

enum {
    NETWORK_TEXT_SIZE = 46
};

/* "192.0.2.1" or "2001:db8::1", of `len` bytes; nothing around it. */
bool network_host_read(const char *text, size_t len, struct network_host *host);

/* The host of a peer. False if it has none, as that of a Unix socket. */
bool network_host_of(const struct sockaddr_storage *address, struct network_host *host);

/* `text` has NETWORK_TEXT_SIZE bytes. */
void network_host_write(const struct network_host *host, char *text);

/* The first host of the network of so many bits that the host lies in: of one of IPv6, 64 is what
 * one customer has. More bits than the family has change nothing. */
void network_host_mask(struct network_host *host, unsigned bits);

bool network_host_same(const struct network_host *a, const struct network_host *b);

/* "192.0.2.0/24", "2001:db8::/32", or a lone host. False, and what was expected in *expected, if it
 * is none or names a host inside of the network: 192.0.2.1/24 may be meant either way. */
bool network_read(const char *text, struct network *network, const char **expected);

bool network_contains(const struct network *network, const struct network_host *host);

/* Whether one of them does. */
bool networks_contain(const struct network *networks, size_t count,
                      const struct network_host *host);

#endif
