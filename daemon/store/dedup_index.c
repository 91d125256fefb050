/* SPDX-License-Identifier: MIT
 *
 * A hash table with open addressing and linear probing. The home slot of an entry follows from its
 * tag, so a shard can grow and close gaps without the full hashes. The top 8 bits of a hash select
 * one of 256 shards: rebuilding one shard takes a fraction of a millisecond, the whole table would
 * take 256 times as long.
 */
#include "daemon/store/dedup_index.h"

#include <stdlib.h>

enum {
    SHARD_BITS = 8,
    SHARDS = 1 << SHARD_BITS,
    TAG_BITS = 24,
    SEQ_BITS = 64 - TAG_BITS,
    FIRST_BITS = 4, /* initial size of a shard */
};

/* A slot holds tag and seq; 0 marks a free slot, because seq starts at 1. */
struct dedup_shard {
    uint64_t *slots;
    size_t count;
    unsigned bits; /* log2 of the number of slots */
};

struct dedup_index {
    struct dedup_shard shards[SHARDS];
};

static uint64_t dedup_slot_of(uint64_t hash, int64_t seq)
{
    return (hash << SHARD_BITS >> SEQ_BITS << SEQ_BITS) | (uint64_t)seq;
}

static int64_t dedup_slot_seq(uint64_t slot)
{
    return (int64_t)(slot & (uint64_t)DEDUP_INDEX_SEQ_MAX);
}

static size_t dedup_home_of(const struct dedup_shard *shard, uint64_t slot)
{
    return slot >> (64 - shard->bits);
}

static size_t dedup_shard_mask(const struct dedup_shard *shard)
{
    return ((size_t)1 << shard->bits) - 1;
}

static bool dedup_shard_init(struct dedup_shard *shard, unsigned bits)
{
    *shard = (struct dedup_shard){.bits = bits};
    shard->slots = calloc((size_t)1 << bits, sizeof(*shard->slots));
    return shard->slots != NULL;
}

struct dedup_index *dedup_index_new(void)
{
    struct dedup_index *index = calloc(1, sizeof(*index));

    for (size_t i = 0; index != NULL && i < SHARDS; i++)
        if (!dedup_shard_init(&index->shards[i], FIRST_BITS))
            dedup_index_free(&index);
    return index;
}

void dedup_index_free(struct dedup_index **index)
{
    for (size_t i = 0; *index != NULL && i < SHARDS; i++)
        free((*index)->shards[i].slots);
    free(*index);
    *index = NULL;
}

static void dedup_shard_put(struct dedup_shard *shard, uint64_t slot)
{
    size_t i = dedup_home_of(shard, slot);

    while (shard->slots[i] != 0)
        i = (i + 1) & dedup_shard_mask(shard);
    shard->slots[i] = slot;
    shard->count++;
}

static bool dedup_shard_grow(struct dedup_shard *shard, unsigned bits)
{
    struct dedup_shard bigger;

    if (bits > TAG_BITS || !dedup_shard_init(&bigger, bits))
        return false;
    for (size_t i = 0; i <= dedup_shard_mask(shard); i++)
        if (shard->slots[i] != 0)
            dedup_shard_put(&bigger, shard->slots[i]);
    free(shard->slots);
    *shard = bigger;
    return true;
}

static size_t dedup_shard_of(uint64_t hash)
{
    return hash >> (64 - SHARD_BITS);
}

/* Limits the load factor to 3/4, which keeps probe sequences short. */
static bool dedup_shard_has_room(unsigned bits, size_t count)
{
    size_t size = (size_t)1 << bits;

    return count <= size - size / 4;
}

bool dedup_index_reserve(struct dedup_index *index, size_t count)
{
    size_t each = count / SHARDS + count / SHARDS / 16; /* hashes spread unevenly */

    for (size_t i = 0; i < SHARDS; i++) {
        struct dedup_shard *shard = &index->shards[i];
        unsigned bits = shard->bits;

        while (bits < TAG_BITS && !dedup_shard_has_room(bits, shard->count + each))
            bits++;
        if (bits > shard->bits && !dedup_shard_grow(shard, bits))
            return false;
    }
    return true;
}

void dedup_index_prefetch(const struct dedup_index *index, uint64_t hash)
{
    const struct dedup_shard *shard = &index->shards[dedup_shard_of(hash)];

    __builtin_prefetch(&shard->slots[dedup_home_of(shard, dedup_slot_of(hash, 0))], 1);
}

bool dedup_index_add(struct dedup_index *index, uint64_t hash, int64_t seq)
{
    struct dedup_shard *shard = &index->shards[dedup_shard_of(hash)];

    if (!dedup_shard_has_room(shard->bits, shard->count + 1) &&
        !dedup_shard_grow(shard, shard->bits + 1))
        return false;
    dedup_shard_put(shard, dedup_slot_of(hash, seq));
    return true;
}

/* Moves displaced entries back towards their home slots after the removal at `gap`. */
static void dedup_shard_close_gap(struct dedup_shard *shard, size_t gap)
{
    size_t mask = dedup_shard_mask(shard);

    for (size_t i = (gap + 1) & mask; shard->slots[i] != 0; i = (i + 1) & mask) {
        size_t home = dedup_home_of(shard, shard->slots[i]);

        if (((i - home) & mask) >= ((i - gap) & mask)) {
            shard->slots[gap] = shard->slots[i];
            gap = i;
        }
    }
    shard->slots[gap] = 0;
}

void dedup_index_remove(struct dedup_index *index, uint64_t hash, int64_t seq)
{
    struct dedup_shard *shard = &index->shards[dedup_shard_of(hash)];
    uint64_t slot = dedup_slot_of(hash, seq);

    for (size_t i = dedup_home_of(shard, slot); shard->slots[i] != 0;
         i = (i + 1) & dedup_shard_mask(shard)) {
        if (shard->slots[i] == slot) {
            dedup_shard_close_gap(shard, i);
            shard->count--;
            return;
        }
    }
}

int dedup_index_find(const struct dedup_index *index, uint64_t hash,
                     int (*is_it)(void *data, int64_t seq), void *data)
{
    const struct dedup_shard *shard = &index->shards[dedup_shard_of(hash)];
    uint64_t tag = dedup_slot_of(hash, 0);
    int found;

    for (size_t i = dedup_home_of(shard, tag); shard->slots[i] != 0;
         i = (i + 1) & dedup_shard_mask(shard)) {
        int64_t seq = dedup_slot_seq(shard->slots[i]);

        if ((shard->slots[i] ^ (uint64_t)seq) == tag && (found = is_it(data, seq)) != 0)
            return found;
    }
    return 0;
}

size_t dedup_index_count(const struct dedup_index *index)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++)
        count += index->shards[i].count;
    return count;
}
