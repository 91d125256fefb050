/* SPDX-License-Identifier: MIT
 *
 * seen.h - which deliveries might have a key of that hash: an index in memory beside the store.
 *
 * A unique index of SQLite would dirty a page of its own for each delivery, which is then written
 * twice. This takes eight bytes for each and answers with candidates: 32 bits of the hash are kept,
 * so among ten million keys one of 400 lookups meets a candidate that is another's. The caller
 * looks into the store: what is not confirmed there is not seen.
 *
 * Threads    One owner.
 */
#ifndef DAEMON_STORE_SEEN_H
#define DAEMON_STORE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen;

#define SEEN_SEQ_MAX ((INT64_C(1) << 40) - 1) /* at 1,000 a second, 34 years */

/* NULL without memory. */
struct seen *seen_new(void);
void seen_free(struct seen **seen);

/* Room for about so many more at once, and not step by step. False without memory. */
bool seen_reserve(struct seen *seen, size_t count);

/* Says that this hash is added soon: memory is slow, and many can be on their way at once. */
void seen_expect(const struct seen *seen, uint64_t hash);

/* False without memory. `seq` is from 1 to SEEN_SEQ_MAX. */
bool seen_add(struct seen *seen, uint64_t hash, int64_t seq);

/* Takes that pair out again. */
void seen_remove(struct seen *seen, uint64_t hash, int64_t seq);

/* Calls `is_it` for each candidate until it returns non-zero, and returns that; else 0. */
int seen_find(const struct seen *seen, uint64_t hash, int (*is_it)(void *data, int64_t seq),
              void *data);

size_t seen_count(const struct seen *seen);

#endif
