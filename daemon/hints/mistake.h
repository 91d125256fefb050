/* SPDX-License-Identifier: MIT
 *
 * mistake.h - the usual mistake behind a request that was refused: whose secret, which bytes or
 * which key would have given its signature. Found by trying, so what is found is certain; a forgery
 * has none.
 *
 * Ownership  The question is the caller's; what is found points into it.
 * Threads    Any. Blocks for some MACs over the body, and for each secret and each way to read it
 *            for a verifier: milliseconds with 64 KiB. It is not meant for each request.
 * Errors     Without memory, or where a mistake cannot be tried, nothing is found.
 */
#ifndef DAEMON_HINTS_MISTAKE_H
#define DAEMON_HINTS_MISTAKE_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

enum mistake_kind {
    MISTAKE_NONE,
    MISTAKE_OTHER_SOURCE,
    MISTAKE_BODY_NEWLINE,
    MISTAKE_BODY_CRLF,
    MISTAKE_BODY_REENCODED,
    MISTAKE_SECRET_NEWLINE,
    MISTAKE_SECRET_DECODING,
    MISTAKE_TIMESTAMP_UNIT,
};

struct mistake_other {
    const char *name, *url; /* url: NULL unless its scheme signs it */
    const hookline_verifier *verifier;
};

struct mistake_question {
    const hookline_verifier *verifier; /* that refused ... */
    const hookline_request *request;   /* ... this, ... */
    int64_t now;                       /* ... then ... */
    hookline_result result;            /* ... and said so */
    const char *description;           /* of the verifier's scheme; NULL: secrets are not tried */
    const char *const *secrets;        /* of the verifier */
    size_t secrets_count;
    const struct mistake_other *others; /* it may be among them */
    size_t others_count;
};

struct mistake {
    enum mistake_kind kind;
    const char *other; /* the name of the other source, or NULL */
};

struct mistake mistake_find(const struct mistake_question *question);

/* Stable, for lines; NULL for none. */
const char *mistake_name(enum mistake_kind kind);

/* A sentence for people: what is so, and what to do; NULL for none. */
const char *mistake_text(enum mistake_kind kind);

#endif
