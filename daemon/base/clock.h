/* SPDX-License-Identifier: MIT
 *
 * clock.h - the only clocks of the daemon.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_CLOCK_H
#define DAEMON_BASE_CLOCK_H

#include <stdint.h>

/* Returns microseconds since 1970. Jumps when the system time is set. */
int64_t clock_wall_us(void);

/* Returns microseconds since an arbitrary start. Never jumps. */
int64_t clock_mono_us(void);

/* Returns microseconds since 1970 that never jump within one process: the wall clock of the first
 * call plus the time since then, including suspend. For times that the store compares after a
 * restart. */
int64_t clock_steady_us(void);

#endif
