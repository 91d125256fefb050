/* SPDX-License-Identifier: MIT
 *
 * round_trip.h - triggers a provider's test delivery and watches the sink until it arrives or the
 * time is over.
 *
 * Threads    The thread that polls the calls.
 */
#ifndef CLI_PING_ROUND_TRIP_H
#define CLI_PING_ROUND_TRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/ping/observed.h"

struct client_calls;
struct sink;

struct round_trip {
    struct client_calls *calls;
    struct sink *sink;
    const char *organization; /* NULL: provider has none */
    const char *key;          /* NULL: none needed */
    const char *faults;       /* for the emulator; NULL: none */
    const char *ca_file;      /* NULL: the system's */
    bool same_machine;        /* sink and ping share a clock */
    bool show_progress;
    bool (*interrupted)(void *data); /* polled; true ends the ping early; may be NULL */
    void *data;
};

enum {
    ROUND_TRIP_WHY_SIZE = 768
};

/* Runs one ping. `observed` holds the request and receives the facts; its events are the
 * caller's to free. Any outcome but OUTCOME_GOOD means nothing was triggered; `why` has the
 * reason. */
enum outcome round_trip_run(const struct round_trip *trip, struct observed *observed,
                            char why[ROUND_TRIP_WHY_SIZE]);

#endif
