/* SPDX-License-Identifier: MIT
 *
 * exits.h - how the process ends, as daemon(7) lists it. Success is 0.
 */
#ifndef DAEMON_BASE_EXITS_H
#define DAEMON_BASE_EXITS_H

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_PERMISSION = 4,
    EXIT_CONFIGURATION = 6,
};

/* Of something that could not be opened. */
int process_exit_code(int error);

#endif
