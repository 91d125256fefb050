/* SPDX-License-Identifier: MIT
 *
 * verifier.h - a scheme and its secrets.
 *
 * Ownership  sodium_malloc() memory: locked, between guard pages, read-only after setup.
 * Threads    One thread sets up; then any number may read.
 * Errors     None here; hookline.h has those of the functions.
 */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "mac.h"
#include "scheme.h"

struct hookline_verifier {
    /* sodium_malloc() aligns the end of a block; a size in steps of 16 aligns the start too. */
    _Alignas(16) struct scheme scheme;
    int64_t past_s, future_s;
    struct mac_key key[HOOKLINE_SECRETS_MAX];
    size_t keys;      /* at least 1 */
    size_t key_bytes; /* of the shortest */
};

#endif
