/* SPDX-License-Identifier: MIT
 *
 * mailbox.h - multi-producer, single-consumer queue between threads.
 *
 * Ownership  Senders allocate messages; the mailbox links a message from mailbox_post() until its
 *            take() runs.
 * Threads    mailbox_post() on any thread; the others on the owner's.
 */
#ifndef DAEMON_BASE_MAILBOX_H
#define DAEMON_BASE_MAILBOX_H

#include <pthread.h>
#include <stddef.h>

struct mailbox_message {
    struct mailbox_message *next;                  /* set by the mailbox */
    void (*take)(struct mailbox_message *message); /* runs on the owner's thread */
};

struct mailbox {
    pthread_mutex_t mutex;
    struct mailbox_message *first, **last;
    void *data;
    void (*wake)(void *data); /* runs on the sender's thread */
};

/* `wake` tells the owner's thread to call mailbox_take(). It runs if the mailbox was empty, under the
 * mutex: right after it the owner may take the message and close the mailbox. */
void mailbox_open(struct mailbox *mailbox, void (*wake)(void *data), void *data);

/* No thread may post any more. Messages not taken stay with their senders. */
void mailbox_close(struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, struct mailbox_message *message);

/* Takes all messages in order of arrival and returns their number. */
size_t mailbox_take(struct mailbox *mailbox);

#endif
