/* SPDX-License-Identifier: MIT
 *
 * entrances.h - the entrances of the configured addresses, and whom they believe.
 *
 * Ownership  entrances_open() makes them, entrances_free() ends them.
 * Threads    What is handed out is for any thread; every function on the one that opened them.
 */
#ifndef DAEMON_POLICY_ENTRANCES_H
#define DAEMON_POLICY_ENTRANCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct entrance;
struct entrances;
struct proxies;

/* Reads certificates and keys. `file` is where the config was read, or NULL; `warn` is called for
 * what is allowed but unwise. NULL, and "FILE:LINE: ..." in `why` of CONFIG_WHY_SIZE bytes. */
struct entrances *entrances_open(const struct config *config, const char *file,
                                 void (*warn)(const char *text), char *why);
void entrances_free(struct entrances **entrances);

/* Of the n-th address. */
const struct entrance *entrances_at(const struct entrances *entrances, size_t n);

const struct proxies *entrances_proxies(const struct entrances *entrances);

/* Goes on with the certificates that `newer` has read for the same addresses, and ends it; what was
 * begun goes on with the old ones. False if something differs that cannot change while an address
 * is open: whether it speaks TLS or expects a proxy's header, and which proxies are trusted. */
bool entrances_renew(struct entrances *entrances, struct entrances **newer);

/* Of the n-th address, as it is configured: when its certificate ends, in seconds since 1970, or -1
 * if it has none. False if there are fewer. On any thread. */
bool entrances_certificate(const struct entrances *entrances, size_t n, const char **address,
                           int64_t *end_s);

#endif
