/* SPDX-License-Identifier: MIT
 *
 * signals.h - what the process is told by signals, when it has the time for it.
 *
 * Threads    The main one. Those that it starts after signals_block() get none of them.
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

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
