/* SPDX-License-Identifier: MIT
 *
 * unix_socket.h - a listening socket that is a file: open to its owner and group, and gone when it
 * ends.
 *
 * Ownership  unix_socket_open() makes it, unix_socket_remove() ends it. The descriptor is the
 *            caller's.
 */
#ifndef DAEMON_HTTP_UNIX_SOCKET_H
#define DAEMON_HTTP_UNIX_SOCKET_H

#include <sys/socket.h>

struct unix_socket;

/* Replaces a file that a dead process left. NULL with errno: EADDRINUSE if a living one listens
 * there, EEXIST if the file is something else. */
struct unix_socket *unix_socket_open(const struct sockaddr_storage *address, int *fd);

/* Removes the file, unless it is another one by now. */
void unix_socket_remove(struct unix_socket **socket);

#endif
