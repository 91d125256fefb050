/* SPDX-License-Identifier: MIT */
#include "daemon/forward/answer_wait.h"

#include <stdlib.h>

void answer_wait_clear(struct answer_wait *waiter)
{
    free(waiter->content_type);
    free(waiter->content_encoding);
    free(waiter->retry_after);
    free(waiter->body);
    waiter->content_type = waiter->content_encoding = waiter->retry_after = waiter->body = NULL;
    waiter->len = 0;
}

void answer_wait_finish(struct answer_wait *waiter, enum answer_wait_outcome outcome)
{
    waiter->outcome = outcome;
    waiter->done(waiter);
}

void answer_wait_list_put(struct answer_wait_list *list, struct answer_wait *waiter)
{
    waiter->next = NULL;
    if (list->first == NULL)
        list->first = waiter;
    else
        list->last->next = waiter;
    list->last = waiter;
}

struct answer_wait *answer_wait_list_take(struct answer_wait_list *list)
{
    struct answer_wait *waiter = list->first;

    if (waiter != NULL)
        list->first = waiter->next;
    return waiter;
}
