/* SPDX-License-Identifier: MIT */
#include "daemon/base/notice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static const char *program = "hooklined";
static void (*listener)(void *data, const char *line);
static void *listener_data;
static bool in_journal;

/* As syslog(3) counts them. */
enum gravity {
    GRAVE_ERROR = 3,
    GRAVE_WARNING = 4,
    GRAVE_NOT = 6,
};

void notice_as(const char *name)
{
    program = name;
}

void notice_to(void (*hear)(void *data, const char *line), void *data)
{
    listener = hear;
    listener_data = data;
}

void notice_to_journal(void)
{
    in_journal = true;
}

/* What is repeated of a configuration stays in its line, and moves no cursor. */
static void keep_in_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void say(enum gravity gravity, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void say(enum gravity gravity, const char *format, va_list args)
{
    char text[1024];

    vsnprintf(text, sizeof(text), format, args);
    keep_in_line(text);
    if (listener != NULL)
        listener(listener_data, text);
    else if (program != NULL && in_journal)
        fprintf(stderr, "<%d>%s\n", (int)gravity, text);
    else if (program != NULL)
        fprintf(stderr, "%s: %s\n", program, text);
}

void notice(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(GRAVE_NOT, format, args);
    va_end(args);
}

void notice_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(GRAVE_WARNING, format, args);
    va_end(args);
}

void notice_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(GRAVE_ERROR, format, args);
    va_end(args);
}
