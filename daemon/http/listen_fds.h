/* SPDX-License-Identifier: MIT
 *
 * listen_fds.h - the sockets that the supervisor passes: which of them deliveries arrive at, and which
 * the administrator's requests.
 *
 * Threads    One.
 */
#ifndef DAEMON_HTTP_LISTEN_FDS_H
#define DAEMON_HTTP_LISTEN_FDS_H

#include <stdbool.h>
#include <stddef.h>

struct config_admin;

enum {
    LISTEN_FDS_MAX = 16 /* of each kind */
};

struct listen_fds {
    int fd[LISTEN_FDS_MAX];
    size_t count;
};

struct listen_fds_by_use {
    struct listen_fds ingest, admin; /* they listen */
};

/* For the first caller only, before there are threads. 0, or the code to exit with after a notice.
 */
int listen_fds_take(struct listen_fds_by_use *passed, const struct config_admin *admin);

/* Whether one of them is bound to the address, as address.h reads it. */
bool listen_fds_has(const struct listen_fds *sockets, const char *address);

#endif
