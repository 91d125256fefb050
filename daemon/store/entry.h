/* SPDX-License-Identifier: MIT
 *
 * entry.h - a verified delivery as the store keeps it: bytes and numbers.
 *
 * Ownership  What the texts point to is somebody else's, but for that of delivery_row_copy(): it is in one
 *            piece, which free() releases.
 */
#ifndef DAEMON_STORE_ENTRY_H
#define DAEMON_STORE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <hookline.h>

struct delivery_row {
    int64_t seq; /* 0 until it is stored, then 1 and up, in the order of arrival */
    hookline_bytes source, scheme;
    hookline_bytes id;      /* signed; without a base if nothing says it ... */
    hookline_bytes mac;     /* ... and then this tells a repeated delivery, else without a base */
    hookline_bytes type;    /* without a base if the payload has none */
    hookline_bytes remote;  /* ADDRESS:PORT */
    hookline_bytes headers; /* lines of "name: value\n" */
    hookline_bytes body;    /* exactly the bytes that were received */
    int64_t received_us;    /* since 1970 */
    int64_t signed_at;      /* seconds since 1970, or -1 */
    int secret;             /* which one of the source's */
    bool test, fresh;
};

/* NULL without memory. */
struct delivery_row *delivery_row_copy(const struct delivery_row *row);

/* The bytes that all the texts take. */
size_t delivery_row_size(const struct delivery_row *row);

/* Takes the first line off `rest`, which is an entry's headers at first. False at their end. */
bool delivery_row_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value);

#endif
