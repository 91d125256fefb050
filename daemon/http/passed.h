/* SPDX-License-Identifier: MIT
 *
 * passed.h - the sockets that the supervisor passes: which of them deliveries arrive at, and which
 * the administrator's requests.
 *
 * Threads    One.
 */
#ifndef DAEMON_HTTP_PASSED_H
#define DAEMON_HTTP_PASSED_H

#include <stdbool.h>
#include <stddef.h>

struct config_admin;

enum {
    PASSED_MAX = 16 /* of each kind */
};

struct passed_sockets {
    int fd[PASSED_MAX];
    size_t count;
};

struct passed {
    struct passed_sockets ingest, admin; /* they listen */
};

/* For the first caller only, before there are threads. 0, or the code to exit with after a notice.
 */
int passed_take(struct passed *passed, const struct config_admin *admin);

/* Whether one of them is bound to the address, as address.h reads it. */
bool passed_has(const struct passed_sockets *sockets, const char *address);

#endif
