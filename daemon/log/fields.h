/* SPDX-License-Identifier: MIT
 *
 * fields.h - a line of the log as an entry of the journal: the line itself, how grave it is, and a
 * field for each member that somebody may look for.
 */
#ifndef DAEMON_LOG_FIELDS_H
#define DAEMON_LOG_FIELDS_H

#include <stddef.h>

struct journald;

/* A line as json_line.h writes it, without its "\n". */
void journald_set_line(struct journald *journald, const char *line, size_t len);

#endif
