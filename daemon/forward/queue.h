/* SPDX-License-Identifier: MIT
 *
 * queue.h - one destination's deliveries on their way: which is next, how many at once, and up to
 * where all have been taken up.
 *
 * New ones come in the order of arrival, from the cursor on; those that are due again take at most
 * half of the places while new ones wait. Senders that wait for an answer come first.
 *
 * A delivery counts as taken up when the outcome of its first attempt is in the store. Until then
 * the cursor stays before it, so a crash at any moment repeats attempts and loses none.
 *
 * Threads    The forwarder's, but for queue_kick() and queue_stats().
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
    const char *name; /* of the destination */
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest; /* those up to it may have been tried before this process began */
};

/* NULL without memory. It does nothing before queue_follow(). */
struct queue *queue_new(const struct queue_options *options);
void queue_free(struct queue **queue);

const char *queue_name(const struct queue *queue);
int64_t queue_destination(const struct queue *queue);

/* From now on the destination is this one of these rules, with the same name. What is under way
 * ends as it began. */
void queue_follow(struct queue *queue, struct policy *policy,
                  const struct destination *destination);

/* The destination is none any more: ends what is under way, and what senders wait for. */
void queue_retire(struct queue *queue);

/* Whether that has happened, all of it is in the store, and nobody can come and ask. */
bool queue_has_ended(const struct queue *queue);

/* Starts what can be started. SQLite's code. Times are clock_mono_us()'s, here and below. */
int queue_run(struct queue *queue, int64_t now_us);

/* For how many microseconds it is not worth to call queue_run() if nothing happens. */
int64_t queue_wait_us(const struct queue *queue, int64_t now_us);

/* Something has been stored. */
void queue_notify(struct queue *queue);

/* A sender waits for the answer to this delivery. */
void queue_add_waiter(struct queue *queue, struct answer_wait *waiter);

/* Starts nothing any more. */
void queue_stop(struct queue *queue);

/* Ends what is being sent. */
void queue_cancel(struct queue *queue);

/* Has the journal write what is still to be written. */
void queue_flush(struct queue *queue);

/* What is under way, and whether the journal has any of it. */
unsigned queue_sending(const struct queue *queue);
unsigned queue_recording(const struct queue *queue);

/* ---- on any thread */

/* Somebody wants deliveries to be sent, now, whatever was found out about the destination. */
void queue_kick(struct queue *queue);

enum {
    QUEUE_NAME_SIZE = 80 /* a longer one is cut */
};

struct queue_stats {
    char destination[QUEUE_NAME_SIZE];
    uint64_t forwarded, retried, parked; /* outcomes of attempts */
    uint64_t took_us;                    /* the sum of the attempts */
    unsigned sending;
    int64_t success_us; /* when the last one was forwarded, since 1970; 0: not yet */
    bool resting;
};

void queue_stats(const struct queue *queue, struct queue_stats *stats);

#endif
