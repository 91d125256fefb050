/* SPDX-License-Identifier: MIT
 *
 * claim.h - the unverified facts in a request's headers: time, id, signatures, signed headers.
 *
 * Ownership  The claim points into the request.
 * Threads    Any thread. No function here reads a secret.
 * Errors     0 or an enum hookline_code.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "mac.h"
#include "scheme.h"

enum {
    CLAIM_SIGNATURES_MAX = 32,
    CLAIM_HEADER_MAX = 4096, /* bytes of one signature header */
};

struct claim {
    hookline_bytes timestamp, id; /* text of the headers, or empty */
    int64_t signed_at;            /* s since 1970, or -1 */
    hookline_bytes content[SCHEME_PARTS_MAX];
    unsigned char signature[CLAIM_SIGNATURES_MAX][MAC_SIZE];
    size_t signatures; /* at least 1 */
};

/* Reads the headers of a request without verifying them. */
int hookline_claim_read(struct claim *claim, const struct scheme *scheme,
                        const hookline_request *req);

#endif
