/* SPDX-License-Identifier: MIT
 *
 * ids.h - ids, secrets and keys as the providers make them, from random bytes.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_IDS_H
#define DAEMON_BASE_IDS_H

#include <stdbool.h>

enum {
    IDS_SIZE = 96 /* bytes that hold any of them */
};

/* The prefix, of up to 60 bytes, and 32 hex digits: "wevt_", "req_", ... */
void ids_make_hex(char out[IDS_SIZE], const char *prefix);

/* "whsec_" and 64 hex digits. */
void ids_make_secret(char out[IDS_SIZE]);

/* "org_" and 26 characters of Crockford's base32. */
void ids_make_organization(char out[IDS_SIZE]);

/* A random UUID, version 4. */
void ids_make_uuid(char out[IDS_SIZE]);

/* ---- whether an id looks as its provider's do. Pure. */

/* The prefix and 32 lower-case hex digits. */
bool id_is_hex(const char *text, const char *prefix);

/* "org_" and 26 characters of Crockford's base32. */
bool id_is_organization(const char *text);

/* A UUID of any version, in any case. */
bool id_is_uuid(const char *text);

#endif
