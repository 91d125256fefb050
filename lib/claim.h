/* SPDX-License-Identifier: MIT
 *
 * claim.h - what a request claims about itself in its headers; nothing here is to be believed.
 *
 * Reading a claim never sees a secret.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "mac.h"
#include "scheme.h"

enum {
    CLAIM_SIGNATURES_MAX = 32,
    CLAIM_HEADER_MAX = 4096, /* bytes of a signature header */
};

struct claim {
    hookline_bytes timestamp, id; /* as sent, from the headers; or empty */
    int64_t signed_at;            /* s, or -1 */
    hookline_bytes content[SCHEME_PARTS_MAX];
    unsigned char signature[CLAIM_SIGNATURES_MAX][MAC_SIZE];
    size_t signatures; /* at least 1 */
};

/* Returns 0 or an enum hookline_code. */
int claim_read(struct claim *claim, const struct scheme *scheme, const hookline_request *req);

#endif
