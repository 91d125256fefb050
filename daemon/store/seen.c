/* SPDX-License-Identifier: MIT
 *
 * Open addressing with linear probing. An entry's home is told by its tag, so that a table can grow
 * and close gaps without the hashes. The first bits of a hash choose one of 256 parts: a part that
 * grows is rebuilt in a fraction of a millisecond, which all of the table would not be.
 */
#include "daemon/store/seen.h"

#include <stdlib.h>

enum {
    PART_BITS = 8,
    PARTS = 1 << PART_BITS,
    TAG_BITS = 24,
    SEQ_BITS = 64 - TAG_BITS,
    FIRST_BITS = 4, /* of a part's size */
};

/* A slot is its tag and its seq; free ones are 0, which no seq is. */
struct part {
    uint64_t *slots;
    size_t count;
    unsigned bits; /* of its size */
};

struct seen {
    struct part parts[PARTS];
};

static uint64_t slot_of(uint64_t hash, int64_t seq)
{
    return (hash << PART_BITS >> SEQ_BITS << SEQ_BITS) | (uint64_t)seq;
}

static int64_t seq_of(uint64_t slot)
{
    return (int64_t)(slot & (uint64_t)SEEN_SEQ_MAX);
}

static size_t home_of(const struct part *part, uint64_t slot)
{
    return slot >> (64 - part->bits);
}

static size_t mask_of(const struct part *part)
{
    return ((size_t)1 << part->bits) - 1;
}

static bool part_init(struct part *part, unsigned bits)
{
    *part = (struct part){.bits = bits};
    part->slots = calloc((size_t)1 << bits, sizeof(*part->slots));
    return part->slots != NULL;
}

struct seen *seen_new(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    for (size_t i = 0; seen != NULL && i < PARTS; i++)
        if (!part_init(&seen->parts[i], FIRST_BITS))
            seen_free(&seen);
    return seen;
}

void seen_free(struct seen **seen)
{
    for (size_t i = 0; *seen != NULL && i < PARTS; i++)
        free((*seen)->parts[i].slots);
    free(*seen);
    *seen = NULL;
}

static void put(struct part *part, uint64_t slot)
{
    size_t i = home_of(part, slot);

    while (part->slots[i] != 0)
        i = (i + 1) & mask_of(part);
    part->slots[i] = slot;
    part->count++;
}

static bool grow(struct part *part, unsigned bits)
{
    struct part bigger;

    if (bits > TAG_BITS || !part_init(&bigger, bits))
        return false;
    for (size_t i = 0; i <= mask_of(part); i++)
        if (part->slots[i] != 0)
            put(&bigger, part->slots[i]);
    free(part->slots);
    *part = bigger;
    return true;
}

static size_t part_of(uint64_t hash)
{
    return hash >> (64 - PART_BITS);
}

/* Whether a part of that size takes so many; the rest is what keeps the ways short. */
static bool is_room(unsigned bits, size_t count)
{
    size_t size = (size_t)1 << bits;

    return count <= size - size / 4;
}

bool seen_reserve(struct seen *seen, size_t count)
{
    size_t each = count / PARTS + count / PARTS / 16; /* hashes do not fall evenly */

    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &seen->parts[i];
        unsigned bits = part->bits;

        while (bits < TAG_BITS && !is_room(bits, part->count + each))
            bits++;
        if (bits > part->bits && !grow(part, bits))
            return false;
    }
    return true;
}

void seen_expect(const struct seen *seen, uint64_t hash)
{
    const struct part *part = &seen->parts[part_of(hash)];

    __builtin_prefetch(&part->slots[home_of(part, slot_of(hash, 0))], 1);
}

bool seen_add(struct seen *seen, uint64_t hash, int64_t seq)
{
    struct part *part = &seen->parts[part_of(hash)];

    if (!is_room(part->bits, part->count + 1) && !grow(part, part->bits + 1))
        return false;
    put(part, slot_of(hash, seq));
    return true;
}

/* Moves back what was pushed away from its home by the one that has gone from `gap`. */
static void close_gap(struct part *part, size_t gap)
{
    size_t mask = mask_of(part);

    for (size_t i = (gap + 1) & mask; part->slots[i] != 0; i = (i + 1) & mask) {
        size_t home = home_of(part, part->slots[i]);

        if (((i - home) & mask) >= ((i - gap) & mask)) {
            part->slots[gap] = part->slots[i];
            gap = i;
        }
    }
    part->slots[gap] = 0;
}

void seen_remove(struct seen *seen, uint64_t hash, int64_t seq)
{
    struct part *part = &seen->parts[part_of(hash)];
    uint64_t slot = slot_of(hash, seq);

    for (size_t i = home_of(part, slot); part->slots[i] != 0; i = (i + 1) & mask_of(part)) {
        if (part->slots[i] == slot) {
            close_gap(part, i);
            part->count--;
            return;
        }
    }
}

int seen_find(const struct seen *seen, uint64_t hash, int (*is_it)(void *data, int64_t seq),
              void *data)
{
    const struct part *part = &seen->parts[part_of(hash)];
    uint64_t tag = slot_of(hash, 0);
    int found;

    for (size_t i = home_of(part, tag); part->slots[i] != 0; i = (i + 1) & mask_of(part)) {
        int64_t seq = seq_of(part->slots[i]);

        if ((part->slots[i] ^ (uint64_t)seq) == tag && (found = is_it(data, seq)) != 0)
            return found;
    }
    return 0;
}

size_t seen_count(const struct seen *seen)
{
    size_t count = 0;

    for (size_t i = 0; i < PARTS; i++)
        count += seen->parts[i].count;
    return count;
}
