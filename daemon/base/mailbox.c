/* SPDX-License-Identifier: MIT */
#include "daemon/base/mailbox.h"

void mailbox_open(struct mailbox *mailbox, void (*wake)(void *data), void *data)
{
    *mailbox = (struct mailbox){.data = data, .wake = wake};
    mailbox->last = &mailbox->first;
    pthread_mutex_init(&mailbox->mutex, NULL);
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->mutex);
}

void mailbox_post(struct mailbox *mailbox, struct mailbox_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&mailbox->mutex);
    if (mailbox->first == NULL)
        mailbox->wake(mailbox->data);
    *mailbox->last = message;
    mailbox->last = &message->next;
    pthread_mutex_unlock(&mailbox->mutex);
}

size_t mailbox_take(struct mailbox *mailbox)
{
    struct mailbox_message *message, *next;
    size_t count = 0;

    pthread_mutex_lock(&mailbox->mutex);
    message = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->mutex);
    for (; message != NULL; message = next) {
        next = message->next;
        message->take(message);
        count++;
    }
    return count;
}
