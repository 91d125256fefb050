/* SPDX-License-Identifier: MIT
 *
 * ready.h - readiness probe: asks the admin API of a running hooklined, for containers that run a
 * command.
 *
 * Threads    The main thread.
 * Errors     Exit codes, after messages on standard error.
 */
#ifndef DAEMON_READY_H
#define DAEMON_READY_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true if a probe can connect to the address, else false with the expected text in `why`. */
bool ready_check_address(const char *address, char *why, size_t size);

/* Asks GET /readyz, which needs no token. Prints "ready", or why not. */
int ready_ask(const char *address);

#endif
