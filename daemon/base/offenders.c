/* SPDX-License-Identifier: MIT */
#include "daemon/base/offenders.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/network.h"

/* A place holds, from the top: who it is, the second since the start in which the first refusal was
 * (for eight years), and how many there were. 0 is a free one. */
enum {
    SETS = 1 << 14,
    PLACES = 8, /* of a set: a line of the cache */
    COUNT_BITS = 14,
    SINCE_BITS = 28,
    V6_BITS = 64,
};

typedef _Atomic uint64_t place;

struct offenders {
    int64_t start_us;
    unsigned char key[crypto_shorthash_KEYBYTES];
    place *sets; /* SETS times PLACES, in line with the cache */
    place memory[];
};

struct offender {
    uint64_t who, since_s, count;
};

static uint64_t pack(const struct offender *o)
{
    return o->who << (SINCE_BITS + COUNT_BITS) | o->since_s << COUNT_BITS | o->count;
}

static struct offender unpack(uint64_t word)
{
    return (struct offender){
        .who = word >> (SINCE_BITS + COUNT_BITS),
        .since_s = word >> COUNT_BITS & ((1 << SINCE_BITS) - 1),
        .count = word & ((1 << COUNT_BITS) - 1),
    };
}

struct offenders *offenders_new(int64_t now_us)
{
    const size_t line = PLACES * sizeof(place);
    struct offenders *all = calloc(1, sizeof(*all) + (SETS + 1) * line);

    if (all == NULL)
        return NULL;
    all->sets = all->memory + (line - (uintptr_t)all->memory % line) / sizeof(place);
    all->start_us = now_us;
    randombytes_buf(all->key, sizeof(all->key));
    return all;
}

void offenders_free(struct offenders **offenders)
{
    free(*offenders);
    *offenders = NULL;
}

/* The set of a host at a source, and in *who what it is known by there. */
static place *find_set(const struct offenders *all, const struct network_host *host,
                       const char *source, uint64_t *who)
{
    struct {
        struct network_host host;
        unsigned char source[crypto_shorthash_BYTES];
    } both = {.host = *host};
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash = 0;

    if (host->family == 6)
        network_host_mask(&both.host, V6_BITS);
    crypto_shorthash(both.source, (const unsigned char *)source, strlen(source), all->key);
    crypto_shorthash(bytes, (const unsigned char *)&both, sizeof(both), all->key);
    for (size_t i = 0; i < sizeof(bytes); i++)
        hash = hash << 8 | bytes[i];
    *who = hash >> (SINCE_BITS + COUNT_BITS);
    return all->sets + hash % SETS * PLACES;
}

static uint64_t now_s(const struct offenders *all, int64_t now_us)
{
    return (uint64_t)(now_us - all->start_us) / 1000000;
}

/* Another thread's now may be a little later than ours. */
static bool is_over(const struct offender *o, uint64_t at_s)
{
    return o->count == 0 || at_s >= o->since_s + OFFENDERS_WINDOW_S;
}

unsigned offenders_wait_s(const struct offenders *all, const struct network_host *host,
                          const char *source, unsigned refusals, int64_t now_us)
{
    uint64_t who, at_s = now_s(all, now_us);
    const place *set = find_set(all, host, source, &who);

    for (size_t i = 0; i < PLACES; i++) {
        struct offender o = unpack(atomic_load_explicit(&set[i], memory_order_relaxed));

        if (o.who == who && o.count >= refusals && !is_over(&o, at_s))
            return (unsigned)(o.since_s + OFFENDERS_WINDOW_S - at_s);
    }
    return 0;
}

/* Whether `a` is forgotten rather than `b`. */
static bool matters_less(const struct offender *a, const struct offender *b, uint64_t at_s)
{
    if (is_over(a, at_s) || is_over(b, at_s))
        return is_over(a, at_s) && !is_over(b, at_s);
    return a->count != b->count ? a->count < b->count : a->since_s < b->since_s;
}

/* The place of whoever is known by `who`, or else the one to take; and what is in it. */
static place *find_place(place *set, uint64_t who, uint64_t at_s, uint64_t *word)
{
    place *least = NULL;

    for (size_t i = 0; i < PLACES; i++) {
        uint64_t here = atomic_load_explicit(&set[i], memory_order_relaxed);
        struct offender o = unpack(here), other = unpack(*word);

        if (o.who == who && o.count > 0) {
            *word = here;
            return &set[i];
        }
        if (least == NULL || matters_less(&o, &other, at_s)) {
            least = &set[i];
            *word = here;
        }
    }
    return least;
}

void offenders_add(struct offenders *all, const struct network_host *host, const char *source,
                   int64_t now_us)
{
    uint64_t who, at_s = now_s(all, now_us), word = 0;
    place *set = find_set(all, host, source, &who);
    struct offender o;
    place *mine;

    do {
        mine = find_place(set, who, at_s, &word);
        o = unpack(word);
        if (o.who != who || is_over(&o, at_s))
            o = (struct offender){.who = who, .since_s = at_s};
        if (o.count == OFFENDERS_REFUSALS_MAX)
            return;
        o.count++;
    } while (!atomic_compare_exchange_weak_explicit(mine, &word, pack(&o), memory_order_relaxed,
                                                    memory_order_relaxed));
}
