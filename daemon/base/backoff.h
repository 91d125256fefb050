/* SPDX-License-Identifier: MIT
 *
 * backoff.h - waits between the attempts of a delivery. Pure.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_BACKOFF_H
#define DAEMON_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

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
