/* SPDX-License-Identifier: MIT
 *
 * throttle.h - how many lines a second an attacker may write into our log. Pure.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    THROTTLE_PER_SECOND = 50
};

struct throttle {
    int64_t second;
    unsigned passed;  /* in this second */
    uint64_t dropped; /* since throttle_take_dropped() was called */
};

/* Whether one more may pass. */
bool throttle_pass(struct throttle *t, int64_t now_us);

/* How many did not pass since this was asked the last time. */
uint64_t throttle_take_dropped(struct throttle *t);

#endif
