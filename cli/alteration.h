/* SPDX-License-Identifier: MIT
 *
 * alteration.h - bodies changed on purpose, as faults ask for it. Pure.
 *
 * Ownership  Each takes a body that is free()d by the caller, and returns another one of that kind
 *            in its place; without a base, and the old one free()d, if it cannot: then `why` says
 *            what is wrong.
 */
#ifndef CLI_ALTERATION_H
#define CLI_ALTERATION_H

#include <stddef.h>
#include <stdint.h>

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

#endif
