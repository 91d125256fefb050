/* SPDX-License-Identifier: MIT */
#include "cli/ping/interruption.h"

#include <stddef.h>
#include <time.h>

/* As nohup(1) and shells want it for what runs in the background; a blocked signal would come all
 * the same. */
static bool own_sink_signal_is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void own_sink_signals_block(struct own_sink_signals *i)
{
    const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    i->signal = 0;
    sigemptyset(&i->ours);
    for (size_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++)
        if (!own_sink_signal_is_ignored(ends[n]))
            sigaddset(&i->ours, ends[n]);
    /* A thread of hooklined's parts has found that nothing can be stored any more. */
    sigaddset(&i->ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &i->ours, &i->before);
}

bool own_sink_signals_pending(void *signals)
{
    struct own_sink_signals *i = signals;
    const struct timespec now = {0, 0};
    int came = i->signal == 0 ? sigtimedwait(&i->ours, NULL, &now) : i->signal;

    if (came > 0)
        i->signal = came;
    return i->signal != 0;
}

bool own_sink_signals_consume(struct own_sink_signals *i, int signal)
{
    if (i->signal != signal)
        return false;
    i->signal = 0;
    return true;
}

void own_sink_signals_restore(struct own_sink_signals *i)
{
    if (i->signal != 0) {
        signal(i->signal, SIG_DFL);
        raise(i->signal);
    }
    pthread_sigmask(SIG_SETMASK, &i->before, NULL);
}
