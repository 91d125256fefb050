/* SPDX-License-Identifier: MIT */
#include "daemon/forward/answer_wait.h"

#include <stdlib.h>

void answer_wait_clear(struct answer_wait *waiter)
{
    free(waiter->content_type);
    free(waiter->body);
    waiter->content_type = waiter->body = NULL;
    waiter->len = 0;
}

void answer_wait_finish(struct answer_wait *waiter, enum answer_wait_outcome outcome)
{
    waiter->outcome = outcome;
    waiter->done(waiter);
}

void answer_wait_list_put(struct answer_wait_list *line, struct answer_wait *waiter)
{
    waiter->next = NULL;
    if (line->first == NULL)
        line->first = waiter;
    else
        line->last->next = waiter;
    line->last = waiter;
}

struct answer_wait *answer_wait_list_take(struct answer_wait_list *line)
{
    struct answer_wait *waiter = line->first;

    if (waiter != NULL)
        line->first = waiter->next;
    return waiter;
}
