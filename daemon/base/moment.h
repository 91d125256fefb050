/* SPDX-License-Identifier: MIT
 *
 * moment.h - a moment as people write it. Pure.
 */
#ifndef DAEMON_BASE_MOMENT_H
#define DAEMON_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-22T04:00:00Z", with a fraction or another offset if you like, or seconds since 1970.
 * Sets *us to microseconds since 1970, which is never negative. */
bool rfc3339_read(const char *text, int64_t *us);

#endif
