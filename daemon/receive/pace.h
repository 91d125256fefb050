/* SPDX-License-Identifier: MIT
 *
 * pace.h - keeps what somebody else can cause to a share of a thread's time: whoever has worked
 * rests for so many times as long. Pure.
 */
#ifndef DAEMON_RECEIVE_PACE_H
#define DAEMON_RECEIVE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_share {
    int64_t rest_us; /* until then */
};

/* Whether it has rested. Times are clock_mono_us()'s. */
bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us);

/* It has worked, and rests for `times` as long, a millisecond at least. */
void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times);

#endif
