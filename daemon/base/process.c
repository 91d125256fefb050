/* SPDX-License-Identifier: MIT */
#include "daemon/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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
