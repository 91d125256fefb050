/* SPDX-License-Identifier: MIT
 *
 * notice.h - what the user is told on standard error.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_NOTICE_H
#define DAEMON_BASE_NOTICE_H

/* Who speaks, in front of each line: "hooklined" unless this is called, before there are threads;
 * NULL says nothing. `name` is kept. */
void message_set_program(const char *name);

/* Gives the lines to `hear` instead, without the name; NULL: to standard error again. While no
 * other thread speaks. */
void message_set_handler(void (*handler)(void *data, const char *line), void *data);

/* The lines begin with how grave they are, in the way of sd-daemon(3), and without the name, which
 * the journal knows. Before there are threads. */
void message_use_journal(void);

/* One line: what somebody may like to know, what should be looked at, and what keeps us from doing
 * our work. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
