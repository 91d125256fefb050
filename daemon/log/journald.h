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

/* 1 when it is taken, 0 if there is no room for now, -1 with errno: EMSGSIZE if it never will be,
 * anything else if later may do. Until it is taken the same entry can be sent again. */
int journald_send(struct journald *j);

/* Writable when there is room again; -1 while nobody is there. */
int journald_descriptor(const struct journald *j);

/* ---- a line of the log as an entry of the journal: the line itself, how grave it is, and a
 * field for each member that somebody may look for. */

/* A line as json_line.h writes it, without its "\n". */
void journald_set_line(struct journald *journald, const char *line, size_t len);

#endif
