/* SPDX-License-Identifier: MIT
 *
 * listen_fds.h - sockets passed by systemd, sorted by use: ingest and admin.
 *
 * Threads    One, before others start.
 * Errors     An exit code, after a message on stderr.
 */
#ifndef DAEMON_HTTP_LISTEN_FDS_H
#define DAEMON_HTTP_LISTEN_FDS_H

#include <stdbool.h>
#include <stddef.h>

struct config_admin;

enum {
    LISTEN_FDS_MAX = 16 /* per use */
};

struct listen_fds {
    int fd[LISTEN_FDS_MAX];
    size_t count;
};

struct listen_fds_by_use {
    struct listen_fds ingest, admin; /* listening sockets */
};

/* Takes the sockets of LISTEN_FDS; call once, before other threads start. Returns 0, or the exit
 * code after an error message. */
int listen_fds_take(struct listen_fds_by_use *passed, const struct config_admin *admin);

/* Returns true if a socket is bound to the address, in the syntax of address_read(). */
bool listen_fds_has(const struct listen_fds *sockets, const char *address);

#endif
