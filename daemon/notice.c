/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <stdarg.h>
#include <stdio.h>

static const char *program = "hooklined";

void notice_as(const char *name)
{
    program = name;
}

void notice(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (program != NULL)
        fprintf(stderr, "%s: %s\n", program, text);
}
