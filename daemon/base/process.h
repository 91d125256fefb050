/* SPDX-License-Identifier: MIT
 *
 * process.h - what the user is told on standard error.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_PROCESS_H
#define DAEMON_BASE_PROCESS_H

/* ---- how the process ends, as daemon(7) lists it. Success is 0. */

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_PERMISSION = 4,
    EXIT_CONFIGURATION = 6,
};

/* Of something that could not be opened. */
int process_exit_code(int error);

/* ---- the descriptors 0, 1 and 2 are the standard streams, or nothing.
 *
 * Threads    Before there are any. */

/* Who started us may have closed some. What is opened first would take their numbers, and what is
 * meant for the standard output would be written into a file or to a stranger. From now on they
 * fail, as what is closed does. */
void process_reserve_stdio(void);

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

/* message_warning() as a callback. */
void message_warn_text(const char *text);

/* ---- what the process is told by signals, when it has the time for it.
 *
 * Threads    The main one. Those that it starts after signals_block() get none of them. */

struct timespec;

/* First of all: SIGHUP waits until there is something to reload. It would end us, and systemd takes
 * that for an end that was wanted. */
void signals_defer_reload(void);

/* All of them wait for signals_wait(). */
void signals_block(void);

/* SIGTERM and SIGINT end us at once, as they would by default. */
void signals_let_end(void);

/* SIGTERM, SIGINT, SIGHUP or SIGUSR1; -1 if none came for so long. */
int signals_wait(const struct timespec *longest);

#endif
