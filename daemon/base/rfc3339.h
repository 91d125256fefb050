/* SPDX-License-Identifier: MIT
 *
 * rfc3339.h - times as text: RFC 3339, seconds since 1970, or an age such as 15m. Pure.
 *
 * Threads    Any.
 * Errors     false if the text is not a time.
 */
#ifndef DAEMON_BASE_RFC3339_H
#define DAEMON_BASE_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RFC3339_SIZE = 32
};

/* Writes microseconds since 1970 as "2026-11-22T10:11:12.345Z", clamped to 1970 to 9999. */
void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us);

/* Reads "2026-11-22T04:00:00Z", optionally with a fraction or another offset, or seconds since
 * 1970. Sets *us to microseconds since 1970, never negative. */
bool rfc3339_read(const char *text, int64_t *us);

enum {
    RFC3339_EPOCH_SIZE = 32
};

/* Reads what rfc3339_read() reads, or an age before `now_us`: "90s", "15m", "2h", "7d". Writes
 * seconds since 1970 with a fraction, as the admin API expects; empty if the text is not a time. */
bool rfc3339_read_or_ago(const char *text, int64_t now_us, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
