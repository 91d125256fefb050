/* SPDX-License-Identifier: MIT
 *
 * hookline - signs, verifies and sends webhooks, emulates those who send them, and confirms that
 * the whole way to a hooklined works.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <hookline.h>

#include "daemon/base/process.h"
#include "cli/command.h"

/* In the order in which a user comes to need them. */
static const struct command *const commands[] = {
    &command_ping, &command_emulate,    &command_wait, &command_verify, &command_sign,
    &command_send, &command_deliveries, &command_show, &command_replay, &command_schemes,
};

enum {
    COMMANDS = sizeof(commands) / sizeof(commands[0])
};

static void tool_print_help(void)
{
    printf("Usage: hookline COMMAND [OPTION]... [ARGUMENT]...\n"
           "\n"
           "Signs, verifies and sends webhooks, emulates those who send them, and confirms that "
           "the\nwhole way works.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n"
           "  -h, --help     show this and exit; hookline COMMAND --help tells more\n"
           "  -V, --version  show the version and exit\n"
           "\n"
           "Exit status: 0 good; 1 refused; 2 wrong usage; 3 stale; 4 too late; 5 nobody answers;\n"
           "6 refused by the provider.\n");
}

static const struct command *tool_find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* As the daemon does: deliveries and secrets are kept out of cores. LeakSanitizer could not
 * attach. */
static void tool_disable_core_dumps(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int tool_run(int argc, char *argv[])
{
    const struct command *command = argc < 2 ? NULL : tool_find_command(argv[1]);

    if (command != NULL)
        return command_run(command, argc - 1, argv + 1);
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        tool_print_help();
        return OUTCOME_GOOD;
    }
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        printf("hookline %s\n", hookline_version());
        return OUTCOME_GOOD;
    }
    if (argc < 2)
        message_print("expected a command");
    else
        message_print("%s: there is no such command", argv[1]);
    fputs("Try: hookline --help\n", stderr);
    return OUTCOME_USAGE;
}

int main(int argc, char *argv[])
{
    int code;

    process_reserve_stdio();
    tool_disable_core_dumps();
    signal(SIGPIPE, SIG_IGN);
    message_set_program("hookline");
    code = tool_run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        message_print("cannot write to the standard output");
        return OUTCOME_TRANSPORT;
    }
    return code;
}
