/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - many different deliveries as ready-made requests, each with an id and signatures
 * of its own.
 *
 * Requests differ in a few places only, so only those bytes are stored; deliveries_write() copies
 * them over those of another request.
 */
#ifndef DELIVERIES_H
#define DELIVERIES_H

#include <stddef.h>
#include <stdint.h>

struct deliveries;

enum {
    DELIVERIES_SIGNERS_MAX = 4
};

struct deliveries_options {
    const char *path;
    size_t count;
    const char *schemes[DELIVERIES_SIGNERS_MAX]; /* each scheme adds its signature */
    const char *secrets[DELIVERIES_SIGNERS_MAX];
    size_t signers;
    int64_t now; /* seconds since 1970 */
};

/* Returns NULL after a message on standard error. */
struct deliveries *deliveries_new(const struct deliveries_options *options);
void deliveries_free(struct deliveries **deliveries);

size_t deliveries_count(const struct deliveries *deliveries);

/* All requests are of the same length. */
size_t deliveries_request_len(const struct deliveries *deliveries);

/* Writes request `number` to a buffer that holds zeros or another of these requests. */
void deliveries_write(const struct deliveries *deliveries, size_t number, char *request);

#endif
