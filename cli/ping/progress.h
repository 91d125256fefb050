/* SPDX-License-Identifier: MIT
 *
 * progress.h - follows a stored delivery until its destinations have accepted it: reads it from the
 * sink's store, again after each event about it.
 *
 * Threads    The thread that polls the calls.
 */
#ifndef CLI_PING_PROGRESS_H
#define CLI_PING_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/ping/observed.h"

struct sink;

/* A zeroed struct is the start. */
struct progress {
    int64_t seq; /* of the last query; 0: none */
    int64_t asked_mono;
    bool heard; /* an event about it arrived since then */
};

/* Notes a sink event that is not a verdict. */
void progress_on_event(struct progress *progress, const cJSON *event);

/* Queries the sink for the delivery's destinations if they may have changed. Returns true if it
 * sent a query: the answer comes after all earlier events, so the caller should read those. A
 * delivery that was not stored is queried too, for that reason. */
bool progress_update(struct progress *progress, struct sink *sink, int64_t deadline_mono,
                     struct observed *observed);

/* Returns true if a destination awaits its first attempt or, with `all`, a retry. */
bool progress_is_open(const struct observed *observed, bool all);

/* Flushes the sink's event stream: its answer comes after all earlier events. */
void progress_catch_up(struct sink *sink, int64_t deadline_mono);

/* Looks up the delivery by event id in the sink's store after events were lost, and adds it to
 * the observed events. */
void progress_find_stored(struct sink *sink, struct observed *observed);

#endif
