/* SPDX-License-Identifier: MIT
 *
 * health.h - reports the health of the service to systemd: readiness, status text and watchdog.
 *
 * Ownership  The writer may hold health->probe until store_close(): call health_destroy() later.
 * Threads    One.
 */
#ifndef DAEMON_HEALTH_H
#define DAEMON_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "daemon/base/net.h"
#include "daemon/store/store.h"

struct heartbeats;
struct db;

struct watchdog {
    int64_t timeout_us; /* WatchdogSec= of the unit; 0: no watchdog */
    int64_t fed_us;     /* time of the last WATCHDOG=1 */
    bool reported;      /* a silent thread, since the last WATCHDOG=1 */
};

struct health {
    struct writer *writer;
    struct heartbeats *heartbeats;
    struct store_probe probe;
    struct watchdog watchdog;
    char address[ADDRESS_TEXT_SIZE];
    bool ready;         /* READY=1 was sent */
    bool reported_bad;  /* the status text says that the store fails */
    bool reported_slow; /* the running checkpoint was reported as slow */
    bool refused;       /* the last reload failed */
};

/* Begins reporting once all parts are open. `address` appears in the status text. */
void health_begin(struct health *health, struct writer *writer, struct db *db,
                  struct heartbeats *heartbeats, const char *address);
void health_destroy(struct health *health);

/* Returns the longest time to wait before the next health_turn(). */
struct timespec health_wait(const struct health *health);

/* Reports changes, and feeds the watchdog if all threads have a recent heartbeat. */
void health_turn(struct health *health);

/* Mark the begin and end of a reload; `good` if the new configuration is in force. */
void health_reloading(struct health *health);
void health_reloaded(struct health *health, bool good);

/* Reports the stop, and asks systemd for enough time to stop with this `shutdown_seconds`. */
void health_stopping(unsigned shutdown_s);

#endif
