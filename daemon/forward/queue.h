/* SPDX-License-Identifier: MIT
 *
 * queue.h - the deliveries of one destination: selects the next ones, limits the concurrency and
 * keeps the low-water mark.
 *
 * New deliveries start in order of arrival from the low-water mark; due retries take at most half
 * of the concurrency while new deliveries wait. Senders that wait for an answer come first.
 *
 * The low-water mark (`cursor`) passes a delivery once its first attempt is recorded. A crash at
 * any moment repeats attempts, but loses none.
 *
 * Ownership  queue_new() allocates, queue_free() frees.
 * Threads    The forwarder thread; queue_kick(), queue_stats() and queue_name() any thread.
 */
#ifndef DAEMON_FORWARD_QUEUE_H
#define DAEMON_FORWARD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/outbox.h"

struct attempt_tools;
struct destination;
struct queue;
struct answer_wait;
struct policy;

struct queue_options {
    const char *name; /* destination name */
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest; /* deliveries up to this seq may have been attempted by an earlier process */
};

/* Returns NULL on ENOMEM. The queue does nothing before queue_follow(). */
struct queue *queue_new(const struct queue_options *options);
void queue_free(struct queue **queue);

const char *queue_name(const struct queue *queue);
int64_t queue_destination(const struct queue *queue); /* number in the store */

/* Switches to a destination of the same name in a new policy; running attempts keep the old one. */
void queue_follow(struct queue *queue, struct policy *policy,
                  const struct destination *destination);

/* Drains the queue of a removed destination: serves only senders that wait for an answer. */
void queue_retire(struct queue *queue);

/* Returns true if a retired queue is empty, recorded, and no sender can be added any more. */
bool queue_has_ended(const struct queue *queue);

/* Starts attempts and writes due records. Returns SQLITE_OK or SQLite's error. `now_us` is the
 * monotonic clock's time, here and below. */
int queue_run(struct queue *queue, int64_t now_us);

/* Returns the microseconds until queue_run() has work, if nothing happens before. */
int64_t queue_wait_us(const struct queue *queue, int64_t now_us);

/* Tells the queue that new deliveries may be in the store. */
void queue_notify(struct queue *queue);

/* Adds a sender that waits for the answer to waiter->seq. */
void queue_add_waiter(struct queue *queue, struct answer_wait *waiter);

/* Ends the waits of all senders; attempts go on. */
void queue_end_waits(struct queue *queue);

/* Starts no more attempts, and ends the waits of senders without a running attempt. */
void queue_stop(struct queue *queue);

/* Aborts running calls. */
void queue_cancel(struct queue *queue);

/* Writes rejected records and the low-water mark now. */
void queue_flush(struct queue *queue);

/* Return the number of attempts being sent, and of records in the writer. */
unsigned queue_sending(const struct queue *queue);
unsigned queue_recording(const struct queue *queue);

/* Any thread: retries now, even if the breaker pauses the destination. */
void queue_kick(struct queue *queue);

/* ---- statistics */

enum {
    QUEUE_NAME_SIZE = 80 /* longer names are cut */
};

struct queue_stats {
    char destination[QUEUE_NAME_SIZE];
    uint64_t forwarded, retried, parked; /* outcomes of attempts */
    uint64_t refused;                    /* attempts after which the destination was paused */
    uint64_t took_us;                    /* total duration of attempts */
    unsigned sending;
    int64_t success_us; /* time of the last success, since 1970; 0: none yet */
    bool resting;       /* the destination is paused */
};

void queue_stats(const struct queue *queue, struct queue_stats *stats);

#endif
