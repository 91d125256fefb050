/* SPDX-License-Identifier: MIT */
#include "daemon/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int process_exit_code(int error)
{
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAILED;
}

/* ---- standard streams */

void process_reserve_stdio(void)
{
    /* open() returns the lowest free number, so in this order each descriptor gets its own. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

/* ---- messages */

static const char *message_program = "hooklined";
static void (*message_handler)(void *data, const char *line);
static void *message_handler_data;
static bool message_in_journal;

/* Priorities of syslog(3). */
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

/* Keeps a quoted text of a configuration from breaking the line or moving the cursor. */
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

/* ---- signals */

static sigset_t signals_set_of(const int *numbers, size_t count)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, numbers[i]);
    return set;
}

static sigset_t signals_all(void)
{
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

    return signals_set_of(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

void signals_defer_reload(void)
{
    const int numbers[] = {SIGHUP};
    sigset_t set = signals_set_of(numbers, 1);

    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* SIGPIPE and SIGXFSZ are ignored, so that a failed write to the log returns an error instead. */
void signals_block(void)
{
    sigset_t set = signals_all();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_let_end(void)
{
    const int numbers[] = {SIGTERM, SIGINT};
    sigset_t set = signals_set_of(numbers, sizeof(numbers) / sizeof(numbers[0]));

    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The kernel delivers the lowest pending number first, so repeated SIGHUPs would starve SIGTERM:
 * look for the other signals first. */
int signals_wait(const struct timespec *longest)
{
    const struct timespec no_time = {0};
    sigset_t set = signals_all(), others = set;
    int signal;

    sigdelset(&others, SIGHUP);
    signal = sigtimedwait(&others, NULL, &no_time);
    return signal > 0 ? signal : sigtimedwait(&set, NULL, longest);
}
