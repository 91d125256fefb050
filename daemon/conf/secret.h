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

/* ---- what a client shows in the header Authorization, so that it is answered.
 *
 * Ownership  token_open() makes it, token_free() ends it. The token itself is not kept, only what
 *            tells another one from it.
 * Threads    Immutable but for token_replace(): share it as const. */

struct token;

enum {
    TOKEN_LENGTH_MIN = 16
};

/* NULL, and in `why` what is wrong and what to do; never the token. */
struct token *token_open(const struct config_secret *where, char *why, size_t why_size);
struct token *token_copy(const struct token *token); /* NULL without memory */
void token_free(struct token **token);

/* From now on it is the other one. */
void token_replace(struct token *token, const struct token *other);

/* Whether the value of Authorization is "Bearer" and the token. How long that takes tells nothing
 * of the token. */
bool token_matches(const struct token *token, const char *authorization, size_t len);

#endif
