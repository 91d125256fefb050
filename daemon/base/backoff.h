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
 *
 * A refusal (429, or 503 with Retry-After) pauses the destination at once, and slows its attempts
 * down to a pace: three quarters of the pace before, or of the attempts accepted during the last
 * second if they are more; 5 a second at first. 20 seconds without a refusal double the pace.
 *
 * Times are those of a monotonic clock. */

enum {
    BREAKER_FAILURES = 3, /* in a row; opens the breaker */
    BREAKER_FIRST_REST_US = 250000,
    BREAKER_LONGEST_REST_US = 30000000,
    BREAKER_MAX_RETRY_AFTER_US = 300000000, /* limit of Retry-After */
    BREAKER_FIRST_PACE_US = 150000, /* three quarters of this pace are 5 attempts a second */
    BREAKER_SLOWEST_US = 1000000,   /* longest time between two attempts */
    BREAKER_FASTEST_US = 1000,      /* shorter times are no pace */
    BREAKER_DOUBLING_US = 20000000, /* 10 doublings lead from the slowest to the fastest */
};

struct breaker {
    unsigned failures; /* in a row; failures during one pause count once */
    int64_t rests_until_us;
    int64_t refuses_until_us; /* the destination asked for this pause: a success does not end it */
    int64_t interval_us;      /* between two attempts, at the last refusal; 0: no pace */
    int64_t next_us;          /* earliest start by the pace */
    int64_t second_us;        /* begin of the second in which `accepted` counts */
    unsigned accepted, accepted_before; /* in this second, and in the second before */
};

/* Returns the end of the pause, or the time of the next start by the pace; not after `now_us`: an
 * attempt may start. */
static inline int64_t breaker_until_us(const struct breaker *breaker)
{
    int64_t until_us = breaker->rests_until_us;

    if (breaker->refuses_until_us > until_us)
        until_us = breaker->refuses_until_us;
    return breaker->next_us > until_us ? breaker->next_us : until_us;
}

/* Returns the allowed concurrency: 0 during a pause, 1 for a probe, `most` while closed. */
static inline unsigned breaker_allows(const struct breaker *breaker, unsigned most, int64_t now_us)
{
    if (now_us < breaker_until_us(breaker))
        return 0;
    return breaker->failures >= BREAKER_FAILURES ? 1 : most;
}

/* Returns true during a pause, but not between two starts of the pace. */
static inline bool breaker_rests(const struct breaker *breaker, int64_t now_us)
{
    return now_us < breaker->rests_until_us || now_us < breaker->refuses_until_us;
}

/* Records the start of an attempt. */
void breaker_start(struct breaker *breaker, int64_t now_us);

void breaker_success(struct breaker *breaker, int64_t now_us);

/* `retry_after_us` is the duration of the destination's Retry-After, 0 for none. */
void breaker_failure(struct breaker *breaker, int64_t retry_after_us, int64_t now_us);

/* Likewise for a refusal. `again`: the destination has refused the same delivery before, so this
 * refusal may be due to the delivery and does not change the pace. */
void breaker_refusal(struct breaker *breaker, int64_t retry_after_us, bool again, int64_t now_us);

/* Ends a pause after failures, so that an attempt can probe the destination now. A pause that the
 * destination asked for goes on. */
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

/* Returns the wait after a refusal: what the destination asked for, at least BREAKER_FIRST_REST_US,
 * and from the third refusal of the same delivery on twice as much as before, up to 16 times, so that
 * a delivery which the destination always refuses leaves time to others. At most BACKOFF_MAX_S. */
int64_t backoff_refused_us(int64_t asked_us, unsigned refusals);

/* Returns the seconds that a Retry-After asks for, at most BACKOFF_MAX_S; -1 if the text is not a
 * Retry-After. `date` is the Date header of the same answer, so that clock skew cancels out; NULL:
 * `now_s` stands in. */
int64_t backoff_retry_after_s(const char *text, const char *date, int64_t now_s);

/* Reads any of the three HTTP date formats (RFC 9110, section 5.6.7) as seconds since 1970. */
bool backoff_read_date(const char *text, int64_t *seconds);

#endif
