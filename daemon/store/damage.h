/* SPDX-License-Identifier: MIT
 *
 * damage.h - deliveries that can no longer be read, because a page of the store is damaged.
 *
 * SQLite notices a page without structure; the sum of a delivery_row shows changed bytes. Readers
 * pass a damaged delivery by; a task of the writer lists it in the table `damaged`.
 *
 * Threads    damage_note() and damage_forget() the writer thread, in a transaction.
 * Errors     int results are SQLite's codes.
 */
#ifndef DAEMON_STORE_DAMAGE_H
#define DAEMON_STORE_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/db.h"

/* Returns true for a code of SQLite that means damaged pages, not a failing disk. */
bool damage_is(int code);

/* Lists a delivery; a second call does nothing. */
int damage_note(struct db *db, int64_t seq);

/* Drops a delivery from the list once no destination has it parked. */
int damage_forget(struct db *db, int64_t seq);

/* Finds the newest seq, even if its delivery is damaged: the table of keys says it as well. Any
 * connection. */
int damage_newest(struct db *db, int64_t *newest);

/* Counts the listed deliveries. Any connection. */
int damage_count(struct db *db, int64_t *count);

#endif
