/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/message.h"
#include "daemon/conf/command_line.h"

static void command_write_help(const struct command *c)
{
    printf("Usage: hookline %s [OPTION]...%s%s\n\n%s.\n\n", c->name,
           c->arguments[0] == '\0' ? "" : " ", c->arguments, c->summary);
    command_line_help(c->options);
    if (c->details != NULL)
        printf("\n%s", c->details);
    printf("\nSee hookline(1) for examples and the exit status.\n");
}

static bool command_count_fits(const struct command *c, int count, char why[OPTION_WHY_SIZE])
{
    if ((unsigned)count >= c->arguments_min && (unsigned)count <= c->arguments_max)
        return true;
    if (c->arguments_max == 0)
        snprintf(why, OPTION_WHY_SIZE, "%s: expected options only, no arguments", c->name);
    else
        snprintf(why, OPTION_WHY_SIZE, "%s: expected %s", c->name, c->arguments);
    return false;
}

static int command_run_read(const struct command *c, void *options, int argc, char *argv[])
{
    char why[OPTION_WHY_SIZE] = "";
    enum command_line_result result = command_line_read(c->options, options, argc, argv, why);

    if (result == COMMAND_LINE_HELP) {
        command_write_help(c);
        return OUTCOME_GOOD;
    }
    if (result != COMMAND_LINE_WRONG && command_count_fits(c, argc - optind, why))
        return (int)c->run(options, (const char *const *)&argv[optind], (size_t)(argc - optind));
    message_print("%s", why);
    fprintf(stderr, "Try: hookline %s --help\n", c->name);
    return OUTCOME_USAGE;
}

int command_run(const struct command *command, int argc, char *argv[])
{
    void *options = calloc(1, command->options_size + 1);
    int code;

    if (options == NULL) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (command->defaults != NULL)
        memcpy(options, command->defaults, command->options_size);
    code = command_run_read(command, options, argc, argv);
    command_line_free(command->options, options);
    free(options);
    return code;
}

bool option_read_time(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE])
{
    if (*text == NULL)
        return true;
    if (!rfc3339_read_or_ago(*text, clock_wall_us(), epoch_text)) {
        message_print(
            "--%s: expected a time such as 2026-11-22T04:00:00Z, seconds since 1970, or an age "
            "such as 15m, 2h or 7d",
            name);
        return false;
    }
    *text = epoch_text;
    return true;
}
