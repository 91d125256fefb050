/* SPDX-License-Identifier: MIT
 *
 * net.h - socket addresses, IP networks and trusted proxies. Pure, no name lookups.
 *
 * An IPv4-mapped IPv6 address such as ::ffff:192.0.2.1 counts as IPv4 everywhere, because a
 * dual-stack socket shows the same peer that way. So ::/0 contains no IPv4 host.
 *
 * Ownership  proxies_new() copies its input, proxies_free() frees it.
 * Threads    Any; struct proxies is immutable, share it as const.
 */
#ifndef DAEMON_BASE_NET_H
#define DAEMON_BASE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* ---- Host and Origin, against DNS rebinding and cross-site requests */

/* Returns true if the Host header is localhost, 127.0.0.0/8 or [::1]. Any other name could be a
 * web page's own domain that resolves to 127.0.0.1 (DNS rebinding). */
bool host_check_is_local(const char *host, size_t len);

/* Returns true if the Origin header is http:// plus the Host header: a page of the admin API. */
bool host_check_is_same_origin(const char *origin, size_t origin_len, const char *host, size_t len);

/* ---- socket addresses */

enum {
    ADDRESS_TEXT_SIZE = 120
};

/* Reads "127.0.0.1:8080", "[::1]:8080" or "unix:/path". Returns false for anything else. */
bool address_read(const char *text, struct sockaddr_storage *address, socklen_t *len);

/* Writes the address in the same syntax, an IPv4-mapped one as IPv4. Writes "unknown" for other
 * families and for Unix sockets without a path, such as those of clients. `text` has
 * ADDRESS_TEXT_SIZE bytes. */
void address_write(const struct sockaddr_storage *address, char *text);

/* True if only this machine can reach the address: a loopback address or a Unix socket. */
bool address_is_local(const struct sockaddr_storage *address);

/* ---- hosts and networks */

/* Unused bytes are zero, so that memcmp() compares hosts and a hash covers the struct. */
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

/* Reads "192.0.2.1" or "2001:db8::1" of `len` bytes, without brackets or blanks. */
bool network_host_read(const char *text, size_t len, struct network_host *host);

/* Copies the host of a socket address. Returns false for a Unix socket, which has none. */
bool network_host_of(const struct sockaddr_storage *address, struct network_host *host);

/* `text` has NETWORK_TEXT_SIZE bytes. */
void network_host_write(const struct network_host *host, char *text);

/* Clears all but the first `bits` bits. Providers assign an IPv6 /64 to one customer. Does nothing
 * if `bits` is the length of the address or more. */
void network_host_mask(struct network_host *host, unsigned bits);

/* Reads "192.0.2.0/24", "2001:db8::/32" or a single host. Returns false with the expected text in
 * *expected, also for 192.0.2.1/24, which may mean the host or the network. */
bool network_read(const char *text, struct network *network, const char **expected);

bool network_contains(const struct network *network, const struct network_host *host);

/* True if one of the networks contains the host. */
bool networks_contain(const struct network *networks, size_t count,
                      const struct network_host *host);

/* ---- trusted proxies */

struct proxies;

/* True for the syntax of network_read(), and for "unix", which trusts every peer on a Unix socket.
 * Otherwise *expected is set. */
bool proxies_text_is_valid(const char *text, const char **expected);

/* True if a text covers peers on Unix sockets (`through_unix`), or peers on TCP otherwise. */
bool proxies_cover_transport(char *const texts[], size_t count, bool through_unix);

/* Takes only texts for which proxies_text_is_valid() is true. Returns NULL on ENOMEM. */
struct proxies *proxies_new(char *const texts[], size_t count);
void proxies_free(struct proxies **proxies);

/* True if both trust the same networks, in the same order. */
bool proxies_same(const struct proxies *a, const struct proxies *b);

/* True if the peer of a connection is a trusted proxy. */
bool proxies_trust(const struct proxies *proxies, const struct sockaddr_storage *peer);

bool proxies_trust_host(const struct proxies *proxies, const struct network_host *host);

/* Walks the X-Forwarded-For of a trusted peer from right to left, because each proxy appends the
 * address of its own peer. Stops after the first address that is not a trusted proxy, and before
 * text that is not an address. Sets *host to the last address read, if any. Returns true if all are
 * trusted proxies, so that the caller goes on with the preceding header line. */
bool proxies_resolve_forwarded(const struct proxies *proxies, const char *value, size_t len,
                               struct network_host *host);

#endif
