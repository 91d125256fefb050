/* SPDX-License-Identifier: MIT */
#include "daemon/health.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/message.h"
#include "daemon/base/systemd.h"
#include "daemon/store/writer.h"

/* ---- watchdog */

/* Sends WATCHDOG=1 while every thread has a recent heartbeat, so that systemd restarts a process
 * with a stuck thread, e.g. one that waits for a hung disk. */

enum {
    LONGEST_WAIT_US = 1000000, /* the heartbeat interval of idle threads */
    SHORTEST_WAIT_US = 10000,
    TURNS = 8, /* health_turn() calls per WatchdogSec= */
    WATCHDOG_MIN_S = 5,
};

static void watchdog_init(struct watchdog *w)
{
    uint64_t us = systemd_watchdog_us();

    *w = (struct watchdog){.timeout_us = us > INT64_MAX ? 0 : (int64_t)us,
                           .fed_us = clock_mono_us()};
    if (us > 0 && us < WATCHDOG_MIN_S * UINT64_C(1000000))
        message_warning("WatchdogSec= is too short, idle threads would look stuck: set %d s or "
                        "more",
                        WATCHDOG_MIN_S);
}

static int64_t watchdog_wait_us(const struct watchdog *w)
{
    int64_t wait_us = w->timeout_us / TURNS;

    if (w->timeout_us == 0 || wait_us > LONGEST_WAIT_US)
        return LONGEST_WAIT_US;
    return wait_us < SHORTEST_WAIT_US ? SHORTEST_WAIT_US : wait_us;
}

static void watchdog_turn(struct watchdog *w, struct heartbeats *heartbeats)
{
    int64_t since_us = clock_mono_us() - w->fed_us;
    const char *missing;

    if (w->timeout_us == 0 || since_us < w->timeout_us / 4)
        return;
    missing = heartbeats_find_silent(heartbeats);
    if (missing == NULL) {
        systemd_notify_watchdog();
        w->fed_us += since_us;
        w->reported = false;
    } else if (!w->reported && since_us > w->timeout_us / 2) {
        message_error("%s has not responded for %" PRId64 " s", missing, since_us / 1000000);
        w->reported = true;
    }
}

/* ---- health */

enum {
    PROBE_MS = 1000,
    COPYING_S = 10,
    CLOSING_S = 40, /* to write the queue and close the store */
};

/* Sends READY=1 after a test write, so that the first senders get no 503. Without systemd no test
 * row is written. */
static void health_become_ready(struct health *h)
{
    if (h->ready || !systemd_wants_notify() || !store_probe_ask(&h->probe, h->writer, PROBE_MS))
        return;
    h->ready = true;
    systemd_notify_ready();
}

static void health_report_status(struct health *h, bool first)
{
    struct writer_stats stats;

    writer_stats(h->writer, &stats);
    if (!first && h->reported_bad == !stats.healthy)
        return;
    h->reported_bad = !stats.healthy;
    if (h->reported_bad)
        systemd_notify_status("cannot store deliveries; senders at %s get 503", h->address);
    else
        systemd_notify_status(
            "receiving at %s%s", h->address,
            h->refused ? "; the new configuration is wrong, the old one stays in force" : "");
}

/* Warns about a slow checkpoint. No sender waits for a checkpoint, and a restarted process would
 * repeat it first, so a slow checkpoint must not trip the watchdog. */
static void health_report_checkpoint(struct health *h)
{
    struct writer_stats stats;
    bool slow;

    writer_stats(h->writer, &stats);
    slow = stats.checkpointing_us > COPYING_S * INT64_C(1000000);
    if (slow && !h->reported_slow)
        message_warning("a checkpoint of the store has run for %d s: the disk is slow or hangs; "
                        "the WAL grows until the checkpoint ends",
                        COPYING_S);
    h->reported_slow = slow;
}

void health_begin(struct health *h, struct writer *writer, struct db *db,
                  struct heartbeats *heartbeats, const char *address)
{
    *h = (struct health){.writer = writer, .heartbeats = heartbeats};
    snprintf(h->address, sizeof(h->address), "%s", address);
    store_probe_init(&h->probe, db);
    watchdog_init(&h->watchdog);
    health_report_status(h, true);
    health_become_ready(h);
}

void health_destroy(struct health *h)
{
    store_probe_destroy(&h->probe);
}

struct timespec health_wait(const struct health *h)
{
    int64_t us = watchdog_wait_us(&h->watchdog);

    return (struct timespec){us / 1000000, us % 1000000 * 1000};
}

void health_turn(struct health *h)
{
    health_become_ready(h);
    health_report_status(h, false);
    health_report_checkpoint(h);
    watchdog_turn(&h->watchdog, h->heartbeats);
}

void health_reloading(struct health *h)
{
    if (h->ready)
        systemd_notify_reloading();
}

/* systemctl(1) reports success after READY=1, so only the status text shows a failed reload. */
void health_reloaded(struct health *h, bool good)
{
    if (h->refused != !good) {
        h->refused = !good;
        health_report_status(h, true);
    }
    if (h->ready)
        systemd_notify_ready();
}

void health_stopping(unsigned shutdown_s)
{
    /* shutdown_seconds apply twice: to senders, then to destinations. */
    systemd_notify_stopping(2 * shutdown_s + CLOSING_S);
    systemd_notify_status("stopping: finishing open requests");
}
