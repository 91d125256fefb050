/* SPDX-License-Identifier: MIT */
#include "daemon/base/mailbox.h"

#include <stddef.h>

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *data), void *data)
{
    *mailbox = (struct mailbox){.data = data, .wake = wake};
    mailbox->last = &mailbox->first;
    pthread_mutex_init(&mailbox->mutex, NULL);
}

void mailbox_destroy(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->mutex);
}

void mailbox_post(struct mailbox *mailbox, struct mailbox_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&mailbox->mutex);
    *mailbox->last = message;
    mailbox->last = &message->next;
    pthread_mutex_unlock(&mailbox->mutex);
    mailbox->wake(mailbox->data);
}

void mailbox_drain(struct mailbox *mailbox)
{
    struct mailbox_message *message, *next;

    pthread_mutex_lock(&mailbox->mutex);
    message = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->mutex);
    for (; message != NULL; message = next) {
        next = message->next;
        message->take(message);
    }
}
