/* SPDX-License-Identifier: MIT
 *
 * supervisor.h - systemd, if it started the process: what it passes, and what it is told. The only
 * module that knows libsystemd. Started otherwise, nothing is passed and nobody is told.
 *
 * Threads    Any, but for supervisor_sockets().
 */
#ifndef DAEMON_BASE_SUPERVISOR_H
#define DAEMON_BASE_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether somebody waits to be told. */
bool supervisor_listens(void);

/* At the start, and after supervisor_reloading(). */
void supervisor_ready(void);

void supervisor_reloading(void);

/* And how long that may take. */
void supervisor_stopping(unsigned seconds);

/* A line for people. */
void supervisor_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Within how many microseconds supervisor_alive() is expected again and again; 0: never. */
uint64_t supervisor_patience_us(void);

void supervisor_alive(void);

/* Whether what is written to this descriptor stands in the journal. */
bool supervisor_keeps(int fd);

struct supervisor_socket {
    int fd;
    char *name; /* the caller's to free; "unknown" if it has none */
};

/* The sockets that were passed, for the first caller only, while there is one thread. An array to
 * free, NULL if there is none. Returns how many, or -1 with errno. */
int supervisor_sockets(struct supervisor_socket **sockets);

#endif
