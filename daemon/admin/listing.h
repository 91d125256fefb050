/* SPDX-License-Identifier: MIT
 *
 * listing.h - the deliveries in the store as JSON: many of them, newest first, or all there is to
 * know of one.
 *
 * Ownership  listing_open() makes it, listing_close() ends it.
 * Threads    One: it has a connection of its own to the store, which reads.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_LISTING_H
#define DAEMON_ADMIN_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

struct json_line;
struct listing;
struct query;
struct rules_board;
struct standing;

/* NULL, and in `why` what is wrong. */
struct listing *listing_open(const char *path, struct rules_board *board, char why[STORE_WHY_SIZE]);
void listing_close(struct listing **listing);

struct store *listing_store(struct listing *listing);
struct standing *listing_standing(struct listing *listing);

/* Writes what the query asks for. It looks at a limited number of deliveries in a limited time: if
 * that ends before the page is full, the page is shorter, and "next" says where to go on.
 * SQLITE_NOTFOUND if no destination has the name in the query. */
int listing_write(struct listing *listing, const struct query *query, struct json_line *line);

/* The same as numbers, up to `max` of them. Sets query->before's next value, 0 if there is nothing
 * older: *next may be that field itself. */
int listing_find(struct listing *listing, const struct query *query, int64_t seqs[], size_t max,
                 size_t *count, int64_t *next);

/* Writes one delivery; SQLITE_NOTFOUND if it is not in the store. */
int listing_write_one(struct listing *listing, int64_t seq, struct json_line *line);

/* A copy of its body, which free() releases. SQLITE_NOTFOUND likewise. */
int listing_body(struct listing *listing, int64_t seq, char **body, size_t *len);

/* The names of the destinations that the store knows, for a sentence. */
void listing_destinations(struct listing *listing, char *text, size_t size);

#endif
