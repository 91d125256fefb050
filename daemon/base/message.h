/* SPDX-License-Identifier: MIT
 *
 * message.h - messages for the administrator, on standard error.
 *
 * A message blocks its caller until message_start(), and never from then on: standard error may be a
 * pipe that nobody reads. Up to MESSAGE_KEPT_MAX bytes wait for a reader; further messages are lost,
 * counted, and reported by a message of their own.
 *
 * Threads    message_print(), message_warning(), message_error(), message_flush() and
 *            message_lost() on any; message_write_last() in a signal handler; the others on the main
 *            thread.
 */
#ifndef DAEMON_BASE_MESSAGE_H
#define DAEMON_BASE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MESSAGE_KEPT_MAX = 1 << 16,
    MESSAGE_TEXT_SIZE = 1024,
};

/* Sets the prefix of each line, "hooklined" by default; NULL turns messages off. `name` has up to 32
 * bytes and is not copied. Call it before threads start. */
void message_set_program(const char *name);

/* Passes lines, without prefix, to `handler` instead of standard error; NULL restores standard
 * error. Call it while no other thread prints. */
void message_set_handler(void (*handler)(void *data, const char *line), void *data);

/* Starts lines with the priority prefix of sd-daemon(3) instead of the name, which the journal
 * records itself. Call it before threads start. */
void message_use_journal(void);

/* Puts a queue before standard error (line_queue.h). Call it before other threads start. Returns
 * false with errno. */
bool message_start(void);

/* Writes the remaining messages, for at most a second. Call it after other threads have ended. */
void message_stop(void);

/* Print one line: information, a warning, or an error that stops the work. Control characters
 * become '?'; text beyond MESSAGE_TEXT_SIZE - 1 bytes is cut. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* message_warning() as a callback. */
void message_warn_text(const char *text);

/* Tries again to write messages to a regular file, after an error such as a full disk. */
void message_flush(void);

/* Returns the number of messages lost since message_start(). */
uint64_t message_lost(void);

/* Writes the queued messages and then this error, as far as there is room: for a signal handler of a
 * process that dies. Async-signal-safe. Does nothing before message_start(). */
void message_write_last(const char *text);

#endif
