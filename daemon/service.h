/* SPDX-License-Identifier: MIT
 *
 * service.h - the parts of the daemon, put together in order and taken down in the opposite one.
 *
 * Ownership  service_open() makes it, service_close() ends it.
 * Threads    Every function on one thread. If a thread of a part's finds that nothing can be stored
 *            any more, the process gets SIGUSR1.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include <stdbool.h>

struct config;
struct listener;
struct policy;
struct service;

/* Receives from now on, under these rules, which it takes over in any case. NULL, and in *code the
 * one to exit with, after a notice. */
struct service *service_open(const struct config *config, struct policy *policy, int *code);

/* Where deliveries arrive: its addresses are for others to read. */
const struct listener *service_listener(const struct service *service);

/* Answers what has begun. False if the service was broken by then. */
bool service_close(struct service **service);

/* All of it, on the main thread: until a signal or a fault ends it. `file` is where the config was
 * read and will be read again, or NULL; the rules are taken over. The code to exit with, after a
 * notice if it is not 0. */
int service_run(const struct config *config, const char *file, struct policy *policy);

#endif
