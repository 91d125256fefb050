/* SPDX-License-Identifier: MIT
 *
 * timestamp.h - signed times: text to seconds since 1970 and back.
 *
 * The daemon compiles this file too, because the library exports only hookline_* and the project
 * keeps a single RFC 3339 reader.
 *
 * Ownership  The caller owns every buffer.
 * Threads    Any thread.
 * Errors     false; the output is undefined then.
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
    TIME_ANY, /* RFC 3339, or a whole number; from 10^11 on it is in milliseconds */
};

/* Reads canonical text only: no sign, no leading zero, no trailing characters. */
bool hookline_timestamp_read(enum time_unit unit, hookline_bytes text, int64_t *seconds);

/* Reads RFC 3339, section 5.6, as microseconds since 1970, never negative; drops further digits.
 * `separators` lists the characters accepted between date and time: "Tt" for senders, with a blank
 * for people. */
bool hookline_timestamp_read_rfc3339(hookline_bytes text, const char *separators, int64_t *us);

/* Reads a fraction such as ".5" if *cursor is at a point. Returns false if no digit follows it. */
bool hookline_timestamp_read_fraction(const char **cursor, const char *end, int64_t *us);

/* Writes `seconds`, 0 to the end of year 9999, NUL-terminated, into `out` of TIMESTAMP_SIZE bytes.
 * Writes TIME_ANY as RFC 3339. Returns the length. */
enum {
    TIMESTAMP_SIZE = 32
};
size_t hookline_timestamp_write(enum time_unit unit, int64_t seconds, char *out);

#endif
