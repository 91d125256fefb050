/* SPDX-License-Identifier: MIT
 *
 * breaker.h - the circuit breaker of a destination. Pure.
 *
 * After 3 failures in a row the breaker opens: the destination pauses for 250 ms, doubled at each
 * further failure up to 30 s, and one attempt probes it after each pause. An unreachable
 * destination costs next to nothing, and its waiting deliveries use up no tries.
 *
 * Threads    One owner. Times are those of a monotonic clock.
 */
#ifndef DAEMON_FORWARD_BREAKER_H
#define DAEMON_FORWARD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BREAKER_FAILURES = 3, /* in a row; opens the breaker */
    BREAKER_FIRST_REST_US = 250000,
    BREAKER_LONGEST_REST_US = 30000000,
    BREAKER_MAX_RETRY_AFTER_US = 300000000, /* limit of Retry-After */
};

struct breaker {
    unsigned failures; /* in a row; failures during one pause count once */
    int64_t rests_until_us;
};

/* Returns the allowed concurrency: 0 during a pause, 1 for a probe, `most` while closed. */
static inline unsigned breaker_allows(const struct breaker *breaker, unsigned most, int64_t now_us)
{
    if (now_us < breaker->rests_until_us)
        return 0;
    return breaker->failures >= BREAKER_FAILURES ? 1 : most;
}

static inline void breaker_success(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

/* `retry_after_us` is the duration of the destination's Retry-After, 0 for none. */
void breaker_failure(struct breaker *breaker, int64_t retry_after_us, int64_t now_us);

/* Ends the pause, so that an attempt can probe the destination now. */
static inline void breaker_probe(struct breaker *breaker)
{
    breaker->rests_until_us = 0;
}

#endif
