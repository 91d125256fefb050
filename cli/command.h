/* SPDX-License-Identifier: MIT
 *
 * command.h - a command of the tool: its name, its options as rows of daemon/conf/command_line.h, and
 * the function that runs it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/rfc3339.h"
#include "daemon/conf/command_line.h"
#include "cli/outcome.h"

struct command {
    const char *name;
    const char *arguments; /* what the help calls them; "" if there are none */
    unsigned arguments_min, arguments_max;
    const char *summary; /* one line, without a full stop */
    const char *details; /* lines that follow the options in the help, or NULL */
    const struct option_row *options;
    /* Of the struct that the rows describe; `defaults` is what it holds before they are read, or
     * NULL for zeros. */
    size_t options_size;
    const void *defaults;
    enum outcome (*run)(const void *options, const char *const *arguments, size_t count);
};

extern const struct command command_verify, command_sign, command_send, command_ping, command_wait,
    command_emulate, command_deliveries, command_show, command_replay, command_schemes;

/* Reads the options behind the command's name, which is argv[0], then runs it. Writes what is wrong
 * with them by message_print(). Returns the exit status. */
int command_run(const struct command *command, int argc, char *argv[]);

/* Replaces the text of an option, a moment, by what a sink understands, kept in `epoch_text`; NULL
 * stays NULL. Reads the clock. Writes what is wrong by message_print(). */
bool option_read_time(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
