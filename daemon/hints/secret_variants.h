/* SPDX-License-Identifier: MIT
 *
 * secret_variants.h - whether a sender made another key of a secret than its scheme does, and signed
 * with that.
 *
 * Threads    Any. Makes a verifier for each way to read the secret; the keys lie in locked memory.
 */
#ifndef DAEMON_HINTS_SECRET_VARIANTS_H
#define DAEMON_HINTS_SECRET_VARIANTS_H

#include <stdint.h>

#include <hookline.h>

enum secret_variant {
    SECRET_VARIANT_NONE,     /* or it could not be tried, for want of memory, say */
    SECRET_VARIANT_LINE_END, /* the key is the secret with a line end behind it */
    SECRET_VARIANT_DECODING, /* the secret was decoded though it is the key, or the other way round */
};

enum secret_variant secret_variants_find(const char *description, const char *secret,
                                         const hookline_request *request, int64_t now);

#endif
