/* SPDX-License-Identifier: MIT
 *
 * process.h - exit codes, standard streams and signals.
 *
 * Threads    The main thread.
 */
#ifndef DAEMON_BASE_PROCESS_H
#define DAEMON_BASE_PROCESS_H

/* ---- exit codes */

/* The values of daemon(7); success is 0. */

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_PERMISSION = 4,
    EXIT_CONFIGURATION = 6,
};

/* Returns the exit code for a file that cannot be opened; `error` is an errno. */
int process_exit_code(int error);

/* ---- standard streams */

/* Opens /dev/null for each closed descriptor of 0, 1 and 2, in the wrong direction so that reads
 * and writes still fail. Otherwise the first opened file or socket would take the number and
 * receive standard output. Call it before any file is opened. */
void process_reserve_stdio(void);

/* ---- signals */

struct timespec;

/* Blocks SIGHUP until signals_wait(). Call it first: an early SIGHUP would kill the process, and
 * systemd counts that as a clean exit. */
void signals_defer_reload(void);

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 until signals_wait(). Threads started later inherit
 * that. Ignores SIGPIPE and SIGXFSZ. */
void signals_block(void);

/* Unblocks SIGTERM and SIGINT, so that they kill the process at once. */
void signals_let_end(void);

/* Returns SIGTERM, SIGINT, SIGHUP or SIGUSR1; -1 after the timeout. */
int signals_wait(const struct timespec *longest);

#endif
