/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - many different deliveries, each with an id and signatures of its own, as requests
 * that are ready to be sent.
 *
 * They differ in a few places only, and what stands there is all that is kept of each: a request
 * is made by copying these bytes over those of another one.
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
    const char *schemes[DELIVERIES_SIGNERS_MAX]; /* each of them signs */
    const char *secrets[DELIVERIES_SIGNERS_MAX];
    size_t signers;
    int64_t now; /* seconds since 1970 */
};

/* NULL, and a message on standard error. */
struct deliveries *deliveries_new(const struct deliveries_options *options);
void deliveries_free(struct deliveries **deliveries);

size_t deliveries_count(const struct deliveries *deliveries);

/* All requests are of the same length. */
size_t deliveries_request_len(const struct deliveries *deliveries);

/* Makes request `number` in a buffer that holds zeros, or another of these requests. */
void deliveries_write(const struct deliveries *deliveries, size_t number, char *request);

#endif
