/* SPDX-License-Identifier: MIT
 *
 * clock.h - the only clocks of the daemon.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_CLOCK_H
#define DAEMON_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970; jumps when somebody sets the clock. */
int64_t clock_wall_us(void);

/* Microseconds since some moment; never jumps. */
int64_t clock_mono_us(void);

/* Microseconds since 1970 as the wall clock had it when this was asked for the first time: for what
 * is stored and compared after a restart, and must not jump in between. */
int64_t clock_steady_us(void);

#endif
