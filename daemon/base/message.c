/* SPDX-License-Identifier: MIT */
#include "daemon/base/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/line_queue.h"

enum {
    MESSAGE_PREFIX_SIZE = 40,
    MESSAGE_LINE_SIZE = MESSAGE_PREFIX_SIZE + MESSAGE_TEXT_SIZE,
};

/* Priorities of syslog(3). */
enum message_level {
    MESSAGE_ERROR = 3,
    MESSAGE_WARNING = 4,
    MESSAGE_INFO = 6,
};

static const char *message_program = "hooklined";
static void (*message_handler)(void *data, const char *line);
static void *message_handler_data;
static bool message_in_journal;
static struct line_queue *message_queue; /* NULL: messages are written by their callers */

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

/* ---- lines */

static char *message_append(char *to, const char *end, const char *text)
{
    size_t len = strnlen(text, (size_t)(end - to));

    return mempcpy(to, text, len);
}

/* Writes a line with its "\n" and returns its length. Async-signal-safe, unlike snprintf(). */
static size_t message_write_line(char *line, size_t size, enum message_level level,
                                 const char *text)
{
    const char priority[] = {'<', (char)('0' + level), '>', '\0'};
    const char *end = line + size - 1;
    char *to = line;

    if (message_in_journal) {
        to = message_append(to, end, priority);
    } else {
        to = message_append(to, end, message_program);
        to = message_append(to, end, ": ");
    }
    to = message_append(to, end, text);
    *to++ = '\n';
    return (size_t)(to - line);
}

/* Keeps a quoted text of a configuration from breaking the line or moving the cursor. */
static void message_blank_controls(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

/* One call of fwrite(), because that locks the stream. */
static void message_send(enum message_level level, const char *text)
{
    char line[MESSAGE_LINE_SIZE];
    size_t len = message_write_line(line, sizeof(line), level, text);

    if (message_queue == NULL) {
        fwrite(line, 1, len, stderr);
        return;
    }
    line_queue_post(message_queue, line, len);
    line_queue_flush(message_queue);
}

static void message_vprint(enum message_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void message_vprint(enum message_level level, const char *format, va_list args)
{
    char text[MESSAGE_TEXT_SIZE];

    vsnprintf(text, sizeof(text), format, args);
    message_blank_controls(text);
    if (message_handler != NULL)
        message_handler(message_handler_data, text);
    else if (message_program != NULL)
        message_send(level, text);
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

void message_warn_text(const char *text)
{
    message_warning("%s", text);
}

void message_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_vprint(MESSAGE_ERROR, format, args);
    va_end(args);
}

/* ---- queue */

static size_t message_describe_loss(char line[LINE_QUEUE_LOSS_SIZE], uint64_t lost)
{
    char text[LINE_QUEUE_LOSS_SIZE - MESSAGE_PREFIX_SIZE];

    snprintf(text, sizeof(text),
             "%" PRIu64 " message%s lost: standard error was full or had no reader", lost,
             lost == 1 ? "" : "s");
    return message_write_line(line, LINE_QUEUE_LOSS_SIZE, MESSAGE_WARNING, text);
}

bool message_start(void)
{
    const struct line_queue_options options = {
        .fd = STDERR_FILENO, .max = MESSAGE_KEPT_MAX, .describe_loss = message_describe_loss};

    message_queue = line_queue_open(&options);
    return message_queue != NULL;
}

void message_stop(void)
{
    line_queue_close(&message_queue);
}

void message_flush(void)
{
    if (message_queue != NULL)
        line_queue_flush(message_queue);
}

uint64_t message_lost(void)
{
    return message_queue == NULL ? 0 : line_queue_lost(message_queue);
}

void message_write_last(const char *text)
{
    char line[MESSAGE_LINE_SIZE];

    if (message_queue != NULL)
        line_queue_write_last(message_queue, line,
                              message_write_line(line, sizeof(line), MESSAGE_ERROR, text));
}
