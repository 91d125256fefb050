/* SPDX-License-Identifier: MIT */
#include "daemon/health.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/process.h"
#include "daemon/base/systemd.h"
#include "daemon/store/writer.h"

/* ---- tells the supervisor that all threads live, for as long as that is so: a process
 * that does nothing any more, waits for a disk, say, that does not answer, is started anew.
 *
 * Threads    One, which is watched by that, too. */

enum {
    LONGEST_WAIT_US = 1000000, /* the threads beat so often, if they have nothing to do */
    SHORTEST_WAIT_US = 10000,
    TURNS = 8, /* within the supervisor's patience */
    PATIENCE_MIN_S = 5,
};

static void watchdog_init(struct watchdog *w)
{
    uint64_t us = systemd_watchdog_us();

    *w = (struct watchdog){.patience_us = us > INT64_MAX ? 0 : (int64_t)us,
                           .fed_us = clock_mono_us()};
    if (us > 0 && us < PATIENCE_MIN_S * UINT64_C(1000000))
        message_warning("WatchdogSec= is so short that a thread with nothing to do may look dead: "
                        "expected %d s or more",
                        PATIENCE_MIN_S);
}

/* How long to wait at most until the next turn. */
static int64_t watchdog_wait_us(const struct watchdog *w)
{
    int64_t wait_us = w->patience_us / TURNS;

    if (w->patience_us == 0 || wait_us > LONGEST_WAIT_US)
        return LONGEST_WAIT_US;
    return wait_us < SHORTEST_WAIT_US ? SHORTEST_WAIT_US : wait_us;
}

static void watchdog_turn(struct watchdog *w, struct heartbeats *heartbeats)
{
    int64_t since_us = clock_mono_us() - w->fed_us;
    const char *missing;

    if (w->patience_us == 0 || since_us < w->patience_us / 4)
        return;
    missing = heartbeats_find_silent(heartbeats);
    if (missing == NULL) {
        systemd_notify_watchdog();
        w->fed_us += since_us;
        w->reported = false;
    } else if (!w->reported && since_us > w->patience_us / 2) {
        message_error("%s has shown no life for %" PRId64 " s", missing, since_us / 1000000);
        w->reported = true;
    }
}

/* ---- vigil */

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
