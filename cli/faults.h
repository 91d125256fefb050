/* SPDX-License-Identifier: MIT
 *
 * faults.h - deliberate faults of a sender, written as "future=412,duplicate=3", and the changes
 * that they make to a body. Pure.
 *
 * Ownership  Each function on a body takes a malloc()ed one and returns a malloc()ed one in its
 * place.
 * Errors     A function on a body that fails frees it, returns base NULL and sets `why`.
 */
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- bodies */

struct faults_body {
    char *base; /* NULL: failed; not NULL for an empty body */
    size_t len;
};

enum {
    FAULTS_BODY_WHY_SIZE = 160
};

/* Adds `shift_s` seconds to the time at a path such as "data.sent_at", and keeps its format: RFC
 * 3339, seconds or milliseconds. */
struct faults_body faults_shift_time(struct faults_body body, const char *path, int64_t shift_s,
                                     char why[FAULTS_BODY_WHY_SIZE]);

/* Pads the body with blanks to `size` bytes. JSON stays JSON. */
struct faults_body faults_oversize(struct faults_body body, uint64_t size,
                                   char why[FAULTS_BODY_WHY_SIZE]);

/* Changes one character; adds one to an empty body. */
struct faults_body faults_tamper(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

/* Changes the white space between JSON tokens. */
struct faults_body faults_reencode(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

/* Converts LF to CRLF; without bare LF converts CRLF to LF; without either appends CRLF. */
struct faults_body faults_crlf(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE]);

/* ---- faults */

enum {
    FAULTS_WHY_SIZE = 256,
    FAULTS_TEXT_MAX = 256,
};

/* A zeroed member is a fault that is off. faults_read() rejects combinations without a meaning. */
struct faults {
    int64_t shift_s;     /* stale[=SECONDS]: negative; future[=SECONDS]: positive; default 600 */
    unsigned copies;     /* duplicate[=N]: send the same request N times; 2 to 100, default 2 */
    unsigned burst;      /* burst[=N]: send N different deliveries; 2 to 100, default 10 */
    bool reorder;        /* with burst: send out of order */
    bool wrong_secret;   /* wrong-secret: sign with a random secret */
    bool secret_newline; /* secret-newline: sign with the secret plus a newline */
    bool two_signatures; /* two-signatures: put an old secret's signature before the right one,
                             as during a rotation; no effect if the scheme lists no signatures */
    bool unsigned_;      /* unsigned: omit the signature header */
    bool tamper;         /* change one character of the body after signing */
    bool reencode;       /* change the JSON body's white space after signing, like a proxy */
    bool crlf;           /* convert the body's line endings, or append one, after signing */
    uint64_t oversize;   /* oversize[=BYTES]: pad the body to BYTES before signing; default 2 MiB */
    bool truncate;       /* close the connection in the middle of the body */
    bool reset;          /* reset the TCP connection in the middle of the body */
    uint64_t bytes_per_s; /* slow[=BYTES]: rate of the body in bytes a second; default 64 */
    unsigned delay_s;     /* delay[=SECONDS]: send the delivery later; default 1 */
};

/* Reads comma-separated words; an empty text means no fault. Returns false, *faults unchanged and
 * the reason in `why`, on error. */
bool faults_read(struct faults *faults, const char *text, char why[FAULTS_WHY_SIZE]);

/* Returns one line a fault, for help. */
const char *faults_help(void);

/* Writes the faults as faults_read() reads them; "" for none. */
void faults_write(const struct faults *faults, char text[FAULTS_TEXT_MAX]);

#endif
