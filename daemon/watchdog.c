/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <inttypes.h>

#include "clock.h"
#include "notice.h"
#include "pulse.h"
#include "supervisor.h"

enum {
    LONGEST_WAIT_US = 1000000, /* the threads beat so often, if they have nothing to do */
    TURNS = 8,                 /* within the supervisor's patience */
};

void watchdog_init(struct watchdog *w)
{
    *w = (struct watchdog){.patience_us = (int64_t)supervisor_patience_us(),
                           .fed_us = clock_mono_us()};
}

int64_t watchdog_wait_us(const struct watchdog *w)
{
    int64_t wait_us = w->patience_us / TURNS;

    return wait_us == 0 || wait_us > LONGEST_WAIT_US ? LONGEST_WAIT_US : wait_us;
}

void watchdog_turn(struct watchdog *w, struct pulses *pulses)
{
    int64_t since_us = clock_mono_us() - w->fed_us;
    const char *missing;

    if (w->patience_us == 0 || since_us < w->patience_us / 4)
        return;
    missing = pulses_missing(pulses);
    if (missing == NULL) {
        supervisor_alive();
        w->fed_us += since_us;
        w->complained = false;
    } else if (!w->complained && since_us > w->patience_us / 2) {
        notice_error("%s has shown no life for %" PRId64 " s", missing, since_us / 1000000);
        w->complained = true;
    }
}
