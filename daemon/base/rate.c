/* SPDX-License-Identifier: MIT */
#include "daemon/base/rate.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/net.h"

static const int64_t rate_second_ns = 1000000000;

void rate_init(struct rate *rate, unsigned per_second, unsigned burst)
{
    rate->interval_ns = rate_second_ns / per_second;
    rate->burst_ns = rate->interval_ns * (burst - 1);
    atomic_init(&rate->due_ns, INT64_MIN);
}

void rate_carry_over(struct rate *rate, struct rate *before)
{
    if (rate->interval_ns == before->interval_ns && rate->burst_ns == before->burst_ns)
        atomic_store(&rate->due_ns, atomic_load(&before->due_ns));
}

unsigned rate_take(struct rate *rate, int64_t now_us)
{
    int64_t now_ns = now_us * 1000;
    int64_t due_ns = atomic_load_explicit(&rate->due_ns, memory_order_relaxed);
    int64_t begin_ns;

    do {
        begin_ns = due_ns > now_ns ? due_ns : now_ns;
        if (begin_ns - now_ns > rate->burst_ns)
            return (unsigned)((begin_ns - now_ns - rate->burst_ns + rate_second_ns - 1) /
                              rate_second_ns);
    } while (!atomic_compare_exchange_weak_explicit(&rate->due_ns, &due_ns,
                                                    begin_ns + rate->interval_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

/* ---- pace */

bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us)
{
    return now_us >= cpu_share->rest_us;
}

void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times)
{
    int64_t rest_us = (ended_us - began_us) * times;

    cpu_share->rest_us = ended_us + (rest_us < 1000 ? 1000 : rest_us);
}

/* ---- throttle */

bool log_limit_pass(struct log_limit *t, unsigned per_second, int64_t now_us)
{
    int64_t second = now_us / 1000000;

    if (second != t->second) {
        t->second = second;
        t->passed = 0;
    }
    if (t->passed >= per_second) {
        t->dropped++;
        return false;
    }
    t->passed++;
    return true;
}

/* ---- offenders */

/* A place holds, from the top: who it is, the second since the start in which the first refusal was
 * (for eight years), and how many there were. 0 is a free one. */
enum {
    REFUSAL_SETS = 1 << 14,
    REFUSAL_SLOTS = 8, /* of a set: a line of the cache */
    REFUSAL_COUNT_BITS = 14,
    REFUSAL_SINCE_BITS = 28,
    REFUSAL_V6_BITS = 64,
};

typedef _Atomic uint64_t place;

struct refusal_limit {
    int64_t start_us;
    unsigned char key[crypto_shorthash_KEYBYTES];
    place *sets; /* SETS times PLACES, in line with the cache */
    place memory[];
};

struct refusal_count {
    uint64_t who, since_s, count;
};

static uint64_t refusal_count_pack(const struct refusal_count *o)
{
    return o->who << (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS) | o->since_s << REFUSAL_COUNT_BITS |
           o->count;
}

static struct refusal_count refusal_count_unpack(uint64_t word)
{
    return (struct refusal_count){
        .who = word >> (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS),
        .since_s = word >> REFUSAL_COUNT_BITS & ((1 << REFUSAL_SINCE_BITS) - 1),
        .count = word & ((1 << REFUSAL_COUNT_BITS) - 1),
    };
}

struct refusal_limit *refusal_limit_new(int64_t now_us)
{
    const size_t line = REFUSAL_SLOTS * sizeof(place);
    struct refusal_limit *all = calloc(1, sizeof(*all) + (REFUSAL_SETS + 1) * line);

    if (all == NULL)
        return NULL;
    all->sets = all->memory + (line - (uintptr_t)all->memory % line) / sizeof(place);
    all->start_us = now_us;
    randombytes_buf(all->key, sizeof(all->key));
    return all;
}

void refusal_limit_free(struct refusal_limit **refusal_limit)
{
    free(*refusal_limit);
    *refusal_limit = NULL;
}

/* The set of a host at a source, and in *who what it is known by there. */
static place *refusal_limit_find_set(const struct refusal_limit *all,
                                     const struct network_host *host, const char *source,
                                     uint64_t *who)
{
    struct {
        struct network_host host;
        unsigned char source[crypto_shorthash_BYTES];
    } both = {.host = *host};
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash = 0;

    if (host->family == 6)
        network_host_mask(&both.host, REFUSAL_V6_BITS);
    crypto_shorthash(both.source, (const unsigned char *)source, strlen(source), all->key);
    crypto_shorthash(bytes, (const unsigned char *)&both, sizeof(both), all->key);
    for (size_t i = 0; i < sizeof(bytes); i++)
        hash = hash << 8 | bytes[i];
    *who = hash >> (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS);
    return all->sets + hash % REFUSAL_SETS * REFUSAL_SLOTS;
}

static uint64_t refusal_limit_now_s(const struct refusal_limit *all, int64_t now_us)
{
    return (uint64_t)(now_us - all->start_us) / 1000000;
}

/* Another thread's now may be a little later than ours. */
static bool refusal_count_is_over(const struct refusal_count *o, uint64_t at_s)
{
    return o->count == 0 || at_s >= o->since_s + REFUSAL_LIMIT_WINDOW_S;
}

unsigned refusal_limit_wait_s(const struct refusal_limit *all, const struct network_host *host,
                              const char *source, unsigned refusals, int64_t now_us)
{
    uint64_t who, at_s = refusal_limit_now_s(all, now_us);
    const place *set = refusal_limit_find_set(all, host, source, &who);

    for (size_t i = 0; i < REFUSAL_SLOTS; i++) {
        struct refusal_count o =
            refusal_count_unpack(atomic_load_explicit(&set[i], memory_order_relaxed));

        if (o.who == who && o.count >= refusals && !refusal_count_is_over(&o, at_s))
            return (unsigned)(o.since_s + REFUSAL_LIMIT_WINDOW_S - at_s);
    }
    return 0;
}

/* Whether `a` is forgotten rather than `b`. */
static bool refusal_count_is_less(const struct refusal_count *a, const struct refusal_count *b,
                                  uint64_t at_s)
{
    if (refusal_count_is_over(a, at_s) || refusal_count_is_over(b, at_s))
        return refusal_count_is_over(a, at_s) && !refusal_count_is_over(b, at_s);
    return a->count != b->count ? a->count < b->count : a->since_s < b->since_s;
}

/* The place of whoever is known by `who`, or else the one to take; and what is in it. */
static place *refusal_limit_find_slot(place *set, uint64_t who, uint64_t at_s, uint64_t *word)
{
    place *least = NULL;

    for (size_t i = 0; i < REFUSAL_SLOTS; i++) {
        uint64_t here = atomic_load_explicit(&set[i], memory_order_relaxed);
        struct refusal_count o = refusal_count_unpack(here), other = refusal_count_unpack(*word);

        if (o.who == who && o.count > 0) {
            *word = here;
            return &set[i];
        }
        if (least == NULL || refusal_count_is_less(&o, &other, at_s)) {
            least = &set[i];
            *word = here;
        }
    }
    return least;
}

void refusal_limit_add(struct refusal_limit *all, const struct network_host *host,
                       const char *source, int64_t now_us)
{
    uint64_t who, at_s = refusal_limit_now_s(all, now_us), word = 0;
    place *set = refusal_limit_find_set(all, host, source, &who);
    struct refusal_count o;
    place *mine;

    do {
        mine = refusal_limit_find_slot(set, who, at_s, &word);
        o = refusal_count_unpack(word);
        if (o.who != who || refusal_count_is_over(&o, at_s))
            o = (struct refusal_count){.who = who, .since_s = at_s};
        if (o.count == REFUSAL_LIMIT_MAX)
            return;
        o.count++;
    } while (!atomic_compare_exchange_weak_explicit(mine, &word, refusal_count_pack(&o),
                                                    memory_order_relaxed, memory_order_relaxed));
}
