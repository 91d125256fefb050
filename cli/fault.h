/* SPDX-License-Identifier: MIT
 *
 * fault.h - what a sender may do wrong, on purpose: read from a text such as
 * "future=412,duplicate=3". Pure.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAULT_WHY_SIZE = 256,
    FAULT_TEXT_MAX = 256,
};

/* What is not asked for is zero. Several go together where that makes sense; fault_read() refuses
 * what does not. */
struct faults {
    int64_t shift_s;      /* stale[=SECONDS], default 600: negative. future[=SECONDS]: positive */
    unsigned copies;      /* duplicate[=N]: the same request N times, default 2 */
    unsigned burst;       /* burst[=N]: N deliveries of their own, default 10 */
    bool reorder;         /* with burst: sent in an order other than that of their making */
    bool wrong_secret;    /* signed with a secret that is not the endpoint's */
    bool secret_newline;  /* signed with the secret and a line end behind it */
    bool two_signatures;  /* as while secrets rotate: with an old secret's beside the right one;
                             where the scheme lists none, with the new secret instead of the old */
    bool unsigned_;       /* unsigned: without a signature */
    bool tamper;          /* one character of the body changed after it was signed */
    bool reencode;        /* the body's JSON written with other white space, as a proxy may do */
    bool crlf;            /* the body's line ends turned, or one added */
    uint64_t oversize;    /* oversize[=BYTES]: the body filled up to that, default 2 MiB */
    bool truncate;        /* the connection ends in the middle of the body */
    bool reset;           /* likewise, by a TCP reset */
    uint64_t bytes_per_s; /* slow[=BYTES]: sent at that rate, default 64 */
};

/* False, and in `why` which word is wrong and which there are. An empty text is no fault. */
bool fault_read(struct faults *faults, const char *text, char why[FAULT_WHY_SIZE]);

/* A line for each: "future=SECONDS  what it does". For help, and for an error answer. */
const char *fault_help(void);

bool fault_is_any(const struct faults *faults);

#endif
