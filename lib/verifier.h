/* SPDX-License-Identifier: MIT
 *
 * verifier.h - a scheme with its secrets, in memory that is locked, between guard pages, and
 * read-only once it is set up.
 */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "mac.h"
#include "scheme.h"

struct hookline_verifier {
    /* sodium_malloc() aligns the end of a block: this keeps its start aligned, too. */
    _Alignas(16) struct scheme scheme;
    int64_t past_s, future_s;
    struct mac_key key[HOOKLINE_SECRETS_MAX];
    size_t keys; /* at least 1 */
};

#endif
