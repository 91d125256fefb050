/* SPDX-License-Identifier: MIT
 *
 * rate.h - how much is taken in a second over time, and how much of it at once. It is one number:
 * when the next would be due if all had come evenly. So who has been quiet for long has no more
 * than a burst saved up, and nothing has to be filled again. Pure.
 *
 * Threads    Any: the number is an atomic that all of them share, so that the rate is that of all
 *            loops together, and nobody waits for anybody.
 */
#ifndef DAEMON_BASE_RATE_H
#define DAEMON_BASE_RATE_H

#include <stdatomic.h>
#include <stdint.h>

struct rate {
    int64_t interval_ns;
    int64_t burst_ns; /* how far before its time one may come */
    _Atomic int64_t due_ns;
};

enum {
    RATE_MAX = 1000000
};

/* 1 to RATE_MAX each. */
void rate_init(struct rate *rate, unsigned per_second, unsigned burst);

/* Goes on where the other one is, if it is the same rate. */
void rate_carry_over(struct rate *rate, struct rate *before);

/* Takes one. 0, or after how many seconds it would be taken; then nothing is. */
unsigned rate_take(struct rate *rate, int64_t now_us);

#endif
