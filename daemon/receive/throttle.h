/* SPDX-License-Identifier: MIT
 *
 * throttle.h - how much of what an attacker can cause happens in a second: lines in our log, say.
 * Pure.
 */
#ifndef DAEMON_RECEIVE_THROTTLE_H
#define DAEMON_RECEIVE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct log_limit {
    int64_t second;
    unsigned passed;  /* in this second */
    uint64_t dropped; /* since log_limit_take_dropped() was called */
};

/* Whether one more may pass. */
bool log_limit_pass(struct log_limit *t, unsigned per_second, int64_t now_us);

/* How many did not pass since this was asked the last time. */
uint64_t log_limit_take_dropped(struct log_limit *t);

#endif
