/* SPDX-License-Identifier: MIT
 *
 * diagnose.h - the usual mistake behind a request that was refused: whose secret, which bytes or
 * which key would have given its signature. Found by trying, so what is found is certain; a forgery
 * has none.
 *
 * Ownership  The question is the caller's; what is found points into it.
 * Threads    Any. Blocks for some MACs over the body, and for each secret and each way to read it
 *            for a verifier: milliseconds with 64 KiB. It is not meant for each request.
 * Errors     Without memory, or where a mistake cannot be tried, nothing is found.
 */
#ifndef DAEMON_HINTS_DIAGNOSE_H
#define DAEMON_HINTS_DIAGNOSE_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

enum diagnose_cause {
    DIAGNOSE_NONE,
    DIAGNOSE_OTHER_SOURCE,
    DIAGNOSE_BODY_NEWLINE,
    DIAGNOSE_BODY_CRLF,
    DIAGNOSE_BODY_REENCODED,
    DIAGNOSE_SECRET_NEWLINE,
    DIAGNOSE_SECRET_DECODING,
    DIAGNOSE_TIMESTAMP_UNIT,
};

struct diagnose_other {
    const char *name, *url; /* url: NULL unless its scheme signs it */
    const hookline_verifier *verifier;
};

struct diagnose_question {
    const hookline_verifier *verifier; /* that refused ... */
    const hookline_request *request;   /* ... this, ... */
    int64_t now;                       /* ... then ... */
    hookline_result result;            /* ... and said so */
    const char *description;           /* of the verifier's scheme; NULL: secrets are not tried */
    const char *const *secrets;        /* of the verifier */
    size_t secrets_count;
    const struct diagnose_other *others; /* it may be among them */
    size_t others_count;
};

struct diagnose_result {
    enum diagnose_cause kind;
    const char *other; /* the name of the other source, or NULL */
};

struct diagnose_result diagnose_find(const struct diagnose_question *question);

/* Stable, for lines; NULL for none. */
const char *diagnose_cause_name(enum diagnose_cause kind);

/* A sentence for people: what is so, and what to do; NULL for none. */
const char *diagnose_cause_text(enum diagnose_cause kind);

#endif
