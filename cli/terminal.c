/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool terminal_is_interactive(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

const char *terminal_tone(FILE *stream, enum terminal_tone tone)
{
    static const char *const escapes[] = {"\033[0m", "\033[32m", "\033[31m", "\033[2m"};
    const char *no_color = getenv("NO_COLOR");

    if (!terminal_is_interactive(stream) || (no_color != NULL && no_color[0] != '\0'))
        return "";
    return escapes[tone];
}

static const char clear_line[] = "\r\033[K";
static volatile sig_atomic_t progress_is_shown;

/* Clears the progress line, so that the shell's prompt starts on a clean line. */
static void terminal_clear_and_raise(int signal)
{
    if (progress_is_shown && write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
        progress_is_shown = 0;
    raise(signal);
}

static void terminal_clear_on_signal(int signal)
{
    const struct sigaction clear = {.sa_handler = terminal_clear_and_raise,
                                    .sa_flags = (int)SA_RESETHAND};
    struct sigaction now;

    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        sigaction(signal, &clear, NULL);
}

/* One column less than the terminal, because a wrapped line could not be overwritten. */
static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col - 1
                                                                           : INT_MAX;
}

void terminal_progress(const char *text)
{
    if (!terminal_is_interactive(stderr))
        return;
    progress_is_shown = text != NULL;
    terminal_clear_on_signal(SIGINT);
    terminal_clear_on_signal(SIGTERM);
    fprintf(stderr, "%s%.*s", clear_line, terminal_width(), text == NULL ? "" : text);
}
