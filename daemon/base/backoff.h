/* SPDX-License-Identifier: MIT
 *
 * backoff.h - waits between the attempts of a delivery, and the circuit breaker of a destination.
 * Pure.
 *
 * Threads    Any; a breaker has one owner.
 */
#ifndef DAEMON_BASE_BACKOFF_H
#define DAEMON_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* ---- circuit breaker
 *
 * After 3 failures in a row the breaker opens: the destination pauses for 250 ms, doubled at each
 * further failure up to 30 s, and one attempt probes it after each pause. An unreachable
 * destination costs next to nothing, and its waiting deliveries use up no tries.
 * Times are those of a monotonic clock. */

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

/* ---- back-off */

enum {
    BACKOFF_MAX_S = 86400, /* limit of a Retry-After */
};

/* The schedule that Standard Webhooks recommends, in seconds. */
extern const unsigned BACKOFF_STANDARD[];
extern const unsigned BACKOFF_STANDARD_COUNT;

/* Returns the wait after `tries` failed attempts, in microseconds: 0 to the schedule's value,
 * chosen by `random` (full jitter), so that deliveries that failed together do not return together.
 * Returns -1 at the end of the schedule. */
int64_t backoff_delay_us(const unsigned *schedule_s, unsigned count, unsigned tries,
                         uint64_t random);

/* Returns the seconds that a Retry-After asks for, at most BACKOFF_MAX_S; -1 if the text is not a
 * Retry-After. `date` is the Date header of the same answer, so that clock skew cancels out; NULL:
 * `now_s` stands in. */
int64_t backoff_retry_after_s(const char *text, const char *date, int64_t now_s);

/* Reads any of the three HTTP date formats (RFC 9110, section 5.6.7) as seconds since 1970. */
bool backoff_read_date(const char *text, int64_t *seconds);

#endif
