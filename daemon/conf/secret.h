/* SPDX-License-Identifier: MIT
 *
 * secret.h - fetches a secret from where the administrator put it.
 *
 * Ownership  The text is in locked memory; secret_free() wipes it.
 */
#ifndef DAEMON_CONF_SECRET_H
#define DAEMON_CONF_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct config_secret;

/* "@FILE", "env:VARIABLE" or "credential:NAME", as a command line says where a secret is; never the
 * secret, since everybody can read a command line. False, and *where empty, if it is none of them;
 * else its text is free()d by the owner. */
bool secret_parse_location(struct config_secret *where, const char *text);

/* One line end at the end of a file is not part of the secret, since editors and echo write one.
 * NULL, and in `why` what is wrong and what to do; never the secret. */
char *secret_read(const struct config_secret *where, char *why, size_t why_size);
void secret_free(char **secret);

#endif
