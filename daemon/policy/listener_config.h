/* SPDX-License-Identifier: MIT
 *
 * listener_config.h - TLS and PROXY protocol settings of the configured listen addresses.
 *
 * Ownership  listener_configs_open() allocates, listener_configs_free() frees.
 * Threads    Returned objects and listener_configs_certificate() any thread; the others the opening
 *            thread.
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

/* Reads certificates and keys. Calls `warn` for unwise
 * settings. Returns NULL with "FILE:LINE: problem" in `why` of CONFIG_WHY_SIZE bytes. */
struct listener_configs *listener_configs_open(const struct config *config,
                                               void (*warn)(const char *text), char *why);
void listener_configs_free(struct listener_configs **listener_configs);

/* Returns the settings of the n-th address. */
const struct handshake_config *listener_configs_at(const struct listener_configs *listener_configs,
                                                   size_t n);

/* Returns the trusted proxies. */
const struct proxies *listener_configs_proxies(const struct listener_configs *listener_configs);

/* Takes the certificates of `newer` for the same addresses and frees `newer`; established
 * connections keep the old ones. Returns false if a setting differs that an open listener cannot
 * change: TLS, PROXY protocol or the trusted proxies. */
bool listener_configs_renew(struct listener_configs *listener_configs,
                            struct listener_configs **newer);

/* Returns address and certificate expiry of the n-th address, in seconds since 1970, -1 without
 * TLS. Returns false if n is out of range. */
bool listener_configs_certificate(const struct listener_configs *listener_configs, size_t n,
                                  const char **address, int64_t *end_s);

#endif
