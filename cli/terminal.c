/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_seen(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

const char *terminal_tone(FILE *stream, enum terminal_tone tone)
{
    static const char *const escapes[] = {"\033[0m", "\033[32m", "\033[31m", "\033[2m"};
    const char *no_color = getenv("NO_COLOR");

    if (!is_seen(stream) || (no_color != NULL && no_color[0] != '\0'))
        return "";
    return escapes[tone];
}

void terminal_progress(const char *text)
{
    if (is_seen(stderr))
        fprintf(stderr, "\r\033[K%s", text == NULL ? "" : text);
}
