/* SPDX-License-Identifier: MIT
 *
 * rfc3339.h - a moment as people write it. Pure.
 */
#ifndef DAEMON_BASE_RFC3339_H
#define DAEMON_BASE_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* ---- a moment as APIs write it: "2026-11-22T10:11:12.345Z". Pure. */

enum {
    RFC3339_SIZE = 32
};

/* Microseconds since 1970; before that and behind the year 9999 it is the nearest that there is. */
void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us);

/* "2026-11-22T04:00:00Z", with a fraction or another offset if you like, or seconds since 1970.
 * Sets *us to microseconds since 1970, which is never negative. */
bool rfc3339_read(const char *text, int64_t *us);

/* ---- moments as users write them: those of daemon/base/moment.h, and so long ago. Pure. */

enum {
    RFC3339_EPOCH_SIZE = 32
};

/* "90s", "15m", "2h" and "7d" are so long before `now_us`, microseconds since 1970. `moment` is
 * what a sink understands. False, and *moment empty, for what is no moment. */
bool rfc3339_read_or_ago(const char *text, int64_t now_us, char epoch_text[RFC3339_EPOCH_SIZE]);

/* Replaces an option by what the sink understands, kept in `moment`; NULL is left as it is. If it
 * is wrong it says so by message_print(). */
bool rfc3339_read_option(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
