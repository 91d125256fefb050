/* SPDX-License-Identifier: MIT
 *
 * journald.h - entries for systemd's journal, by its native protocol.
 *
 * A line of the log is a record, and sd_journal_sendv() would not do for it: that waits for as long
 * as the journal takes nothing, and where there is none it says that all went well.
 *
 * Threads    One owner.
 */
#ifndef DAEMON_LOG_JOURNALD_H
#define DAEMON_LOG_JOURNALD_H

#include <stddef.h>

struct journald;

/* NULL with errno if nobody is there. */
struct journald *journald_open(void);
void journald_close(struct journald **journald);

/* An entry of ours, of a priority as in syslog(3), and what else is in it. Names are constants, in
 * capitals; a value may hold anything. */
void journald_begin(struct journald *j, int priority);
void journald_add(struct journald *j, const char *name, const char *value, size_t len);

/* 1 when it is taken, 0 if there is no room for now, -1 with errno: EMSGSIZE if it never will be,
 * anything else if later may do. Until it is taken the same entry can be sent again. */
int journald_send(struct journald *j);

/* Writable when there is room again; -1 while nobody is there. */
int journald_descriptor(const struct journald *j);

#endif
