/* SPDX-License-Identifier: MIT
 *
 * standing.h - how a delivery stands with each destination: waiting for its first try, retrying,
 * parked, done, or none of its business.
 *
 * Ownership  standing_open() makes it, standing_close() ends it; before the store.
 * Threads    That of the store.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_STANDING_H
#define DAEMON_ADMIN_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/admin/query.h"
#include "daemon/store/store.h"

struct rules_board;
struct standing;

struct standing *standing_open(struct store *store, struct rules_board *board,
                               char why[STORE_WHY_SIZE]);
void standing_close(struct standing **standing);

/* Looks whether there are other rules; if so, forgets what it knew under those before. */
void standing_look(struct standing *standing);

/* Learns of all destinations that the store knows, also of those that are not configured any more.
 * To be called at the beginning of each transaction. */
int standing_refresh(struct standing *standing);

size_t standing_count(const struct standing *standing);

/* Of the n-th, from 0 on. */
const char *standing_name(const struct standing *standing, size_t n);
int64_t standing_number(const struct standing *standing, size_t n);
int64_t standing_cursor(const struct standing *standing, size_t n);

/* Whether it is still configured; else it only has what is left from before. */
bool standing_is_configured(const struct standing *standing, size_t n);

/* The index of a name; standing_count() if there is none. */
size_t standing_find(const struct standing *standing, const char *name);

struct standing_result {
    enum query_state state; /* QUERY_ANY: none of its business */
    unsigned tries;         /* that were made; of what is retrying or parked */
    int64_t due_us;         /* of what is retrying */
};

/* Sets results[n] for each destination; they are there until the next call. */
int standing_of(struct standing *standing, int64_t seq, hookline_bytes source, hookline_bytes type,
                const struct standing_result **results);

#endif
