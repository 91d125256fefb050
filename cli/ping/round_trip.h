/* SPDX-License-Identifier: MIT
 *
 * round_trip.h - has a provider send a test delivery and watches the sink until it has come, or the
 * time is over.
 *
 * Threads    The one of the set of calls.
 */
#ifndef CLI_PING_ROUND_TRIP_H
#define CLI_PING_ROUND_TRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/outcome.h"
#include "cli/ping/observed.h"

struct client_calls;
struct sink;

struct round_trip {
    struct client_calls *calls;
    struct sink *sink;
    const char *organization; /* NULL: the provider has none */
    const char *key;          /* NULL: it asks for none */
    const char *faults;       /* of the emulator's; NULL: none */
    const char *ca_file;      /* NULL: the system's */
    bool same_machine;        /* the sink's clock is ours */
    bool show_progress;
    bool (*interrupted)(void *data); /* asked again and again: true ends it early; may be NULL */
    void *data;
};

enum {
    ROUND_TRIP_WHY_SIZE = 768
};

/* `findings` holds what was asked for, and gets the rest; observed_events_free() is the caller's.
 * Anything else than OUTCOME_GOOD: it did not come to trigger anything, and `why` says so. */
enum outcome round_trip_run(const struct round_trip *trip, struct observed *observed,
                            char why[ROUND_TRIP_WHY_SIZE]);

#endif
