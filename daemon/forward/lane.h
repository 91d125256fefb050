/* SPDX-License-Identifier: MIT
 *
 * lane.h - one destination's deliveries on their way: which is next, how many at once, and up to
 * where all have been taken up.
 *
 * New ones come in the order of arrival, from the cursor on; those that are due again take at most
 * half of the places while new ones wait. Senders that wait for an answer come first.
 *
 * A delivery counts as taken up when the outcome of its first attempt is in the store. Until then
 * the cursor stays before it, so a crash at any moment repeats attempts and loses none.
 *
 * Threads    The forwarder's, but for lane_kick() and lane_stats().
 */
#ifndef DAEMON_FORWARD_LANE_H
#define DAEMON_FORWARD_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/outbox.h"

struct attempt_tools;
struct destination;
struct lane;
struct relay;
struct rules;

struct lane_options {
    const char *name; /* of the destination */
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest; /* those up to it may have been tried before this process began */
};

/* NULL without memory. It does nothing before lane_follow(). */
struct lane *lane_new(const struct lane_options *options);
void lane_free(struct lane **lane);

const char *lane_name(const struct lane *lane);
int64_t lane_destination(const struct lane *lane);

/* From now on the destination is this one of these rules, with the same name. What is under way
 * ends as it began. */
void lane_follow(struct lane *lane, struct rules *rules, const struct destination *destination);

/* The destination is none any more: ends what is under way, and what senders wait for. */
void lane_retire(struct lane *lane);

/* Whether that has happened, all of it is in the store, and nobody can come and ask. */
bool lane_has_ended(const struct lane *lane);

/* Starts what can be started. SQLite's code. */
int lane_run(struct lane *lane);

/* For how many microseconds it is not worth to call lane_run() if nothing happens. */
int64_t lane_wait_us(const struct lane *lane);

/* Something has been stored. */
void lane_news(struct lane *lane);

/* A sender waits for the answer to this delivery. */
void lane_relay(struct lane *lane, struct relay *relay);

/* Starts nothing any more. */
void lane_stop(struct lane *lane);

/* Ends what is being sent. */
void lane_cancel(struct lane *lane);

/* Has the journal write what is still to be written. */
void lane_flush(struct lane *lane);

/* What is under way, and whether the journal has any of it. */
unsigned lane_sending(const struct lane *lane);
unsigned lane_recording(const struct lane *lane);

/* ---- on any thread */

/* Somebody wants deliveries to be sent, now, whatever was found out about the destination. */
void lane_kick(struct lane *lane);

enum {
    LANE_NAME_SIZE = 80 /* a longer one is cut */
};

struct lane_stats {
    char destination[LANE_NAME_SIZE];
    uint64_t forwarded, retried, parked; /* outcomes of attempts */
    uint64_t took_us;                    /* the sum of the attempts */
    unsigned sending;
    int64_t success_us; /* when the last one was forwarded, since 1970; 0: not yet */
    bool resting;
};

void lane_stats(const struct lane *lane, struct lane_stats *stats);

#endif
