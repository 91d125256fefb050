/* SPDX-License-Identifier: MIT
 *
 * dedup_index.h - which deliveries might have a key of that hash: an index in memory beside the store.
 *
 * A unique index of SQLite would dirty a page of its own for each delivery, which is then written
 * twice. This takes eight bytes for each and answers with candidates: 32 bits of the hash are kept,
 * so among ten million keys one of 400 lookups meets a candidate that is another's. The caller
 * looks into the store: what is not confirmed there is not seen.
 *
 * Threads    One owner.
 */
#ifndef DAEMON_STORE_DEDUP_INDEX_H
#define DAEMON_STORE_DEDUP_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_index;

#define DEDUP_INDEX_SEQ_MAX ((INT64_C(1) << 40) - 1) /* at 1,000 a second, 34 years */

/* NULL without memory. */
struct dedup_index *dedup_index_new(void);
void dedup_index_free(struct dedup_index **index);

/* Room for about so many more at once, and not step by step. False without memory. */
bool dedup_index_reserve(struct dedup_index *index, size_t count);

/* Says that this hash is added soon: memory is slow, and many can be on their way at once. */
void dedup_index_prefetch(const struct dedup_index *index, uint64_t hash);

/* False without memory. `seq` is from 1 to DEDUP_INDEX_SEQ_MAX. */
bool dedup_index_add(struct dedup_index *index, uint64_t hash, int64_t seq);

/* Takes that pair out again. */
void dedup_index_remove(struct dedup_index *index, uint64_t hash, int64_t seq);

/* Calls `is_it` for each candidate until it returns non-zero, and returns that; else 0. */
int dedup_index_find(const struct dedup_index *index, uint64_t hash,
                     int (*is_it)(void *data, int64_t seq), void *data);

size_t dedup_index_count(const struct dedup_index *index);

#endif
