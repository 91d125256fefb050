/* SPDX-License-Identifier: MIT
 *
 * log.h - line log to a file, standard output or systemd's journal; writers never block.
 *
 * Lines that a full pipe, a full disk or the journal rejects are kept, up to LOG_KEPT_MAX bytes,
 * and retried. Further lines are dropped, and a line {"lost_lines":N} replaces them. If standard
 * output is the journal, each line becomes an entry with fields (journald.h).
 *
 * Ownership  log_open() allocates, log_close() frees.
 * Threads    log_write(), log_flush() and log_reopen() on any. A log that is not a regular file has
 *            a thread of its own.
 */
#ifndef DAEMON_LOG_LOG_H
#define DAEMON_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;

enum {
    LOG_KEPT_MAX = 1 << 20
};

/* Opens a file for appending; "-" is standard output. Returns NULL with errno. */
struct log *log_open(const char *path);

/* Writes the remaining lines, for at most a second. Returns the number of lines not written. */
uint64_t log_close(struct log **log);

/* Queues a line, including its "\n"; log_flush() writes it. */
void log_write(struct log *log, const char *line, size_t len);

/* Writes queued lines to a regular file, or wakes the log's thread for anything else, which may
 * have a slow reader. */
void log_flush(struct log *log);

/* True unless the log is standard output. */
bool log_has_path(const struct log *log);

/* Reopens the path, after logrotate has moved the file. Returns false with errno and keeps the old
 * file. */
bool log_reopen(struct log *log);

#endif
