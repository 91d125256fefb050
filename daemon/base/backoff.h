/* SPDX-License-Identifier: MIT
 *
 * backoff.h - how long to wait before a delivery is tried again. Pure.
 */
#ifndef DAEMON_BASE_BACKOFF_H
#define DAEMON_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BACKOFF_MAX_S = 86400, /* whatever the other side asks for */
};

/* What the Standard Webhooks specification recommends, in seconds. */
extern const unsigned BACKOFF_STANDARD[];
extern const unsigned BACKOFF_STANDARD_COUNT;

/* The microseconds to wait after `tries` failed ones: anything between 0 and the schedule's value,
 * as `random`, which may be any number, chooses; so those that failed together do not come back
 * together. -1 when the schedule is at its end. */
int64_t backoff_delay_us(const unsigned *schedule_s, unsigned count, unsigned tries,
                         uint64_t random);

/* The seconds that a Retry-After asks for, BACKOFF_MAX_S at most; -1 if it is none. `date` is
 * the Date of the same answer, or NULL: a clock that is wrong on either side does not matter then.
 * Without it `now_s` stands for it. */
int64_t backoff_retry_after_s(const char *text, const char *date, int64_t now_s);

/* Any of the three forms of RFC 9110, section 5.6.7, in seconds since 1970. */
bool backoff_read_date(const char *text, int64_t *seconds);

#endif
