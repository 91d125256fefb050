/* SPDX-License-Identifier: MIT
 *
 * net.h - hosts and networks of IPv4 and IPv6, without ports and without names. Pure.
 *
 * An IPv4 address in the shape of an IPv6 one, ::ffff:192.0.2.1, is the IPv4 address everywhere: it
 * is the same peer, seen through another socket. So ::/0 holds no host of IPv4.
 */
#ifndef DAEMON_BASE_NET_H
#define DAEMON_BASE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* ---- "127.0.0.1:8080", "[::1]:8080" and "unix:/path" as socket addresses. Numbers only:
 * names are not looked up. */

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

/* "192.0.2.0/24", "2001:db8::/32", or a lone host. False, and what was expected in *expected, if it
 * is none or names a host inside of the network: 192.0.2.1/24 may be meant either way. */
bool network_read(const char *text, struct network *network, const char **expected);

bool network_contains(const struct network *network, const struct network_host *host);

/* Whether one of them does. */
bool networks_contain(const struct network *networks, size_t count,
                      const struct network_host *host);

/* ---- the peers that are believed when they say for whom they speak. Pure.
 *
 * Ownership  proxies_new() copies what it needs, proxies_free() releases it.
 * Threads    Immutable: share it as const. */

struct proxies;

/* Networks as network.h reads them, and the word "unix": whoever comes through a Unix socket. */
bool proxies_text_is_valid(const char *text, const char **expected);

/* Whether somebody who comes through a Unix socket, or not through one, can be any of them. */
bool proxies_cover_transport(char *const texts[], size_t count, bool through_unix);

/* Each text is one. NULL without memory. */
struct proxies *proxies_new(char *const texts[], size_t count);
void proxies_free(struct proxies **proxies);

bool proxies_same(const struct proxies *a, const struct proxies *b);

bool proxies_trust(const struct proxies *proxies, const struct sockaddr_storage *peer);

bool proxies_trust_host(const struct proxies *proxies, const struct network_host *host);

/* Goes through the value of an X-Forwarded-For that a trusted peer sent, from the right to the
 * left: each of its addresses was added by the one behind it, so it is as good as that one is.
 * *host becomes the last that a trusted one vouches for, and is left alone if there is none. True
 * if all of them are proxies, so that a line before this one counts, too. */
bool proxies_resolve_forwarded(const struct proxies *proxies, const char *value, size_t len,
                               struct network_host *host);

#endif
