/* SPDX-License-Identifier: MIT
 *
 * outbox.h - the forwarding state in the store: pending deliveries and attempts by destination.
 *
 * The cursor of a destination is its low-water mark: each delivery up to the cursor is done,
 * filtered, or has a row in `unsent`. Deliveries beyond the cursor wait for their first attempt.
 *
 * Ownership  outbox_open() allocates, outbox_close() frees.
 * Threads    One outbox a thread; functions that write run in tasks of the writer thread.
 * Errors     int results are SQLITE_OK, SQLITE_ROW or SQLITE_DONE where described, or SQLite's
 *            error.
 */
#ifndef DAEMON_STORE_OUTBOX_H
#define DAEMON_STORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"
#include "daemon/store/deliveries.h"

struct outbox;

/* Returns NULL with the reason in `why`. */
struct outbox *outbox_open(struct db *db, char why[DB_WHY_SIZE]);
void outbox_close(struct outbox **outbox);

/* ---- reads: forwarder and admin API */

/* Returns true if a delivery passes the filter; the base of `type` is NULL if it has none. */
typedef bool outbox_filter(const void *data, hookline_bytes source, hookline_bytes type);

/* Finds the first delivery beyond *after that passes the filter. Returns SQLITE_ROW with a copy for
 * free(), or SQLITE_DONE. Moves *after to the last delivery examined. One call examines at most 256
 * deliveries; *more is true if others may follow. A damaged delivery passes every filter, because its
 * source is unknown; its copy has no texts. */
int outbox_next(struct outbox *outbox, int64_t *after, outbox_filter *filter, const void *data,
                struct delivery_row **delivery, bool *more);

/* Reads the delivery `seq`. Returns SQLITE_ROW with a copy for free(), or SQLITE_DONE. The copy of a
 * damaged one has no texts. */
int outbox_read_delivery(struct outbox *outbox, int64_t seq, struct delivery_row **delivery);

struct outbox_due {
    int64_t seq;
    int64_t due_us;
    unsigned tries; /* attempts so far */
};

/* Reads up to `max` rows due at or before `until_us`, longest overdue first. */
int outbox_due(struct outbox *outbox, int64_t destination, int64_t until_us, struct outbox_due *due,
               size_t max, size_t *count);

/* Reads the row with the lowest seq that has a due time, past or future; *found is false if there
 * is none. */
int outbox_lowest_due(struct outbox *outbox, int64_t destination, struct outbox_due *due,
                      bool *found);

/* Reads the first due time after `after_us`, INT64_MAX for none. */
int outbox_next_due(struct outbox *outbox, int64_t destination, int64_t after_us, int64_t *due_us);

enum outbox_state {
    OUTBOX_DONE,
    OUTBOX_RETRY,
    OUTBOX_PARKED,
    OUTBOX_WAITING, /* for the first attempt */
};

/* Reads the state of a delivery at a destination; `tries` may be NULL. */
int outbox_state(struct outbox *outbox, int64_t destination, int64_t seq, enum outbox_state *state,
                 unsigned *tries);

/* *succeeded: an attempt was accepted, or the delivery was discarded. */
int outbox_succeeded(struct outbox *outbox, int64_t destination, int64_t seq, bool *succeeded);

/* Counts the recorded attempts of a delivery that had the number `tries`: more than one, if the
 * attempts before it were spared. */
int outbox_count_attempts(struct outbox *outbox, int64_t destination, int64_t seq, unsigned tries,
                          int64_t *count);

/* ---- writes: tasks of the writer thread */

/* Marks all destinations as inactive; outbox_register() activates one again. */
int outbox_retire_all(struct outbox *outbox);

/* Activates a destination and returns its number and cursor. A new one starts after `newest`. Call
 * it before the writer starts, or in a task. */
int outbox_register(struct outbox *outbox, const char *name, int64_t newest, int64_t *destination,
                    int64_t *cursor);

/* Moves due times earlier by the amount the clock was set back. */
int outbox_correct_clock(struct outbox *outbox, int64_t now_us);

/* Makes deliveries due now whose sender waited for the answer when the last process ended. */
int outbox_end_waits(struct outbox *outbox, int64_t now_us);

/* Makes all waiting retries due now. */
int outbox_retry_now(struct outbox *outbox, int64_t destination, int64_t now_us);

/* Advances the cursor; never moves it back. */
int outbox_set_cursor(struct outbox *outbox, int64_t destination, int64_t cursor);

/* Schedules a delivery at `due_us`, independent of the cursor. */
int outbox_add(struct outbox *outbox, int64_t destination, int64_t seq, int64_t due_us,
               int64_t now_us);

struct outbox_attempt {
    int64_t destination, seq;
    unsigned tries; /* including this one */
    int64_t at_us;  /* start, since 1970 */
    int64_t took_us;
    int status;        /* HTTP status; 0: no answer */
    const char *error; /* NULL: none */
    bool damaged;      /* the store could not read the delivery */
    enum outbox_state state;
    bool first;     /* first attempt beyond the cursor: no row in `unsent` yet */
    bool spared;    /* the attempt uses up none of the tries */
    int64_t due_us; /* for OUTBOX_RETRY */
};

/* Records an attempt and its outcome. A delivery discarded during the attempt stays discarded. */
int outbox_record(struct outbox *outbox, const struct outbox_attempt *attempt);

/* Makes a delivery due now with all its tries; one that waits for its first attempt keeps waiting.
 * *found: the store holds the delivery, and the delivery passes the filter. */
int outbox_replay(struct outbox *outbox, int64_t destination, int64_t seq, outbox_filter *filter,
                  const void *data, int64_t now_us, bool *found);

/* Makes a delivery due now: with all its tries if it is parked, with those that are left if it waits
 * for a retry and failed OUTBOX_REARM_US ago or earlier, so that a sender that repeats every second
 * causes no storm. *found: it was made due. */
enum {
    OUTBOX_REARM_US = 10000000
};
int outbox_rearm(struct outbox *outbox, int64_t destination, int64_t seq, int64_t now_us,
                 bool *found);

/* Cancels a delivery; *found: the delivery was parked or waiting for a retry. */
int outbox_discard(struct outbox *outbox, int64_t destination, int64_t seq, int64_t now_us,
                   bool *found);

#endif
