/* SPDX-License-Identifier: MIT
 *
 * timestamp.h - the times that senders sign: text to seconds since 1970 and back.
 *
 * The daemon compiles this file into itself, too: what the library exports is hookline_*, and there
 * shall be one reader of RFC 3339.
 */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

enum time_unit {
    TIME_SECONDS,
    TIME_MILLISECONDS,
    TIME_RFC3339,
    TIME_ANY, /* RFC 3339, or a whole number whose size tells seconds from milliseconds */
};

/* Digits in canonical form only: no sign, no zero in front, nothing behind. */
bool timestamp_read(enum time_unit unit, hookline_bytes text, int64_t *seconds);

/* RFC 3339, section 5.6, as microseconds since 1970, never negative; further digits are dropped.
 * One of `separators` stands between date and time: senders write "Tt", people a blank, too. */
bool timestamp_read_rfc3339(hookline_bytes text, const char *separators, int64_t *us);

/* Takes ".5", if a point is at *cursor; false if no digit follows it. */
bool timestamp_read_fraction(const char **cursor, const char *end, int64_t *us);

/* Writes `seconds`, 0 to the year 9999, NUL-terminated; returns the length. TIME_ANY is
 * written as RFC 3339. `out` has TIMESTAMP_SIZE bytes. */
enum {
    TIMESTAMP_SIZE = 32
};
size_t timestamp_write(enum time_unit unit, int64_t seconds, char *out);

#endif
