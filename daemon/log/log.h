/* SPDX-License-Identifier: MIT
 *
 * log.h - a file, or standard output, that takes whole lines and never makes anybody wait. Where
 * standard output leads to systemd's journal, each line is an entry with fields, see fields.h.
 *
 * What a full pipe, a full disk or the journal does not take is kept, up to LOG_KEPT_MAX bytes, and
 * offered again; lines beyond are lost, and a line {"lost_lines":N} stands in their place.
 *
 * Threads    log_write(), log_flush() and log_reopen() on any thread. It has one of its own unless
 *            it is a file.
 */
#ifndef DAEMON_LOG_LOG_H
#define DAEMON_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct log;

enum {
    LOG_KEPT_MAX = 1 << 20
};

/* `path` is a file to append to, "-" for standard output. NULL with errno set if it cannot be
 * opened. */
struct log *log_open(const char *path);

/* Waits a second at most for a reader of what is left; returns how many lines nobody took. */
unsigned long log_close(struct log **log);

/* Takes a line with its "\n"; log_flush() writes it. */
void log_write(struct log *log, const char *line, size_t len);

/* Writes what there is into a file, or has the log's thread write it into anything else, which may
 * have a slow reader. */
void log_flush(struct log *log);

/* Whether it is not standard output. */
bool log_has_path(const struct log *log);

/* Opens that path anew, for logrotate; false with errno set, and the old file is kept. */
bool log_reopen(struct log *log);

#endif
