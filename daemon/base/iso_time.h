/* SPDX-License-Identifier: MIT
 *
 * iso_time.h - a moment as APIs write it: "2026-11-22T10:11:12.345Z". Pure.
 */
#ifndef DAEMON_BASE_ISO_TIME_H
#define DAEMON_BASE_ISO_TIME_H

#include <stdint.h>

enum {
    RFC3339_SIZE = 32
};

/* Microseconds since 1970; before that and behind the year 9999 it is the nearest that there is. */
void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us);

#endif
