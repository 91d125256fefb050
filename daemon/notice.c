/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <stdarg.h>
#include <stdio.h>

static const char *program = "hooklined";
static void (*listener)(void *data, const char *line);
static void *listener_data;

void notice_as(const char *name)
{
    program = name;
}

void notice_to(void (*hear)(void *data, const char *line), void *data)
{
    listener = hear;
    listener_data = data;
}

void notice(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (listener != NULL)
        listener(listener_data, text);
    else if (program != NULL)
        fprintf(stderr, "%s: %s\n", program, text);
}
