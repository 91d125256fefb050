/* SPDX-License-Identifier: MIT
 *
 * vigil.h - what the supervisor is told while the service runs: that it is ready, how it fares, and
 * that the threads live without which nothing is received, stored or answered.
 *
 * Ownership  The journal has a part of it until it is closed: vigil_destroy() after that.
 * Threads    One.
 */
#ifndef DAEMON_VIGIL_H
#define DAEMON_VIGIL_H

#include <stdbool.h>
#include <time.h>

#include "daemon/base/address.h"
#include "daemon/store/probe.h"
#include "daemon/watchdog.h"

struct pulses;
struct store;

struct vigil {
    struct journal *journal;
    struct pulses *pulses;
    struct probe probe;
    struct watchdog watchdog;
    char address[ADDRESS_TEXT_SIZE];
    bool ready;     /* and the supervisor knows */
    bool told_bad;  /* that nothing can be stored */
    bool told_slow; /* that the store's log is copied slowly */
    bool refused;   /* the configuration that was read last */
};

/* When everything is open; `address` is what people are told. */
void vigil_begin(struct vigil *vigil, struct journal *journal, struct store *store,
                 struct pulses *pulses, const char *address);
void vigil_destroy(struct vigil *vigil);

/* How long to wait at most until the next turn. */
struct timespec vigil_wait(const struct vigil *vigil);

void vigil_turn(struct vigil *vigil);

/* Around the reading of a new configuration; `good` if it is in force now. */
void vigil_reloading(struct vigil *vigil);
void vigil_reloaded(struct vigil *vigil, bool good);

/* The last turn was that. What has begun is waited for so long. */
void vigil_stopping(unsigned patience_s);

#endif
