/* SPDX-License-Identifier: MIT
 *
 * outbox.h - what the store knows of forwarding: what is waiting for which destination, and what
 * was tried.
 *
 * For each destination the deliveries up to its cursor have been taken up: each of them is done, or
 * has a row in `unsent`, or is none of its business. Those beyond are waiting for their first try.
 *
 * Threads    An outbox of its own for each thread; what writes is called by tasks of the journal.
 * Errors     SQLite's codes.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "store.h"

struct outbox;

struct outbox *outbox_open(struct store *store, char why[STORE_WHY_SIZE]);
void outbox_close(struct outbox **outbox);

/* ---- read: by the forwarder and the admin */

/* The delivery with the smallest seq beyond `after`. SQLITE_ROW and a copy, which free() releases;
 * SQLITE_DONE if there is none. */
int outbox_next(struct outbox *outbox, int64_t after, struct entry **entry);

/* The delivery `seq`, likewise. */
int outbox_entry(struct outbox *outbox, int64_t seq, struct entry **entry);

struct outbox_due {
    int64_t seq;
    int64_t due_us;
    unsigned tries; /* that were made */
};

/* Up to `max` of those that are due until `until_us`, the longest due first. */
int outbox_due(struct outbox *outbox, int64_t destination, int64_t until_us, struct outbox_due *due,
               size_t max, size_t *count);

/* When the next one is due, INT64_MAX for none. */
int outbox_next_due(struct outbox *outbox, int64_t destination, int64_t *due_us);

/* Whether an attempt has succeeded, and how many there were. */
int outbox_is_done(struct outbox *outbox, int64_t destination, int64_t seq, bool *done);

/* ---- written: by tasks of the journal */

/* The number of a destination, made if it is new: then it begins after `newest`. Also its cursor.
 * Called before the journal starts. */
int outbox_destination(struct outbox *outbox, const char *name, int64_t newest,
                       int64_t *destination, int64_t *cursor);

/* What was due at some time of a clock that has been set back since is due that much earlier. */
int outbox_correct_clock(struct outbox *outbox, int64_t now_us);

int outbox_set_cursor(struct outbox *outbox, int64_t destination, int64_t cursor);

/* To be sent at due_us whatever the cursor says. */
int outbox_add(struct outbox *outbox, int64_t destination, int64_t seq, int64_t due_us,
               int64_t now_us);

enum outbox_state {
    OUTBOX_DONE,
    OUTBOX_RETRY,
    OUTBOX_PARKED,
};

struct outbox_attempt {
    int64_t destination, seq;
    unsigned tries; /* with this one */
    int64_t at_us;  /* when it began */
    int64_t took_us;
    int status;        /* of HTTP; 0 if none came */
    const char *error; /* NULL, or what went wrong */
    enum outbox_state state;
    int64_t due_us; /* of OUTBOX_RETRY */
};

/* Records an attempt and what follows of it. */
int outbox_record(struct outbox *outbox, const struct outbox_attempt *attempt);

#endif
