/* SPDX-License-Identifier: MIT
 *
 * status.h - the state of a delivery at each destination: waiting, retrying, parked, done, or passed
 * over, with the reason.
 *
 * Ownership  status_open() allocates, status_close() frees, before the db is closed.
 * Threads    One, that of the db.
 * Errors     int results are SQLite's codes.
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

/* Prepares the statements. Returns NULL with the reason in `why`. */
struct status *status_open(struct db *db, struct policy_slot *policy_slot, char why[DB_WHY_SIZE]);
void status_close(struct status **status);

/* Switches to the current policy. After a change the destinations are forgotten. */
void status_refresh_policy(struct status *status);

/* Reads all destinations in the store, removed ones too. Call at the begin of each transaction. */
int status_refresh(struct status *status);

/* Returns the number of destinations. */
size_t status_count(const struct status *status);

/* Return name, number and low-water mark of destination n, from 0. */
const char *status_destination_name(const struct status *status, size_t n);
int64_t status_destination_number(const struct status *status, size_t n);
int64_t status_destination_cursor(const struct status *status, size_t n);

/* Returns false for a removed destination, which has only old deliveries. */
bool status_is_configured(const struct status *status, size_t n);

/* Returns the index of a destination; status_count() for an unknown name. */
size_t status_find(const struct status *status, const char *name);

struct status_result {
    enum query_state state; /* QUERY_ANY: a removed destination that owes nothing */
    const char *reason;     /* constant; if passed over */
    unsigned tries;         /* attempts made, if retrying or parked */
    int64_t due_us;         /* next attempt, if retrying; since 1970 */
};

/* Points *results to one result per destination, valid until the next call. */
int status_of(struct status *status, int64_t seq, hookline_bytes source, hookline_bytes type,
              const struct status_result **results);

#endif
