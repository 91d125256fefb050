/* SPDX-License-Identifier: MIT
 *
 * answer_wait.h - a sender that waits for the answer of a destination.
 *
 * Ownership  The caller allocates; the forwarder borrows the waiter until done(), then the caller
 *            frees the answer with answer_wait_clear().
 * Threads    One at a time; done() runs on the forwarder thread.
 */
#ifndef DAEMON_FORWARD_ANSWER_WAIT_H
#define DAEMON_FORWARD_ANSWER_WAIT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/mailbox.h"

enum answer_wait_outcome {
    ANSWER_WAIT_ANSWERED, /* see status, content_type and body */
    ANSWER_WAIT_FAILED,   /* no answer, or none fit to pass on */
    ANSWER_WAIT_TIMEOUT,
    ANSWER_WAIT_DELIVERED, /* delivered before: no answer is kept */
};

struct answer_wait {
    /* set by the forwarder */
    struct answer_wait *next;
    struct mailbox_message message;
    void *forwarder;
    int64_t destination; /* number in the store */
    int64_t until_us;

    /* set by the caller */
    int64_t seq; /* a durable delivery */
    void *data;
    void (*done)(struct answer_wait *waiter); /* the forwarder waits: only post a message */

    /* the result */
    enum answer_wait_outcome outcome;
    int status;
    char *content_type, *content_encoding, *retry_after; /* NULL: none */
    char *body;
    size_t len;
};

/* Frees the answer, not the waiter. */
void answer_wait_clear(struct answer_wait *waiter);

/* Ends the wait without an answer. */
void answer_wait_finish(struct answer_wait *waiter, enum answer_wait_outcome outcome);

/* ---- list of waiters, in order of arrival; zeroed: empty */

struct answer_wait_list {
    struct answer_wait *first, *last;
};

void answer_wait_list_put(struct answer_wait_list *list, struct answer_wait *waiter);

/* Removes the first waiter; returns NULL if the list is empty. */
struct answer_wait *answer_wait_list_take(struct answer_wait_list *list);

/* Ends expired waits from the front. After a shorter timeout was configured, a waiter behind a
 * longer one may expire late. */
static inline void answer_wait_list_expire(struct answer_wait_list *list, int64_t now_us)
{
    while (list->first != NULL && list->first->until_us <= now_us)
        answer_wait_finish(answer_wait_list_take(list), ANSWER_WAIT_TIMEOUT);
}

#endif
