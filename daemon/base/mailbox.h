/* SPDX-License-Identifier: MIT
 *
 * mailbox.h - messages from any thread to the one that owns the mailbox.
 *
 * Ownership  A message is its sender's; the mailbox has it from mailbox_post() until it is taken.
 * Threads    mailbox_post() on any thread; the others on the owner's.
 */
#ifndef DAEMON_BASE_MAILBOX_H
#define DAEMON_BASE_MAILBOX_H

#include <pthread.h>

struct mailbox_message {
    struct mailbox_message *next;                  /* the mailbox's */
    void (*take)(struct mailbox_message *message); /* on the owner's thread */
};

struct mailbox {
    pthread_mutex_t mutex; /* a leaf: nothing is called while it is held */
    struct mailbox_message *first, **last;
    void *data;
    void (*wake)(void *data); /* on the sender's thread */
};

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *data), void *data);
void mailbox_destroy(struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, struct mailbox_message *message);

/* Takes all that is there, in the order in which it came. */
void mailbox_drain(struct mailbox *mailbox);

#endif
