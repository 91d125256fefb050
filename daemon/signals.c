/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static sigset_t set_of(const int *numbers, size_t count)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, numbers[i]);
    return set;
}

static sigset_t all(void)
{
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

    return set_of(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

void signals_defer_reload(void)
{
    const int numbers[] = {SIGHUP};
    sigset_t set = set_of(numbers, 1);

    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* A log that takes no more is an error of write(), not our end. */
void signals_block(void)
{
    sigset_t set = all();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_let_end(void)
{
    const int numbers[] = {SIGTERM, SIGINT};
    sigset_t set = set_of(numbers, sizeof(numbers) / sizeof(numbers[0]));

    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int signals_wait(const struct timespec *longest)
{
    sigset_t set = all();

    return sigtimedwait(&set, NULL, longest);
}
