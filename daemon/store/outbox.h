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
#ifndef DAEMON_STORE_OUTBOX_H
#define DAEMON_STORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/deliveries.h"
#include "daemon/store/db.h"

struct outbox;

struct outbox *outbox_open(struct db *db, char why[DB_WHY_SIZE]);
void outbox_close(struct outbox **outbox);

/* ---- read: by the forwarder and the admin */

/* Whether somebody wants what comes from that source, with that type, which may be absent. */
typedef bool outbox_filter(const void *data, hookline_bytes source, hookline_bytes type);

/* The first delivery beyond *after that is wanted. SQLITE_ROW and a copy, which free() releases;
 * SQLITE_DONE if there is none. Moves *after to it, or to the last one that was looked at: of those
 * that nobody wants not all are looked at in one call, then *more is true. */
int outbox_next(struct outbox *outbox, int64_t *after, outbox_filter *filter, const void *data,
                struct delivery_row **delivery, bool *more);

/* The delivery `seq`, likewise. */
int outbox_read_delivery(struct outbox *outbox, int64_t seq, struct delivery_row **delivery);

struct outbox_due {
    int64_t seq;
    int64_t due_us;
    unsigned tries; /* that were made */
};

/* Up to `max` of those that are due until `until_us`, the longest due first. */
int outbox_due(struct outbox *outbox, int64_t destination, int64_t until_us, struct outbox_due *due,
               size_t max, size_t *count);

/* The one with the smallest seq of those that are due some time; *found says if there is one. */
int outbox_lowest_due(struct outbox *outbox, int64_t destination, struct outbox_due *due,
                      bool *found);

/* When the next one is due after that time, INT64_MAX for none. */
int outbox_next_due(struct outbox *outbox, int64_t destination, int64_t after_us, int64_t *due_us);

enum outbox_state {
    OUTBOX_DONE,
    OUTBOX_RETRY,
    OUTBOX_PARKED,
    OUTBOX_WAITING, /* for the first try */
};

/* Where a delivery is on its way to that destination; *tries may be NULL. */
int outbox_state(struct outbox *outbox, int64_t destination, int64_t seq, enum outbox_state *state,
                 unsigned *tries);

/* ---- written: by tasks of the journal */

/* Forgets which destinations are in use: whoever is, asks for its number. */
int outbox_retire_all(struct outbox *outbox);

/* The number of a destination, made if it is new: then it begins after `newest`. Also its cursor.
 * Called before the journal starts. */
int outbox_register(struct outbox *outbox, const char *name, int64_t newest, int64_t *destination,
                    int64_t *cursor);

/* What was due at some time of a clock that has been set back since is due that much earlier. */
int outbox_correct_clock(struct outbox *outbox, int64_t now_us);

/* What is to be tried again is due now. */
int outbox_retry_now(struct outbox *outbox, int64_t destination, int64_t now_us);

int outbox_set_cursor(struct outbox *outbox, int64_t destination, int64_t cursor);

/* To be sent at due_us whatever the cursor says. */
int outbox_add(struct outbox *outbox, int64_t destination, int64_t seq, int64_t due_us,
               int64_t now_us);

struct outbox_attempt {
    int64_t destination, seq;
    unsigned tries; /* with this one */
    int64_t at_us;  /* when it began */
    int64_t took_us;
    int status;        /* of HTTP; 0 if none came */
    const char *error; /* NULL, or what went wrong */
    enum outbox_state state;
    bool first;     /* it took the delivery up: there is no row of it in `unsent` */
    int64_t due_us; /* of OUTBOX_RETRY */
};

/* Records an attempt and what follows of it. What was discarded in the meantime stays so. */
int outbox_record(struct outbox *outbox, const struct outbox_attempt *attempt);

/* To be sent once more, now, with all of its tries before it; one that waits for its first try
 * goes on waiting. *found: that delivery is in the store, and wanted. */
int outbox_replay(struct outbox *outbox, int64_t destination, int64_t seq, outbox_filter *filter,
                  const void *data, int64_t now_us, bool *found);

/* Not to be sent any more; *found: it was parked or to be tried again. */
int outbox_discard(struct outbox *outbox, int64_t destination, int64_t seq, int64_t now_us,
                   bool *found);

#endif
