/* SPDX-License-Identifier: MIT
 *
 * courier.h - the thread that sends: signs what is due, posts it and reads the answer.
 *
 * Ownership  courier_open() starts the thread, courier_close() ends it. A letter is the caller's;
 *            it must not be touched from courier_send() until it comes back.
 * Threads    courier_send() on any thread.
 */
#ifndef CLI_EMULATOR_COURIER_H
#define CLI_EMULATOR_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/shipment.h"
#include "daemon/base/mailbox.h"

/* ---- the beginning of a receiver's answer as a text that JSON can carry. Pure. */

enum {
    COURIER_EXCERPT_MAX = 4096 /* bytes, as TruLayer says */
};

/* Valid UTF-8 of COURIER_EXCERPT_MAX bytes at most, which ends at the end of a character: what is no UTF-8,
 * and NUL, becomes U+FFFD. For free(); NULL without memory. */
char *courier_excerpt_make(const char *bytes, size_t len);

struct client_call;
struct courier;

struct courier_job {
    struct shipment_sending sending; /* the courier's */
    struct shipment *shipment;       /* NULL: packed when it is due, from what follows; kept */
    struct shipment_spec spec;       /* but for its time, which is then */
    struct faults faults;
    const char *url;
    unsigned timeout_s;
    int64_t due_us;  /* of clock_mono_us(); 0: now */
    bool only_waits; /* it comes back when it is due, and is not sent */
    bool in_line;    /* not before those in line for the same URL that came earlier have ended */
    /* On the courier's thread, when it was sent or has waited, or when the courier ends. */
    void (*back)(struct courier_job *job);
    void *data;

    /* What became of it. */
    bool sent;     /* false: it has only waited, or the courier has ended before */
    int status;    /* of a whole answer; else 0 */
    char *error;   /* NULL if there is an answer; the letter's owner frees it */
    char *excerpt; /* of the answer's body, as excerpt.h makes it; likewise. May be NULL */

    /* The courier's. */
    struct mailbox_message message;
    struct courier *courier;
    struct courier_job *next;
    struct client_call *call; /* while it is under way */
};

enum {
    COURIER_WHY_SIZE = 256
};

/* `ca_file` NULL: the system's. NULL, and in `why` what is wrong. */
struct courier *courier_open(const char *ca_file, char why[COURIER_WHY_SIZE]);

/* Gives up what is under way, and all that waits: each letter comes back. */
void courier_close(struct courier **courier);

void courier_send(struct courier *courier, struct courier_job *job);

#endif
