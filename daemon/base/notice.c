/* SPDX-License-Identifier: MIT */
#include "daemon/base/notice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static const char *message_program = "hooklined";
static void (*message_handler)(void *data, const char *line);
static void *message_handler_data;
static bool message_in_journal;

/* As syslog(3) counts them. */
enum message_level {
    MESSAGE_ERROR = 3,
    MESSAGE_WARNING = 4,
    MESSAGE_INFO = 6,
};

void message_set_program(const char *name)
{
    message_program = name;
}

void message_set_handler(void (*handler)(void *data, const char *line), void *data)
{
    message_handler = handler;
    message_handler_data = data;
}

void message_use_journal(void)
{
    message_in_journal = true;
}

/* What is repeated of a configuration stays in its line, and moves no cursor. */
static void message_blank_controls(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void message_vprint(enum message_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void message_vprint(enum message_level level, const char *format, va_list args)
{
    char text[1024];

    vsnprintf(text, sizeof(text), format, args);
    message_blank_controls(text);
    if (message_handler != NULL)
        message_handler(message_handler_data, text);
    else if (message_program != NULL && message_in_journal)
        fprintf(stderr, "<%d>%s\n", (int)level, text);
    else if (message_program != NULL)
        fprintf(stderr, "%s: %s\n", message_program, text);
}

void message_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_vprint(MESSAGE_INFO, format, args);
    va_end(args);
}

void message_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_vprint(MESSAGE_WARNING, format, args);
    va_end(args);
}

void message_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_vprint(MESSAGE_ERROR, format, args);
    va_end(args);
}
