/* SPDX-License-Identifier: MIT
 *
 * faults.h - what a sender may do wrong, on purpose: read from a text such as
 * "future=412,duplicate=3". Pure.
 */
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- bodies changed on purpose, as faults ask for it. Pure.
 *
 * Ownership  Each takes a body that is free()d by the caller, and returns another one of that kind
 *            in its place; without a base, and the old one free()d, if it cannot: then `why` says
 *            what is wrong. */

struct faults_body {
    char *base; /* NULL: it failed; never NULL for an empty body */
    size_t len;
};

enum {
    FAULTS_BODY_WHY_SIZE = 160
};

/* The time at a path such as "data.sent_at" so much later, in the form that it has: RFC 3339,
 * seconds or milliseconds. */
struct faults_body faults_shift_time(struct faults_body body, const char *path, int64_t shift_s,
                                     char why[FAULTS_BODY_WHY_SIZE]);

/* White space behind it, up to so many bytes; JSON stays JSON. */
struct faults_body faults_oversize(struct faults_body body, uint64_t size,
                                   char why[FAULTS_BODY_WHY_SIZE]);

/* One character another; of an empty body, one more. */
struct faults_body faults_tamper(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

/* The same JSON in other white space. */
struct faults_body faults_reencode(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

/* LF becomes CRLF; CRLF alone becomes LF; without any, CRLF is added. */
struct faults_body faults_crlf(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

enum {
    FAULTS_WHY_SIZE = 256,
    FAULTS_TEXT_MAX = 256,
};

/* What is not asked for is zero. Several go together where that makes sense; faults_read() refuses
 * what does not. The words are separated by commas. */
struct faults {
    int64_t shift_s;      /* stale[=SECONDS], default 600: negative. future[=SECONDS]: positive */
    unsigned copies;      /* duplicate[=N]: the same request N times, default 2; at most 100 */
    unsigned burst;       /* burst[=N]: N deliveries of their own, default 10; at most 100 */
    bool reorder;         /* with burst: sent in an order other than that of their making */
    bool wrong_secret;    /* wrong-secret: signed with one that is not the endpoint's */
    bool secret_newline;  /* secret-newline: signed with the secret and a line end behind it */
    bool two_signatures;  /* two-signatures, as while secrets rotate: an old secret's in front of
                             the right one; where the scheme lists none, the right one alone */
    bool unsigned_;       /* unsigned: without the header that has the signature */
    bool tamper;          /* one character of the body changed after it was signed */
    bool reencode;        /* the body's JSON written with other white space, as a proxy may do */
    bool crlf;            /* the body's line ends turned, or one added */
    uint64_t oversize;    /* oversize[=BYTES]: the body filled up to that with white space, then
                             signed; default 2 MiB */
    bool truncate;        /* the connection ends in the middle of the body */
    bool reset;           /* likewise, by a TCP reset */
    uint64_t bytes_per_s; /* slow[=BYTES]: sent at that rate, default 64 */
};

/* False, *faults as it was, and in `why` which word is wrong and which there are. An empty text is
 * no fault. */
bool faults_read(struct faults *faults, const char *text, char why[FAULTS_WHY_SIZE]);

/* A line for each: "future=SECONDS  what it does". For help, and for an error answer. */
const char *faults_help(void);

/* The words that faults_read() would read as these faults; "" for none. */
void faults_write(const struct faults *faults, char text[FAULTS_TEXT_MAX]);

#endif
