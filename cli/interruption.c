/* SPDX-License-Identifier: MIT */
#include "interruption.h"

#include <stddef.h>
#include <time.h>

void interruption_begin(struct interruption *i)
{
    /* SIGUSR1: a thread of hooklined's parts has found that nothing can be stored any more. */
    const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

    i->signal = 0;
    sigemptyset(&i->ours);
    for (size_t n = 0; n < sizeof(ours) / sizeof(ours[0]); n++)
        sigaddset(&i->ours, ours[n]);
    pthread_sigmask(SIG_BLOCK, &i->ours, &i->before);
}

bool interruption_came(void *interruption)
{
    struct interruption *i = interruption;
    const struct timespec now = {0, 0};
    int came = i->signal == 0 ? sigtimedwait(&i->ours, NULL, &now) : i->signal;

    if (came > 0)
        i->signal = came;
    return i->signal != 0;
}

bool interruption_take(struct interruption *i, int signal)
{
    if (i->signal != signal)
        return false;
    i->signal = 0;
    return true;
}

void interruption_end(struct interruption *i)
{
    if (i->signal != 0) {
        signal(i->signal, SIG_DFL);
        raise(i->signal);
    }
    pthread_sigmask(SIG_SETMASK, &i->before, NULL);
}
