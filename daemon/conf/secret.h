/* SPDX-License-Identifier: MIT
 *
 * secret.h - secrets from files, environment and credentials, and the admin API's bearer token.
 *
 * Ownership  Secrets and tokens are in locked memory; secret_free() and token_free() wipe it.
 * Threads    Any; a token is immutable except for token_replace(), share it as const.
 * Errors     NULL with the problem and its remedy in `why`, never with the secret.
 */
#ifndef DAEMON_CONF_SECRET_H
#define DAEMON_CONF_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct config_secret;

/* Parses "@FILE", "env:VARIABLE" or "credential:NAME", the location of a secret on a command line.
 * Returns false and clears *where for any other text, such as a secret. The caller frees the member
 * that is set. */
bool secret_parse_location(struct config_secret *where, const char *text);

/* Reads the secret, without one trailing newline of a file, which editors and echo append. */
char *secret_read(const struct config_secret *where, char *why, size_t why_size);
void secret_free(char **secret);

/* Locks the memory, which libsodium has tried before. Returns false if the system refuses. */
bool secret_is_locked(const void *memory, size_t len);

/* ---- bearer token */

/* Holds a keyed hash of the token, not the token itself. */
struct token;

enum {
    TOKEN_LENGTH_MIN = 16
};

/* Reads the token; it has at least TOKEN_LENGTH_MIN printable characters. */
struct token *token_open(const struct config_secret *where, char *why, size_t why_size);
struct token *token_copy(const struct token *token); /* returns NULL on ENOMEM */
void token_free(struct token **token);

/* Copies `other` into `token`. */
void token_replace(struct token *token, const struct token *other);

/* True if the value of an Authorization header is "Bearer" and the token. The time taken does not
 * depend on the token. */
bool token_matches(const struct token *token, const char *authorization, size_t len);

#endif
