/* SPDX-License-Identifier: MIT */
#include "daemon/forward/relay.h"

#include <stdlib.h>

void relay_clear(struct relay *relay)
{
    free(relay->content_type);
    free(relay->body);
    relay->content_type = relay->body = NULL;
    relay->len = 0;
}

void relay_dismiss(struct relay *relay, enum relay_outcome outcome)
{
    relay->outcome = outcome;
    relay->done(relay);
}

void relay_line_put(struct relay_line *line, struct relay *relay)
{
    relay->next = NULL;
    if (line->first == NULL)
        line->first = relay;
    else
        line->last->next = relay;
    line->last = relay;
}

void relay_line_dismiss_late(struct relay_line *line, int64_t now_us)
{
    while (line->first != NULL && line->first->until_us <= now_us)
        relay_dismiss(relay_line_take(line), RELAY_TIMEOUT);
}

struct relay *relay_line_take(struct relay_line *line)
{
    struct relay *relay = line->first;

    if (relay != NULL)
        line->first = relay->next;
    return relay;
}
