/* SPDX-License-Identifier: MIT
 *
 * diagnose.h - usual mistake behind a refused request: wrong source, altered body, wrong key, another
 * URL or wrong time unit. A cause is certain, because undoing the mistake made the signature match. A
 * forgery has no cause.
 *
 * Ownership  The question is the caller's; the result points into it.
 * Threads    Any. Computes several MACs of the body, and creates a verifier per secret and way to
 *            decode it: milliseconds for 64 KiB. Too slow for every request.
 * Errors     DIAGNOSE_NONE on ENOMEM.
 */
#ifndef DAEMON_HINTS_DIAGNOSE_H
#define DAEMON_HINTS_DIAGNOSE_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/hints/diagnose_cause.h"

struct diagnose_other {
    const char *name, *url; /* url: NULL unless the scheme signs it */
    const hookline_verifier *verifier;
};

struct diagnose_question {
    const hookline_verifier *verifier; /* the one that refused */
    const hookline_request *request;   /* the refused request */
    int64_t now;                       /* time of the verification, seconds since 1970 */
    hookline_result result;            /* result of the verification */
    const char *description;           /* of the verifier's scheme; NULL: do not try secrets */
    const char *const *secrets;        /* the verifier's */
    size_t secrets_count;
    hookline_bytes query;                /* of the request's target, without "?"; empty: none */
    const struct diagnose_other *others; /* may include the verifier itself */
    size_t others_count;
};

struct diagnose_result {
    enum diagnose_cause kind;
    const char *other; /* name of the matching source, or NULL */
};

/* Returns the first cause found. */
struct diagnose_result diagnose_find(const struct diagnose_question *question);

#endif
