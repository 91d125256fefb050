/* SPDX-License-Identifier: MIT
 *
 * secret_variants.h - other keys that a sender may derive from a secret by mistake.
 *
 * Threads    Any. Creates a verifier per variant; keys are in locked memory.
 */
#ifndef DAEMON_HINTS_SECRET_VARIANTS_H
#define DAEMON_HINTS_SECRET_VARIANTS_H

#include <stdint.h>

#include <hookline.h>

enum secret_variant {
    SECRET_VARIANT_NONE,     /* no match, or ENOMEM */
    SECRET_VARIANT_LINE_END, /* key = secret plus a line end */
    SECRET_VARIANT_DECODING, /* key decoded differently from the scheme */
};

/* Returns the first variant of `secret` whose key gives the request's signature. */
enum secret_variant secret_variants_find(const char *description, const char *secret,
                                         const hookline_request *request, int64_t now);

#endif
