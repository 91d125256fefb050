/* SPDX-License-Identifier: MIT */
#include "daemon/receive/throttle.h"

bool log_limit_pass(struct log_limit *t, unsigned per_second, int64_t now_us)
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

uint64_t log_limit_take_dropped(struct log_limit *t)
{
    uint64_t dropped = t->dropped;

    t->dropped = 0;
    return dropped;
}
