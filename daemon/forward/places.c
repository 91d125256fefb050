/* SPDX-License-Identifier: MIT */
#include "daemon/forward/places.h"

#include <stdlib.h>

#include "daemon/policy/rules.h"

bool places_grow(struct places *p, unsigned count, const struct attempt *like)
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

void places_free(struct places *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        rules_release_forwarding(&p->all[i]->rules);
        free(p->all[i]->entry);
        free(p->all[i]);
    }
    free(p->all);
}

unsigned places_in(const struct places *p, enum attempt_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == state;
    return n;
}

unsigned places_sending_again(const struct places *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == ATTEMPT_SENDING && !p->all[i]->facts.first;
    return n;
}

struct attempt *places_find(const struct places *p, int64_t seq)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state != ATTEMPT_NONE && p->all[i]->facts.seq == seq)
            return p->all[i];
    return NULL;
}

struct attempt *places_unused(const struct places *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_NONE)
            return p->all[i];
    return NULL;
}

int64_t places_record_at_us(const struct places *p)
{
    int64_t at_us = INT64_MAX;

    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_UNRECORDED && p->all[i]->retry_us < at_us)
            at_us = p->all[i]->retry_us;
    return at_us;
}

void places_cancel(const struct places *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_SENDING)
            attempt_cancel(p->all[i]);
}

int64_t places_cursor(const struct places *p, int64_t position, const struct attempt *but)
{
    int64_t cursor = position;

    for (unsigned i = 0; i < p->count; i++) {
        const struct attempt *a = p->all[i];

        if (a != but && a->state != ATTEMPT_NONE && a->facts.first && a->facts.seq <= cursor)
            cursor = a->facts.seq - 1;
    }
    return cursor;
}
