/* SPDX-License-Identifier: MIT
 *
 * journald.h - log lines as entries of systemd's journal, over its native protocol.
 *
 * Not sd_journal_sendv(), because that blocks while the journal is full and reports success without
 * a journal.
 *
 * Ownership  journald_open() allocates, journald_close() frees.
 * Threads    One owner.
 */
#ifndef DAEMON_LOG_JOURNALD_H
#define DAEMON_LOG_JOURNALD_H

#include <stddef.h>

struct journald;

/* Connects to the journal. Returns NULL with errno. */
struct journald *journald_open(void);
void journald_close(struct journald **journald);

/* Builds the entry of a log line, JSON without "\n": MESSAGE is the line, PRIORITY and MESSAGE_ID
 * follow from its verdict, and members become fields HOOKLINE_*. */
void journald_set_line(struct journald *journald, const char *line, size_t len);

/* Sends the entry. Returns 1 if the journal took it, 0 if the journal is full for now, -1 with
 * errno: EMSGSIZE if the entry is too large, otherwise a retry reconnects and may succeed. */
int journald_send(struct journald *j);

/* Returns the socket, writable when the journal has room again; -1 while not connected. */
int journald_descriptor(const struct journald *j);

#endif
