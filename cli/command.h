/* SPDX-License-Identifier: MIT
 *
 * command.h - a command of the tool: its name, its options, the function that runs it, and its exit
 * status.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/rfc3339.h"
#include "daemon/conf/command_line.h"

/* Exit status of a command, as listed in hookline(1). */
enum outcome {
    OUTCOME_GOOD = 0,             /* success */
    OUTCOME_REFUSED = 1,          /* refused by the receiver, not authentic, or a damaged store */
    OUTCOME_USAGE = 2,            /* wrong options, or an unreadable file */
    OUTCOME_STALE = 3,            /* authentic, but the signed time is outside the tolerance */
    OUTCOME_TIMEOUT = 4,          /* not arrived in time */
    OUTCOME_TRANSPORT = 5,        /* no answer, or an unexpected one; also ENOMEM */
    OUTCOME_PROVIDER_REFUSED = 6, /* refused by the provider */
};

struct command {
    const char *name;
    const char *arguments; /* as shown in the help; "" if none */
    unsigned arguments_min, arguments_max;
    const char *summary; /* one line, no full stop */
    const char *details; /* printed after the options in the help; may be NULL */
    const struct option_row *options;
    size_t options_size;  /* of the struct that the rows fill */
    const void *defaults; /* its initial value; NULL: zeros */
    enum outcome (*run)(const void *options, const char *const *arguments, size_t count);
};

extern const struct command command_verify, command_sign, command_send, command_ping, command_wait,
    command_emulate, command_deliveries, command_show, command_replay, command_discard,
    command_store, command_schemes;

/* Reads the options after argv[0], the command's name, then runs the command. Reports wrong options
 * with message_print(). Returns the exit status. */
int command_run(const struct command *command, int argc, char *argv[]);

/* Converts the option --`name`, a time or an age, to seconds since 1970 in `epoch_text` and points
 * *text there; NULL stays NULL. Reads the clock. Returns false after message_print(). */
bool option_read_time(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE]);

#endif
