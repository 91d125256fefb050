/* SPDX-License-Identifier: MIT */
#include "daemon/receive/pace.h"

bool pace_is_rested(const struct pace *pace, int64_t now_us)
{
    return now_us >= pace->rest_us;
}

void pace_rest(struct pace *pace, int64_t began_us, int64_t ended_us, int times)
{
    int64_t rest_us = (ended_us - began_us) * times;

    pace->rest_us = ended_us + (rest_us < 1000 ? 1000 : rest_us);
}
