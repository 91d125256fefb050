/* SPDX-License-Identifier: MIT
 *
 * watchdog.h - tells the supervisor that all threads live, for as long as that is so: a process
 * that does nothing any more, waits for a disk, say, that does not answer, is started anew.
 *
 * Threads    One, which is watched by that, too.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct heartbeats;

struct watchdog {
    int64_t patience_us; /* the supervisor's; 0: there is none to tell */
    int64_t fed_us;
    bool reported;
};

void watchdog_init(struct watchdog *watchdog);

/* How long to wait at most until the next turn. */
int64_t watchdog_wait_us(const struct watchdog *watchdog);

void watchdog_turn(struct watchdog *watchdog, struct heartbeats *heartbeats);

#endif
