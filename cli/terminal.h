/* SPDX-License-Identifier: MIT
 *
 * terminal.h - colours, and a line that is written over, where a person is looking. NO_COLOR and
 * TERM=dumb are heeded.
 *
 * Threads    One.
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

/* What begins a tone on this stream; "" if nobody sees colours there. */
const char *terminal_tone(FILE *stream, enum terminal_tone tone);

/* Shows how it goes on in the last line of standard error, as much of it as that has room for, in
 * the place of what this showed before; NULL takes it away, and so does a signal that ends the
 * process. Does nothing where no person is looking. */
void terminal_progress(const char *text);

#endif
