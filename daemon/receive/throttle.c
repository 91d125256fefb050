/* SPDX-License-Identifier: MIT */
#include "daemon/receive/throttle.h"

bool throttle_pass(struct throttle *t, unsigned per_second, int64_t now_us)
{
    int64_t second = now_us / 1000000;

    if (second != t->second) {
        t->second = second;
        t->passed = 0;
    }
    if (t->passed >= per_second) {
        t->dropped++;
        return false;
    }
    t->passed++;
    return true;
}

uint64_t throttle_take_dropped(struct throttle *t)
{
    uint64_t dropped = t->dropped;

    t->dropped = 0;
    return dropped;
}
