/* SPDX-License-Identifier: MIT
 *
 * rfc3339.h - a moment as APIs and people write it: RFC 3339, seconds since 1970, so long ago. Pure.
 *
 * Ownership  Nothing is kept.
 * Threads    Any.
 * Errors     What is no moment is false.
 */
#ifndef DAEMON_BASE_RFC3339_H
#define DAEMON_BASE_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* ---- a moment as APIs write it: "2026-11-22T10:11:12.345Z". */

enum {
    RFC3339_SIZE = 32
};

/* Microseconds since 1970; before that and behind the year 9999 it is the nearest that there is. */
void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us);

/* "2026-11-22T04:00:00Z", with a fraction or another offset if you like, or seconds since 1970.
 * Sets *us to microseconds since 1970, which is never negative. */
bool rfc3339_read(const char *text, int64_t *us);

/* ---- moments as users write them: those that rfc3339_read() reads, and so long ago. */

enum {
    RFC3339_EPOCH_SIZE = 32
};

/* "90s", "15m", "2h" and "7d" are so long before `now_us`, microseconds since 1970. `epoch_text`
 * is what a sink understands, and empty for what is no moment. */
bool rfc3339_read_or_ago(const char *text, int64_t now_us, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
