/* SPDX-License-Identifier: MIT
 *
 * systemd.h - service notification, watchdog and socket activation; the only user of libsystemd.
 * Without systemd the notifications do nothing and no socket is passed.
 *
 * Threads    Any, except systemd_listen_sockets().
 */
#ifndef DAEMON_BASE_SYSTEMD_H
#define DAEMON_BASE_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if a service manager expects notifications ($NOTIFY_SOCKET). */
bool systemd_wants_notify(void);

/* Reports the end of the startup, or of a reload after systemd_notify_reloading(). */
void systemd_notify_ready(void);

void systemd_notify_reloading(void);

/* Reports the shutdown and extends its timeout to `seconds`. */
void systemd_notify_stopping(unsigned seconds);

/* Sets the status line that systemctl status shows. */
void systemd_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns the longest time between two systemd_notify_watchdog(), in microseconds; 0: none. */
uint64_t systemd_watchdog_us(void);

void systemd_notify_watchdog(void);

/* True if the descriptor is a stream to systemd's journal ($JOURNAL_STREAM). */
bool systemd_fd_is_journal(int fd);

struct systemd_socket {
    int fd;
    char *name; /* the caller frees it; "unknown" without a name */
};

/* Stores the passed sockets in *sockets, an array that the caller frees, or NULL if there is none.
 * Returns their number, -1 with errno. Call it once, before threads start. */
int systemd_listen_sockets(struct systemd_socket **sockets);

#endif
