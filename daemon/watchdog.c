/* SPDX-License-Identifier: MIT */
#include "daemon/watchdog.h"

#include <inttypes.h>

#include "daemon/base/clock.h"
#include "daemon/base/notice.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/systemd.h"

enum {
    LONGEST_WAIT_US = 1000000, /* the threads beat so often, if they have nothing to do */
    SHORTEST_WAIT_US = 10000,
    TURNS = 8, /* within the supervisor's patience */
    PATIENCE_MIN_S = 5,
};

void watchdog_init(struct watchdog *w)
{
    uint64_t us = systemd_watchdog_us();

    *w = (struct watchdog){.patience_us = us > INT64_MAX ? 0 : (int64_t)us,
                           .fed_us = clock_mono_us()};
    if (us > 0 && us < PATIENCE_MIN_S * UINT64_C(1000000))
        message_warning("WatchdogSec= is so short that a thread with nothing to do may look dead: "
                        "expected %d s or more",
                        PATIENCE_MIN_S);
}

int64_t watchdog_wait_us(const struct watchdog *w)
{
    int64_t wait_us = w->patience_us / TURNS;

    if (w->patience_us == 0 || wait_us > LONGEST_WAIT_US)
        return LONGEST_WAIT_US;
    return wait_us < SHORTEST_WAIT_US ? SHORTEST_WAIT_US : wait_us;
}

void watchdog_turn(struct watchdog *w, struct heartbeats *heartbeats)
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
