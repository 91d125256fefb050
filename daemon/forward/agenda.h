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
struct entry;
struct places;

struct agenda {
    struct outbox *reader;
    const struct destination *destination; /* set by agenda_follow(), and the lane's to keep */
    int64_t newest;                        /* those up to it may have been tried before */
    int64_t position;       /* everything up to it was given out, or is none of ours */
    bool news;              /* there may be something beyond the position */
    int64_t due_us;         /* nothing is due before; 0: look; INT64_MAX: nothing is */
    struct outbox_due *due; /* room for them */
};

/* Room for so many that are due at once. False without memory; then there is the room that there
 * was. */
bool agenda_make_room(struct agenda *agenda, unsigned count);
void agenda_free(struct agenda *agenda);

/* From now on the destination is this one; the first one says where to begin. */
void agenda_follow(struct agenda *agenda, const struct destination *destination);

/* Whether a delivery has a row in `unsent` from the start was decided by the rules of its request,
 * which may be others than ours when it comes to it: from now on that is looked up. */
void agenda_doubt_rows(struct agenda *agenda);

/* Something may be due earlier than was known. */
void agenda_expect(struct agenda *agenda, int64_t due_us);

/* The next three: SQLITE_ROW if there is one, SQLITE_DONE if there is none, or SQLite's error. */

/* One that was not tried yet; the caller frees it. */
int agenda_new(struct agenda *agenda, struct entry **entry);

/* One that is due and has no place yet. */
int agenda_due(struct agenda *agenda, const struct places *places, struct outbox_due *due);

/* Where the order counts: the oldest that is to be tried again, if it is due. *none: there is no
 * such, and a new one may go. */
int agenda_oldest(struct agenda *agenda, struct outbox_due *due, bool *none);

/* For how many microseconds there is nothing, or INT64_MAX. */
int64_t agenda_wait_us(const struct agenda *agenda);

#endif
