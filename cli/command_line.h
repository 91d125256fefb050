/* SPDX-License-Identifier: MIT
 *
 * command_line.h - the options of a command, read by its rows, and its help, written from them.
 */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include <stdbool.h>

#include "daemon/base/rfc3339.h"

struct command;

/* Reads the options that follow the command's name, which is argv[0], then runs it. Says what is
 * wrong with them by message_print(). Returns what the process exits with. */
int command_run(const struct command *command, int argc, char *argv[]);

/* Replaces the text of an option, a moment, by what a sink understands, kept in `epoch_text`; NULL
 * stays NULL. Reads the clock. Says what is wrong by message_print(). */
bool option_read_time(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
