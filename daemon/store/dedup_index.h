/* SPDX-License-Identifier: MIT
 *
 * dedup_index.h - an in-memory index from the hash of a delivery's key to candidate deliveries.
 *
 * The index takes 8 bytes a key; a unique index in SQLite would dirty one more page a delivery, and
 * write that page twice. The index keeps 32 bits of each hash, so with ten million keys 1 lookup in
 * 400 returns a false candidate. The caller confirms each candidate in the store.
 *
 * Ownership  dedup_index_new() allocates, dedup_index_free() frees.
 * Threads    One owner.
 */
#ifndef DAEMON_STORE_DEDUP_INDEX_H
#define DAEMON_STORE_DEDUP_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_index;

#define DEDUP_INDEX_SEQ_MAX ((INT64_C(1) << 40) - 1) /* 34 years at 1,000 deliveries a second */

/* Returns NULL on ENOMEM. */
struct dedup_index *dedup_index_new(void);
void dedup_index_free(struct dedup_index **index);

/* Reserves memory for about `count` more keys in one step. Returns false on ENOMEM. */
bool dedup_index_reserve(struct dedup_index *index, size_t count);

/* Prefetches the slot of a hash that is about to be added. */
void dedup_index_prefetch(const struct dedup_index *index, uint64_t hash);

/* Adds a pair; `seq` is 1 to DEDUP_INDEX_SEQ_MAX. Returns false on ENOMEM. */
bool dedup_index_add(struct dedup_index *index, uint64_t hash, int64_t seq);

/* Removes the pair, if present. */
void dedup_index_remove(struct dedup_index *index, uint64_t hash, int64_t seq);

/* Calls `is_it` for each candidate until one call returns non-zero, and returns that value, else
 * 0. */
int dedup_index_find(const struct dedup_index *index, uint64_t hash,
                     int (*is_it)(void *data, int64_t seq), void *data);

size_t dedup_index_count(const struct dedup_index *index);

#endif
