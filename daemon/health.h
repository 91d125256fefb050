/* SPDX-License-Identifier: MIT
 *
 * health.h - what the supervisor is told while the service runs: that it is ready, how it fares, and
 * that the threads live without which nothing is received, stored or answered.
 *
 * Ownership  The journal has a part of it until it is closed: health_destroy() after that.
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
    int64_t patience_us; /* the supervisor's; 0: there is none to tell */
    int64_t fed_us;
    bool reported;
};

struct health {
    struct writer *writer;
    struct heartbeats *heartbeats;
    struct store_probe probe;
    struct watchdog watchdog;
    char address[ADDRESS_TEXT_SIZE];
    bool ready;         /* and the supervisor knows */
    bool reported_bad;  /* that nothing can be stored */
    bool reported_slow; /* that the store's log is copied slowly */
    bool refused;       /* the configuration that was read last */
};

/* When everything is open; `address` is what people are told. */
void health_begin(struct health *health, struct writer *writer, struct db *db,
                  struct heartbeats *heartbeats, const char *address);
void health_destroy(struct health *health);

/* How long to wait at most until the next turn. */
struct timespec health_wait(const struct health *health);

void health_turn(struct health *health);

/* Around the reading of a new configuration; `good` if it is in force now. */
void health_reloading(struct health *health);
void health_reloaded(struct health *health, bool good);

/* The last turn was that. What has begun is waited for so long. */
void health_stopping(unsigned patience_s);

#endif
