/* SPDX-License-Identifier: MIT
 *
 * proxies.h - the peers that are believed when they say for whom they speak. Pure.
 *
 * Ownership  proxies_new() copies what it needs, proxies_free() releases it.
 * Threads    Immutable: share it as const.
 */
#ifndef DAEMON_BASE_PROXIES_H
#define DAEMON_BASE_PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/network.h"

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
