/* SPDX-License-Identifier: MIT
 *
 * courier.h - the sending thread: signs each job when it is due, posts it and reads the answer.
 *
 * Ownership  courier_open() starts the thread; courier_close() ends it. The caller owns a job, but
 *            must not touch it from courier_send() until back().
 * Threads    courier_send() on any thread.
 */
#ifndef CLI_EMULATOR_COURIER_H
#define CLI_EMULATOR_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/shipment.h"
#include "daemon/base/mailbox.h"

/* ---- excerpt of an answer */

enum {
    COURIER_EXCERPT_MAX = 4096 /* bytes, TruLayer's documented limit */
};

/* Returns valid UTF-8 of at most COURIER_EXCERPT_MAX bytes, cut on a character boundary; NUL and
 * invalid bytes become U+FFFD. The caller frees it. Returns NULL on ENOMEM. */
char *courier_excerpt_make(const char *bytes, size_t len);

struct client_call;
struct courier;

struct courier_job {
    struct shipment_sending sending; /* private to the courier */
    struct shipment *shipment;       /* NULL: built from the members below when due; kept */
    struct shipment_spec spec;       /* except `now`, set when due */
    struct faults faults;
    const char *url;
    unsigned timeout_s;
    int64_t due_us;  /* of clock_mono_us(); 0: now */
    bool only_waits; /* a timer: back() when due, sends nothing */
    bool in_line;    /* wait for earlier in_line jobs to the same URL */
    /* Called on the courier's thread when the job is done or the courier closes. */
    void (*back)(struct courier_job *job);
    void *data;

    /* The result. */
    bool sent;     /* false: a timer, or the courier closed first */
    int status;    /* of a complete answer; else 0 */
    char *error;   /* NULL after an answer; the caller frees it */
    char *excerpt; /* of the answer's body; the caller frees it; may be NULL */

    /* Private to the courier. */
    struct mailbox_message message;
    struct courier *courier;
    struct courier_job *next;
    struct client_call *call; /* while sending */
};

enum {
    COURIER_WHY_SIZE = 256
};

/* `ca_file` NULL: the system's. Returns NULL on failure, with the reason in `why`. */
struct courier *courier_open(const char *ca_file, char why[COURIER_WHY_SIZE]);

/* Cancels running and waiting jobs; calls back() for each. */
void courier_close(struct courier **courier);

void courier_send(struct courier *courier, struct courier_job *job);

#endif
