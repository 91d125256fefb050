/* SPDX-License-Identifier: MIT
 *
 * answer_wait.h - a sender that waits for the answer of the destination.
 *
 * Ownership  Whoever asks makes it; it is the forwarder's until done(), and then the asker's again,
 *            with the answer: answer_wait_clear() releases what the answer holds.
 * Threads    One at a time.
 */
#ifndef DAEMON_FORWARD_ANSWER_WAIT_H
#define DAEMON_FORWARD_ANSWER_WAIT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/mailbox.h"

enum answer_wait_outcome {
    ANSWER_WAIT_ANSWERED, /* by status, content_type and body */
    ANSWER_WAIT_FAILED,   /* there is no answer, or none that could be passed on */
    ANSWER_WAIT_TIMEOUT,
    ANSWER_WAIT_DELIVERED, /* it was delivered before */
};

struct answer_wait {
    struct answer_wait *next;       /* the forwarder's, as are ... */
    struct mailbox_message message; /* ... these */
    void *forwarder;
    int64_t destination; /* its number */
    int64_t until_us;

    int64_t seq; /* of a delivery that is durable */
    void *data;  /* the asker's */
    void (*done)(
        struct answer_wait *waiter); /* on the forwarder's thread: it posts a message, no more */

    enum answer_wait_outcome outcome;
    int status;
    char *content_type; /* NULL: none */
    char *body;
    size_t len;
};

void answer_wait_clear(struct answer_wait *waiter);

/* Hands it back without an answer. */
void answer_wait_finish(struct answer_wait *waiter, enum answer_wait_outcome outcome);

/* Relays in the order in which they came; a zeroed struct is an empty one. */
struct answer_wait_list {
    struct answer_wait *first, *last;
};

void answer_wait_list_put(struct answer_wait_list *line, struct answer_wait *waiter);

struct answer_wait *
answer_wait_list_take(struct answer_wait_list *line); /* NULL if there is none */

/* Those whose time is over; they stand in its order, or wait a little longer. */
static inline void answer_wait_list_expire(struct answer_wait_list *line, int64_t now_us)
{
    while (line->first != NULL && line->first->until_us <= now_us)
        answer_wait_finish(answer_wait_list_take(line), ANSWER_WAIT_TIMEOUT);
}

#endif
