/* SPDX-License-Identifier: MIT
 *
 * relay.h - a sender that waits for the answer of the destination.
 *
 * Ownership  Whoever asks makes it; it is the forwarder's until done(), and then the asker's again,
 *            with the answer: relay_clear() releases what the answer holds.
 * Threads    One at a time.
 */
#ifndef DAEMON_FORWARD_RELAY_H
#define DAEMON_FORWARD_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/mailbox.h"

enum relay_outcome {
    RELAY_ANSWERED, /* by status, content_type and body */
    RELAY_FAILED,   /* there is no answer, or none that could be passed on */
    RELAY_TIMEOUT,
    RELAY_DONE, /* it was delivered before */
};

struct relay {
    struct relay *next;     /* the forwarder's, as are ... */
    struct message message; /* ... these */
    void *forwarder;
    int64_t destination; /* its number */
    int64_t until_us;

    int64_t seq;                       /* of a delivery that is durable */
    void *data;                        /* the asker's */
    void (*done)(struct relay *relay); /* on the forwarder's thread: it posts a message, no more */

    enum relay_outcome outcome;
    int status;
    char *content_type; /* NULL: none */
    char *body;
    size_t len;
};

void relay_clear(struct relay *relay);

/* Hands it back without an answer. */
void relay_dismiss(struct relay *relay, enum relay_outcome outcome);

/* Relays in the order in which they came; a zeroed struct is an empty one. */
struct relay_line {
    struct relay *first, *last;
};

void relay_line_put(struct relay_line *line, struct relay *relay);
/* Those whose time is over; they stand in its order, or wait a little longer. */
void relay_line_dismiss_late(struct relay_line *line, int64_t now_us);

struct relay *relay_line_take(struct relay_line *line); /* NULL if there is none */

#endif
