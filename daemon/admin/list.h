/* SPDX-License-Identifier: MIT
 *
 * list.h - GET /deliveries and below: stored deliveries as JSON, newest first, or one in full.
 *
 * Ownership  list_open() allocates, list_close() frees, with its own read connection to the store.
 * Threads    One.
 * Errors     int results are SQLite's codes.
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

/* Returns NULL with the reason in `why`. */
struct delivery_list *list_open(const char *path, struct policy_slot *policy_slot,
                                char why[DB_WHY_SIZE]);
void list_close(struct delivery_list **list);

struct db *list_store(struct delivery_list *list);
struct status *list_status(struct delivery_list *list);

/* Writes one page of matching deliveries. The search ends after 20,000 rows or 0.2 s, so a page may
 * be shorter than its limit; its "next" is the `before` of the next query. Returns SQLITE_NOTFOUND
 * for an unknown destination. */
int list_write(struct delivery_list *list, const struct query *query, struct json_writer *line);

/* Finds up to `max` matching deliveries. Sets *next to the `before` of the next query, or 0 at the
 * end; `next` may point to query->before. */
int list_find(struct delivery_list *list, const struct query *query, int64_t seqs[], size_t max,
              size_t *count, int64_t *next);

/* Writes one delivery in full. Returns SQLITE_NOTFOUND for an unknown seq. */
int list_write_one(struct delivery_list *list, int64_t seq, struct json_writer *line);

/* Copies a body, which the caller frees. Returns SQLITE_NOTFOUND for an unknown seq. */
int list_body(struct delivery_list *list, int64_t seq, char **body, size_t *len);

/* Writes the names of all destinations in the store, separated by ", ". */
void list_destinations(struct delivery_list *list, char *text, size_t size);

#endif
