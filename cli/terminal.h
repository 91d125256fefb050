/* SPDX-License-Identifier: MIT
 *
 * terminal.h - colours and a progress line on a terminal. Honours NO_COLOR and TERM=dumb.
 *
 * Threads    Main thread.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdio.h>

enum terminal_tone {
    TERMINAL_PLAIN,
    TERMINAL_GOOD,
    TERMINAL_BAD,
    TERMINAL_FAINT,
};

/* Returns the escape sequence of a tone; "" if the stream is no terminal or colours are off. */
const char *terminal_tone(FILE *stream, enum terminal_tone tone);

/* Replaces the progress line on standard error by `text`, cut to the terminal's width. NULL removes
 * the line; so do SIGINT and SIGTERM. Does nothing unless standard error is a terminal. */
void terminal_progress(const char *text);

#endif
