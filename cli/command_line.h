/* SPDX-License-Identifier: MIT
 *
 * command_line.h - the options of a command, read by its rows, and its help, written from them.
 */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

struct command;

/* Reads the options that follow the command's name, which is argv[0], then runs it. Says what is
 * wrong with them by message_print(). Returns what the process exits with. */
int command_run(const struct command *command, int argc, char *argv[]);

#endif
