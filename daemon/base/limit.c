/* SPDX-License-Identifier: MIT */
#include "daemon/base/limit.h"

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

int64_t rate_wait_us(const struct rate *rate, int64_t now_us)
{
    int64_t due_ns = atomic_load(&rate->due_ns), now_ns = now_us * 1000;

    if (due_ns <= now_ns + rate->burst_ns)
        return 0;
    return (due_ns - now_ns - rate->burst_ns + 999) / 1000;
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

/* ---- CPU share */

bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us)
{
    return now_us >= cpu_share->rest_us;
}

void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times)
{
    int64_t rest_us = (ended_us - began_us) * times;

    cpu_share->rest_us = ended_us + (rest_us < 1000 ? 1000 : rest_us);
}

/* ---- log limit */

bool log_limit_pass(struct log_limit *limit, unsigned per_second, int64_t now_us)
{
    int64_t second = now_us / 1000000;

    if (second != limit->second) {
        limit->second = second;
        limit->passed = 0;
    }
    if (limit->passed >= per_second) {
        limit->dropped++;
        return false;
    }
    limit->passed++;
    return true;
}

/* ---- refusal limit */

/* A slot packs, from the top bit: 22 bits of the host's hash (tag), 28 bits for the second of the
 * first refusal since the start (8 years), and 14 bits for the count. 0 is a free slot. */
enum {
    REFUSAL_SETS = 1 << 14,
    REFUSAL_SLOTS = 8, /* of a set, which is one cache line */
    REFUSAL_COUNT_BITS = 14,
    REFUSAL_SINCE_BITS = 28,
    REFUSAL_V6_BITS = 64,
};

typedef _Atomic uint64_t refusal_slot;

struct refusal_limit {
    int64_t start_us;
    unsigned char key[crypto_shorthash_KEYBYTES];
    refusal_slot *sets; /* REFUSAL_SETS * REFUSAL_SLOTS slots, aligned to a cache line */
    refusal_slot memory[];
};

struct refusal_count {
    uint64_t tag, since_s, count;
};

static uint64_t refusal_count_pack(const struct refusal_count *entry)
{
    return entry->tag << (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS) |
           entry->since_s << REFUSAL_COUNT_BITS | entry->count;
}

static struct refusal_count refusal_count_unpack(uint64_t word)
{
    return (struct refusal_count){
        .tag = word >> (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS),
        .since_s = word >> REFUSAL_COUNT_BITS & ((1 << REFUSAL_SINCE_BITS) - 1),
        .count = word & ((1 << REFUSAL_COUNT_BITS) - 1),
    };
}

struct refusal_limit *refusal_limit_new(int64_t now_us)
{
    const size_t line = REFUSAL_SLOTS * sizeof(refusal_slot);
    struct refusal_limit *limit = calloc(1, sizeof(*limit) + (REFUSAL_SETS + 1) * line);

    if (limit == NULL)
        return NULL;
    limit->sets = limit->memory + (line - (uintptr_t)limit->memory % line) / sizeof(refusal_slot);
    limit->start_us = now_us;
    randombytes_buf(limit->key, sizeof(limit->key));
    return limit;
}

void refusal_limit_free(struct refusal_limit **refusal_limit)
{
    free(*refusal_limit);
    *refusal_limit = NULL;
}

/* Returns the set of a host and source; sets *tag to their remaining hash bits. */
static refusal_slot *refusal_limit_find_set(const struct refusal_limit *limit,
                                            const struct network_host *host, const char *source,
                                            uint64_t *tag)
{
    struct {
        struct network_host host;
        unsigned char source[crypto_shorthash_BYTES];
    } both = {.host = *host};
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash = 0;

    if (host->family == 6)
        network_host_mask(&both.host, REFUSAL_V6_BITS);
    crypto_shorthash(both.source, (const unsigned char *)source, strlen(source), limit->key);
    crypto_shorthash(bytes, (const unsigned char *)&both, sizeof(both), limit->key);
    for (size_t i = 0; i < sizeof(bytes); i++)
        hash = hash << 8 | bytes[i];
    *tag = hash >> (REFUSAL_SINCE_BITS + REFUSAL_COUNT_BITS);
    return limit->sets + hash % REFUSAL_SETS * REFUSAL_SLOTS;
}

static uint64_t refusal_limit_now_s(const struct refusal_limit *limit, int64_t now_us)
{
    return (uint64_t)(now_us - limit->start_us) / 1000000;
}

/* `since_s` may exceed `at_s`, because another thread's clock reading may be later. */
static bool refusal_count_is_over(const struct refusal_count *entry, uint64_t at_s)
{
    return entry->count == 0 || at_s >= entry->since_s + REFUSAL_LIMIT_WINDOW_S;
}

unsigned refusal_limit_wait_s(const struct refusal_limit *limit, const struct network_host *host,
                              const char *source, unsigned refusals, int64_t now_us)
{
    uint64_t tag, at_s = refusal_limit_now_s(limit, now_us);
    const refusal_slot *set = refusal_limit_find_set(limit, host, source, &tag);

    for (size_t i = 0; i < REFUSAL_SLOTS; i++) {
        struct refusal_count entry =
            refusal_count_unpack(atomic_load_explicit(&set[i], memory_order_relaxed));

        if (entry.tag == tag && entry.count >= refusals && !refusal_count_is_over(&entry, at_s))
            return (unsigned)(entry.since_s + REFUSAL_LIMIT_WINDOW_S - at_s);
    }
    return 0;
}

/* True if `a` is replaced before `b`. */
static bool refusal_count_is_less(const struct refusal_count *a, const struct refusal_count *b,
                                  uint64_t at_s)
{
    if (refusal_count_is_over(a, at_s) || refusal_count_is_over(b, at_s))
        return refusal_count_is_over(a, at_s) && !refusal_count_is_over(b, at_s);
    return a->count != b->count ? a->count < b->count : a->since_s < b->since_s;
}

/* Returns the slot with the tag, else the slot to replace; sets *word to its content. */
static refusal_slot *refusal_limit_find_slot(refusal_slot *set, uint64_t tag, uint64_t at_s,
                                             uint64_t *word)
{
    refusal_slot *least = NULL;

    for (size_t i = 0; i < REFUSAL_SLOTS; i++) {
        uint64_t here = atomic_load_explicit(&set[i], memory_order_relaxed);
        struct refusal_count entry = refusal_count_unpack(here),
                             other = refusal_count_unpack(*word);

        if (entry.tag == tag && entry.count > 0) {
            *word = here;
            return &set[i];
        }
        if (least == NULL || refusal_count_is_less(&entry, &other, at_s)) {
            least = &set[i];
            *word = here;
        }
    }
    return least;
}

void refusal_limit_add(struct refusal_limit *limit, const struct network_host *host,
                       const char *source, int64_t now_us)
{
    uint64_t tag, at_s = refusal_limit_now_s(limit, now_us), word = 0;
    refusal_slot *set = refusal_limit_find_set(limit, host, source, &tag);
    struct refusal_count entry;
    refusal_slot *mine;

    do {
        mine = refusal_limit_find_slot(set, tag, at_s, &word);
        entry = refusal_count_unpack(word);
        if (entry.tag != tag || refusal_count_is_over(&entry, at_s))
            entry = (struct refusal_count){.tag = tag, .since_s = at_s};
        if (entry.count == REFUSAL_LIMIT_MAX)
            return;
        entry.count++;
    } while (!atomic_compare_exchange_weak_explicit(mine, &word, refusal_count_pack(&entry),
                                                    memory_order_relaxed, memory_order_relaxed));
}

/* ---- connection count */

enum {
    ROWS = 2,
    COUNTERS = 1 << 16, /* per row */
    V6_BITS = 64,
};

struct conn_count {
    unsigned char key[crypto_shorthash_KEYBYTES];
    _Atomic uint32_t rows[ROWS][COUNTERS];
};

struct conn_count *conn_count_new(void)
{
    struct conn_count *conn_count = calloc(1, sizeof(*conn_count));

    if (conn_count != NULL)
        randombytes_buf(conn_count->key, sizeof(conn_count->key));
    return conn_count;
}

void conn_count_free(struct conn_count **conn_count)
{
    free(*conn_count);
    *conn_count = NULL;
}

static void conn_count_find_slot(const struct conn_count *conn_count,
                                 const struct network_host *host, struct conn_count_slot *slot)
{
    struct network_host masked = *host;
    unsigned char hash[crypto_shorthash_BYTES];

    if (host->family == 6)
        network_host_mask(&masked, V6_BITS);
    crypto_shorthash(hash, (const unsigned char *)&masked, sizeof(masked), conn_count->key);
    for (size_t row = 0; row < ROWS; row++)
        slot->counter[row] = (uint32_t)hash[2 * row] << 8 | hash[2 * row + 1];
}

unsigned conn_count_add(struct conn_count *conn_count, const struct network_host *host,
                        struct conn_count_slot *slot)
{
    uint32_t least = UINT32_MAX;

    conn_count_find_slot(conn_count, host, slot);
    for (size_t row = 0; row < ROWS; row++) {
        uint32_t count = 1 + atomic_fetch_add_explicit(&conn_count->rows[row][slot->counter[row]],
                                                       1, memory_order_relaxed);

        if (count < least)
            least = count;
    }
    return least;
}

void conn_count_remove(struct conn_count *conn_count, const struct conn_count_slot *slot)
{
    for (size_t row = 0; row < ROWS; row++)
        atomic_fetch_sub_explicit(&conn_count->rows[row][slot->counter[row]], 1,
                                  memory_order_relaxed);
}
