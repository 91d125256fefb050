/* SPDX-License-Identifier: MIT
 *
 * when.h - moments as users write them: those of daemon/base/moment.h, and so long ago. Pure.
 */
#ifndef DAEMON_BASE_WHEN_H
#define DAEMON_BASE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

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
