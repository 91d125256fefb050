/* SPDX-License-Identifier: MIT
 *
 * secret.h - fetches a secret from where the administrator put it.
 *
 * Ownership  The text is in locked memory; secret_free() wipes it.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stddef.h>

struct config_secret;

/* One line end at the end of a file is not part of the secret, since editors and echo write one.
 * NULL, and in `why` what is wrong and what to do; never the secret. */
char *secret_read(const struct config_secret *where, char *why, size_t why_size);
void secret_free(char **secret);

#endif
