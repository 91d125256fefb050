/* SPDX-License-Identifier: MIT
 *
 * breaker.h - whether a destination is worth trying. Pure.
 *
 * One whose attempts keep failing rests, for longer and longer, and then one attempt finds out
 * whether it is back. So a dead destination costs next to nothing, and what waits for it is not
 * tried, and counted as tried, in vain.
 *
 * Threads    One owner. Time is that of a clock that never jumps.
 */
#ifndef DAEMON_FORWARD_BREAKER_H
#define DAEMON_FORWARD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BREAKER_FAILURES = 3, /* in a row, until it opens */
    BREAKER_FIRST_REST_US = 250000,
    BREAKER_LONGEST_REST_US = 30000000,
    BREAKER_MAX_RETRY_AFTER_US = 300000000, /* if the destination asks for more */
};

struct breaker {
    unsigned failures; /* in a row; those of one rest count as one */
    int64_t rests_until_us;
};

/* How many attempts may be under way: 0 while it rests, then 1, `most` while all is well. */
static inline unsigned breaker_allows(const struct breaker *b, unsigned most, int64_t now_us)
{
    if (now_us < b->rests_until_us)
        return 0;
    return b->failures >= BREAKER_FAILURES ? 1 : most;
}

static inline void breaker_success(struct breaker *b)
{
    *b = (struct breaker){0};
}

/* `asked_us` is how long the destination wants to be left alone, 0 if it did not say. */
void breaker_failure(struct breaker *b, int64_t retry_after_us, int64_t now_us);

/* Somebody knows that it is worth a try. */
static inline void breaker_probe(struct breaker *b)
{
    b->rests_until_us = 0;
}

#endif
