/* SPDX-License-Identifier: MIT */
#include "daemon/receive/pace.h"

bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us)
{
    return now_us >= cpu_share->rest_us;
}

void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times)
{
    int64_t rest_us = (ended_us - began_us) * times;

    cpu_share->rest_us = ended_us + (rest_us < 1000 ? 1000 : rest_us);
}
