/* SPDX-License-Identifier: MIT
 *
 * log.h - a file, or standard output, that takes whole lines.
 *
 * Threads    log_write() and log_reopen() on any thread.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

struct log;

/* `path` is a file to append to, "-" for standard output. NULL with errno set if it cannot be
 * opened. */
struct log *log_open(const char *path);
void log_close(struct log **log);

/* Returns when the kernel has taken the line; false with errno set if it did not take all. */
bool log_write(struct log *log, const char *line, size_t len);

/* Opens the path anew, for logrotate; false with errno set, and the old file is kept. */
bool log_reopen(struct log *log);

#endif
