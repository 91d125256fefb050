/* SPDX-License-Identifier: MIT
 *
 * agenda.h - what is next for one destination: its deliveries that were not tried yet, in the order
 * of arrival, and those that are due again. What is done about them is the lane's.
 *
 * Threads    The forwarder's.
 */
#ifndef DAEMON_FORWARD_AGENDA_H
#define DAEMON_FORWARD_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/outbox.h"

struct destination;
struct delivery_row;
struct slots;

struct schedule {
    struct outbox *reader;
    const struct destination *destination; /* set by schedule_follow(), and the lane's to keep */
    int64_t newest;                        /* those up to it may have been tried before */
    int64_t position;       /* everything up to it was given out, or is none of ours */
    bool news;              /* there may be something beyond the position */
    int64_t due_us;         /* nothing is due before; 0: look; INT64_MAX: nothing is */
    struct outbox_due *due; /* room for them */
};

/* Room for so many that are due at once. False without memory; then there is the room that there
 * was. */
bool schedule_reserve(struct schedule *schedule, unsigned count);
void schedule_free(struct schedule *schedule);

/* From now on the destination is this one; the first one says where to begin. */
void schedule_follow(struct schedule *schedule, const struct destination *destination);

/* Whether a delivery has a row in `unsent` from the start was decided by the rules of its request,
 * which may be others than ours when it comes to it: from now on that is looked up. */
void schedule_doubt_rows(struct schedule *schedule);

/* Something may be due earlier than was known. */
void schedule_expect(struct schedule *schedule, int64_t due_us);

/* The next three: SQLITE_ROW if there is one, SQLITE_DONE if there is none, or SQLite's error. */

/* One that was not tried yet; the caller frees it. */
int schedule_next_new(struct schedule *schedule, struct delivery_row **delivery);

/* One that is due and has no place yet. */
int schedule_next_due(struct schedule *schedule, const struct slots *slots, struct outbox_due *due);

/* Where the order counts: the oldest that is to be tried again, if it is due. *none: there is no
 * such, and a new one may go. */
int schedule_oldest(struct schedule *schedule, struct outbox_due *due, bool *none);

/* For how many microseconds there is nothing, or INT64_MAX. */
int64_t schedule_wait_us(const struct schedule *schedule);

#endif
