/* SPDX-License-Identifier: MIT
 *
 * service.h - the parts of the daemon, put together in order and taken down in the opposite one.
 *
 * Threads    The main thread, which waits for signals meanwhile.
 */
#ifndef SERVICE_H
#define SERVICE_H

struct config;
struct destinations;
struct sources;

/* Runs until a signal or a fault ends it. The code to exit with, after a notice if it is not 0. */
int service_run(const struct config *config, const struct sources *sources,
                struct destinations *destinations);

#endif
