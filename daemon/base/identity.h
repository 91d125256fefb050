/* SPDX-License-Identifier: MIT
 *
 * identity.h - ids, secrets and keys as the providers make them, from random bytes.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_IDENTITY_H
#define DAEMON_BASE_IDENTITY_H

enum {
    IDENTITY_SIZE = 96 /* bytes that hold any of them */
};

/* The prefix, of up to 60 bytes, and 32 hex digits: "wevt_", "req_", ... */
void identity_hex(char out[IDENTITY_SIZE], const char *prefix);

/* "whsec_" and 64 hex digits. */
void identity_secret(char out[IDENTITY_SIZE]);

/* "org_" and 26 characters of Crockford's base32. */
void identity_organization(char out[IDENTITY_SIZE]);

/* A random UUID, version 4. */
void identity_uuid(char out[IDENTITY_SIZE]);

#endif
