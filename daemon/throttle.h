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
    uint64_t dropped; /* since one passed the last time */
};

/* Whether one more may pass. If so *dropped says how many did not since the last that did. */
bool throttle_pass(struct throttle *t, int64_t now_us, uint64_t *dropped);

#endif
