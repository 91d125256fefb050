/* SPDX-License-Identifier: MIT */
#include "daemon/vigil.h"

#include <stdio.h>

#include "daemon/store/writer.h"
#include "daemon/base/notice.h"
#include "daemon/base/systemd.h"

enum {
    PROBE_MS = 1000,
    COPYING_S = 10,
    CLOSING_S = 40, /* for the rest: what is queued is written, the store is closed */
};

/* What waits for us may send deliveries from now on, and gets no 503 if all is well. Without a
 * supervisor nothing is written that nobody has asked for. */
static void health_become_ready(struct health *v)
{
    if (v->ready || !systemd_wants_notify() || !store_probe_ask(&v->probe, v->writer, PROBE_MS))
        return;
    v->ready = true;
    systemd_notify_ready();
}

static void health_report_status(struct health *v, bool first)
{
    struct writer_stats stats;

    writer_stats(v->writer, &stats);
    if (!first && v->reported_bad == !stats.healthy)
        return;
    v->reported_bad = !stats.healthy;
    if (v->reported_bad)
        systemd_notify_status("cannot store, senders at %s are told to try again", v->address);
    else
        systemd_notify_status("receiving at %s%s", v->address,
                              v->refused ? "; the new configuration is wrong, the one before stays"
                                         : "");
}

/* Nobody waits for that, and a process that was started anew would have to do it before anything
 * else: so it does not belong to what the watchdog bites for. */
static void health_report_checkpoint(struct health *v)
{
    struct writer_stats stats;
    bool slow;

    writer_stats(v->writer, &stats);
    slow = stats.checkpointing_us > COPYING_S * INT64_C(1000000);
    if (slow && !v->reported_slow)
        message_warning("the store's log has been copied into it for %d s: its disk is slow, or "
                        "does not answer; until that is done the log grows",
                        COPYING_S);
    v->reported_slow = slow;
}

void health_begin(struct health *v, struct writer *writer, struct db *db,
                  struct heartbeats *heartbeats, const char *address)
{
    *v = (struct health){.writer = writer, .heartbeats = heartbeats};
    snprintf(v->address, sizeof(v->address), "%s", address);
    store_probe_init(&v->probe, db);
    watchdog_init(&v->watchdog);
    health_report_status(v, true);
    health_become_ready(v);
}

void health_destroy(struct health *v)
{
    store_probe_destroy(&v->probe);
}

struct timespec health_wait(const struct health *v)
{
    int64_t us = watchdog_wait_us(&v->watchdog);

    return (struct timespec){us / 1000000, us % 1000000 * 1000};
}

void health_turn(struct health *v)
{
    health_become_ready(v);
    health_report_status(v, false);
    health_report_checkpoint(v);
    watchdog_turn(&v->watchdog, v->heartbeats);
}

void health_reloading(struct health *v)
{
    if (v->ready)
        systemd_notify_reloading();
}

/* systemctl(1) takes a reload for good once we are ready again: the status is where to say more. */
void health_reloaded(struct health *v, bool good)
{
    if (v->refused != !good) {
        v->refused = !good;
        health_report_status(v, true);
    }
    if (v->ready)
        systemd_notify_ready();
}

void health_stopping(unsigned patience_s)
{
    /* For the senders, and once more for the destinations. */
    systemd_notify_stopping(2 * patience_s + CLOSING_S);
    systemd_notify_status("stopping: what has begun is answered");
}
