/* SPDX-License-Identifier: MIT
 *
 * list.h - the deliveries in the store as JSON: many of them, newest first, or all there is to
 * know of one.
 *
 * Ownership  list_open() makes it, list_close() ends it.
 * Threads    One: it has a connection of its own to the store, which reads.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_LIST_H
#define DAEMON_ADMIN_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

struct json_writer;
struct delivery_list;
struct query;
struct policy_slot;
struct status;

/* NULL, and in `why` what is wrong. */
struct delivery_list *list_open(const char *path, struct policy_slot *policy_slot,
                                char why[DB_WHY_SIZE]);
void list_close(struct delivery_list **list);

struct db *list_store(struct delivery_list *list);
struct status *list_status(struct delivery_list *list);

/* Writes what the query asks for. It looks at a limited number of deliveries in a limited time: if
 * that ends before the page is full, the page is shorter, and "next" says where to go on.
 * SQLITE_NOTFOUND if no destination has the name in the query. */
int list_write(struct delivery_list *list, const struct query *query, struct json_writer *line);

/* The same as numbers, up to `max` of them. Sets query->before's next value, 0 if there is nothing
 * older: *next may be that field itself. */
int list_find(struct delivery_list *list, const struct query *query, int64_t seqs[], size_t max,
              size_t *count, int64_t *next);

/* Writes one delivery; SQLITE_NOTFOUND if it is not in the store. */
int list_write_one(struct delivery_list *list, int64_t seq, struct json_writer *line);

/* A copy of its body, which free() releases. SQLITE_NOTFOUND likewise. */
int list_body(struct delivery_list *list, int64_t seq, char **body, size_t *len);

/* The names of the destinations that the store knows, for a sentence. */
void list_destinations(struct delivery_list *list, char *text, size_t size);

#endif
