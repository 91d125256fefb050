/* SPDX-License-Identifier: MIT
 *
 * systemd.h - systemd, if it started the process: what it passes, and what it is told. The only
 * module that knows libsystemd. Started otherwise, nothing is passed and nobody is told.
 *
 * Threads    Any, but for systemd_listen_sockets().
 */
#ifndef DAEMON_BASE_SYSTEMD_H
#define DAEMON_BASE_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether somebody waits to be told. */
bool systemd_wants_notify(void);

/* At the start, and after systemd_notify_reloading(). */
void systemd_notify_ready(void);

void systemd_notify_reloading(void);

/* And how long that may take. */
void systemd_notify_stopping(unsigned seconds);

/* A line for people. */
void systemd_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Within how many microseconds systemd_notify_watchdog() is expected again and again; 0: never. */
uint64_t systemd_watchdog_us(void);

void systemd_notify_watchdog(void);

/* Whether what is written to this descriptor stands in the journal. */
bool systemd_fd_is_journal(int fd);

struct systemd_socket {
    int fd;
    char *name; /* the caller's to free; "unknown" if it has none */
};

/* The sockets that were passed, for the first caller only, while there is one thread. An array to
 * free, NULL if there is none. Returns how many, or -1 with errno. */
int systemd_listen_sockets(struct systemd_socket **sockets);

#endif
