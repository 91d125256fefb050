/* SPDX-License-Identifier: MIT
 *
 * status.h - how a delivery stands with each destination: waiting for its first try, retrying,
 * parked, done, or none of its business.
 *
 * Ownership  status_open() makes it, status_close() ends it; before the store.
 * Threads    That of the store.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_STATUS_H
#define DAEMON_ADMIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/admin/query.h"
#include "daemon/store/db.h"

struct policy_slot;
struct status;

struct status *status_open(struct db *db, struct policy_slot *policy_slot, char why[DB_WHY_SIZE]);
void status_close(struct status **status);

/* Looks whether there are other rules; if so, forgets what it knew under those before. */
void status_refresh_policy(struct status *status);

/* Learns of all destinations that the store knows, also of those that are not configured any more.
 * To be called at the beginning of each transaction. */
int status_refresh(struct status *status);

size_t status_count(const struct status *status);

/* Of the n-th, from 0 on. */
const char *status_destination_name(const struct status *status, size_t n);
int64_t status_destination_number(const struct status *status, size_t n);
int64_t status_destination_cursor(const struct status *status, size_t n);

/* Whether it is still configured; else it only has what is left from before. */
bool status_is_configured(const struct status *status, size_t n);

/* The index of a name; status_count() if there is none. */
size_t status_find(const struct status *status, const char *name);

struct status_result {
    enum query_state state; /* QUERY_ANY: none of its business */
    unsigned tries;         /* that were made; of what is retrying or parked */
    int64_t due_us;         /* of what is retrying */
};

/* Sets results[n] for each destination; they are there until the next call. */
int status_of(struct status *status, int64_t seq, hookline_bytes source, hookline_bytes type,
              const struct status_result **results);

#endif
