/* SPDX-License-Identifier: MIT
 *
 * listener_config.h - the entrances of the configured addresses, and whom they believe.
 *
 * Ownership  listener_configs_open() makes them, listener_configs_free() ends them.
 * Threads    What is handed out is for any thread; every function on the one that opened them.
 */
#ifndef DAEMON_POLICY_LISTENER_CONFIG_H
#define DAEMON_POLICY_LISTENER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct handshake_config;
struct listener_configs;
struct proxies;

/* Reads certificates and keys. `file` is where the config was read, or NULL; `warn` is called for
 * what is allowed but unwise. NULL, and "FILE:LINE: ..." in `why` of CONFIG_WHY_SIZE bytes. */
struct listener_configs *listener_configs_open(const struct config *config,
                                               void (*warn)(const char *text), char *why);
void listener_configs_free(struct listener_configs **listener_configs);

/* Of the n-th address. */
const struct handshake_config *listener_configs_at(const struct listener_configs *listener_configs,
                                                   size_t n);

const struct proxies *listener_configs_proxies(const struct listener_configs *listener_configs);

/* Goes on with the certificates that `newer` has read for the same addresses, and ends it; what was
 * begun goes on with the old ones. False if something differs that cannot change while an address
 * is open: whether it speaks TLS or expects a proxy's header, and which proxies are trusted. */
bool listener_configs_renew(struct listener_configs *listener_configs,
                            struct listener_configs **newer);

/* Of the n-th address, as it is configured: when its certificate ends, in seconds since 1970, or -1
 * if it has none. False if there are fewer. On any thread. */
bool listener_configs_certificate(const struct listener_configs *listener_configs, size_t n,
                                  const char **address, int64_t *end_s);

#endif
