/* SPDX-License-Identifier: MIT
 *
 * ids.h - random ids and secrets in the formats of the providers, and checks of these formats.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_IDS_H
#define DAEMON_BASE_IDS_H

#include <stdbool.h>

enum {
    IDS_SIZE = 96 /* bytes, enough for each */
};

/* Writes a prefix of at most 60 bytes ("wevt_", "req_") and 32 hex digits. */
void ids_make_hex(char out[IDS_SIZE], const char *prefix);

/* Writes "whsec_" and 64 hex digits. */
void ids_make_secret(char out[IDS_SIZE]);

/* Writes "org_" and 26 characters of Crockford's base32. */
void ids_make_organization(char out[IDS_SIZE]);

/* Writes a random UUID, version 4. */
void ids_make_uuid(char out[IDS_SIZE]);

/* ---- checks of the format; pure */

/* True for the prefix and 32 lower-case hex digits. */
bool id_is_hex(const char *text, const char *prefix);

/* True for "org_" and 26 characters of Crockford's base32. */
bool id_is_organization(const char *text);

/* True for a UUID of any version, in upper or lower case. */
bool id_is_uuid(const char *text);

#endif
