/* SPDX-License-Identifier: MIT */
#include "daemon/signals.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

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

/* A log that takes no more is an error of write(), not our end. */
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

/* Of several the kernel gives the lowest number first: whoever says SIGHUP again and again would
 * keep us from our end. */
int signals_wait(const struct timespec *longest)
{
    const struct timespec no_time = {0};
    sigset_t set = signals_all(), others = set;
    int signal;

    sigdelset(&others, SIGHUP);
    signal = sigtimedwait(&others, NULL, &no_time);
    return signal > 0 ? signal : sigtimedwait(&set, NULL, longest);
}
