/* SPDX-License-Identifier: MIT
 *
 * ids.h - ids, secrets and keys as the providers make them, from random bytes.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_IDS_H
#define DAEMON_BASE_IDS_H

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

#endif
