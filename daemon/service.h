/* SPDX-License-Identifier: MIT
 *
 * service.h - the daemon as a whole: opens its parts in order, reloads, and closes them.
 *
 * Ownership  service_open() allocates, service_close() frees.
 * Threads    One thread. After a failed fsync the writer thread sends the process SIGUSR1.
 * Errors     Exit codes, after a message on standard error.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include <stdbool.h>

struct config;
struct listener;
struct policy;
struct service;

/* Opens all parts and starts receiving. Takes over `policy`, also on failure. Returns NULL with the
 * exit code in *code. `config` outlives the service. */
struct service *service_open(const struct config *config, struct policy *policy, int *code);

/* Returns the listener of the ingest sockets, for its addresses. */
const struct listener *service_listener(const struct service *service);

/* Finishes open requests and attempts, frees the service. Returns false after a failed fsync. */
bool service_close(struct service **service);

/* Runs the service on the main thread until SIGTERM, SIGINT or a fault, and returns the exit code.
 * SIGHUP reloads `file`; NULL: the configuration came from the command line, only its secrets are
 * read again. Takes over `policy`. */
int service_run(const struct config *config, const char *file, struct policy *policy);

#endif
