/* SPDX-License-Identifier: MIT
 *
 * main.c - the tool hookline: dispatches to its commands.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <hookline.h>

#include "cli/command.h"
#include "daemon/base/message.h"
#include "daemon/base/process.h"

/* In the order of --help. */
static const struct command *const commands[] = {
    &command_ping,   &command_emulate, &command_wait,       &command_verify,
    &command_sign,   &command_send,    &command_deliveries, &command_show,
    &command_replay, &command_discard, &command_store,      &command_schemes,
};

enum {
    COMMANDS = sizeof(commands) / sizeof(commands[0])
};

static void tool_print_help(void)
{
    printf("Usage: hookline COMMAND [OPTION]... [ARGUMENT]...\n"
           "\n"
           "Verifies, signs and sends webhooks, emulates their senders, and confirms\n"
           "deliveries end to end.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n"
           "  -h, --help     show this and exit; for a command: hookline COMMAND --help\n"
           "  -V, --version  show the version and exit\n"
           "\n"
           "Exit status: 0 success; 1 refused; 2 wrong usage; 3 stale; 4 not in time;\n"
           "5 no answer; 6 refused by the provider.\n");
}

static const struct command *tool_find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Keeps deliveries and secrets out of core files, as the daemon does. LeakSanitizer cannot attach
 * to such a process. */
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
        message_print("%s: unknown command", argv[1]);
    fputs("Try: hookline --help\n", stderr);
    return OUTCOME_USAGE;
}

/* Returns true if standard output is a pipe or socket that its reader has closed, as head does after
 * its last line. */
static bool tool_lacks_reader(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

/* Ends the process by SIGPIPE, as other tools end, so that shells see the status 141. Until then the
 * tool ignores the signal, because sockets raise it as well. */
static int tool_end_by_sigpipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    return 128 + SIGPIPE;
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
        if (tool_lacks_reader())
            return tool_end_by_sigpipe();
        message_print("cannot write to standard output");
        return OUTCOME_TRANSPORT;
    }
    return code;
}
