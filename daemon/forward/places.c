/* SPDX-License-Identifier: MIT */
#include "daemon/forward/places.h"

#include <stdlib.h>

#include "daemon/policy/policy.h"

bool slots_grow(struct slots *p, unsigned count, const struct attempt *like)
{
    struct attempt **all;

    if (count <= p->count)
        return true;
    if ((all = realloc(p->all, count * sizeof(struct attempt *))) == NULL)
        return false;
    p->all = all;
    while (p->count < count && (all[p->count] = malloc(sizeof(struct attempt))) != NULL)
        *all[p->count++] = *like;
    return p->count == count;
}

void slots_free(struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        policy_release_forwarding(&p->all[i]->policy);
        free(p->all[i]->delivery);
        free(p->all[i]);
    }
    free(p->all);
}

unsigned slots_in(const struct slots *p, enum attempt_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == state;
    return n;
}

unsigned slots_sending_again(const struct slots *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == ATTEMPT_SENDING && !p->all[i]->facts.first;
    return n;
}

struct attempt *slots_find(const struct slots *p, int64_t seq)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state != ATTEMPT_NONE && p->all[i]->facts.seq == seq)
            return p->all[i];
    return NULL;
}

struct attempt *slots_unused(const struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_NONE)
            return p->all[i];
    return NULL;
}

int64_t slots_record_at_us(const struct slots *p)
{
    int64_t at_us = INT64_MAX;

    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_UNRECORDED && p->all[i]->retry_us < at_us)
            at_us = p->all[i]->retry_us;
    return at_us;
}

void slots_cancel(const struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_SENDING)
            attempt_cancel(p->all[i]);
}

int64_t slots_low_water(const struct slots *p, int64_t position, const struct attempt *but)
{
    int64_t low = position;

    for (unsigned i = 0; i < p->count; i++) {
        const struct attempt *a = p->all[i];

        if (a != but && a->state != ATTEMPT_NONE && a->facts.first && a->facts.seq <= low)
            low = a->facts.seq - 1;
    }
    return low;
}
