/* SPDX-License-Identifier: MIT */
#include "daemon/vigil.h"

#include <stdio.h>

#include "daemon/store/journal.h"
#include "daemon/base/notice.h"
#include "daemon/base/supervisor.h"

enum {
    PROBE_MS = 1000,
    COPYING_S = 10,
    CLOSING_S = 40, /* for the rest: what is queued is written, the store is closed */
};

/* What waits for us may send deliveries from now on, and gets no 503 if all is well. Without a
 * supervisor nothing is written that nobody has asked for. */
static void become_ready(struct vigil *v)
{
    if (v->ready || !supervisor_listens() || !probe_ask(&v->probe, v->journal, PROBE_MS))
        return;
    v->ready = true;
    supervisor_ready();
}

static void tell_status(struct vigil *v, bool first)
{
    struct journal_stats stats;

    journal_stats(v->journal, &stats);
    if (!first && v->told_bad == !stats.healthy)
        return;
    v->told_bad = !stats.healthy;
    if (v->told_bad)
        supervisor_status("cannot store, senders at %s are told to try again", v->address);
    else
        supervisor_status("receiving at %s%s", v->address,
                          v->refused ? "; the new configuration is wrong, the one before stays"
                                     : "");
}

/* Nobody waits for that, and a process that was started anew would have to do it before anything
 * else: so it does not belong to what the watchdog bites for. */
static void tell_copying(struct vigil *v)
{
    struct journal_stats stats;
    bool slow;

    journal_stats(v->journal, &stats);
    slow = stats.copying_us > COPYING_S * INT64_C(1000000);
    if (slow && !v->told_slow)
        notice_warning("the store's log has been copied into it for %d s: its disk is slow, or "
                       "does not answer; until that is done the log grows",
                       COPYING_S);
    v->told_slow = slow;
}

void vigil_begin(struct vigil *v, struct journal *journal, struct store *store,
                 struct pulses *pulses, const char *address)
{
    *v = (struct vigil){.journal = journal, .pulses = pulses};
    snprintf(v->address, sizeof(v->address), "%s", address);
    probe_init(&v->probe, store);
    watchdog_init(&v->watchdog);
    tell_status(v, true);
    become_ready(v);
}

void vigil_destroy(struct vigil *v)
{
    probe_destroy(&v->probe);
}

struct timespec vigil_wait(const struct vigil *v)
{
    int64_t us = watchdog_wait_us(&v->watchdog);

    return (struct timespec){us / 1000000, us % 1000000 * 1000};
}

void vigil_turn(struct vigil *v)
{
    become_ready(v);
    tell_status(v, false);
    tell_copying(v);
    watchdog_turn(&v->watchdog, v->pulses);
}

void vigil_reloading(struct vigil *v)
{
    if (v->ready)
        supervisor_reloading();
}

/* systemctl(1) takes a reload for good once we are ready again: the status is where to say more. */
void vigil_reloaded(struct vigil *v, bool good)
{
    if (v->refused != !good) {
        v->refused = !good;
        tell_status(v, true);
    }
    if (v->ready)
        supervisor_ready();
}

void vigil_stopping(unsigned patience_s)
{
    /* For the senders, and once more for the destinations. */
    supervisor_stopping(2 * patience_s + CLOSING_S);
    supervisor_status("stopping: what has begun is answered");
}
