/* SPDX-License-Identifier: MIT
 *
 * progress.h - what becomes of a delivery that the sink has stored: whether its destinations take
 * it. The sink's store is asked, and asked again when an event says that something has happened.
 *
 * Threads    The one of the set of calls.
 */
#ifndef CLI_PING_PROGRESS_H
#define CLI_PING_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/ping/observed.h"

struct sink;

/* A zeroed one has learnt nothing. */
struct progress {
    int64_t seq; /* that was asked for last; 0: none */
    int64_t asked_mono;
    bool heard; /* an event about it since then */
};

/* An event that is none about an arrival. */
void progress_on_event(struct progress *progress, const cJSON *event);

/* Asks the sink for what became of the delivery that was seen, if there may be something new, and
 * writes it into the findings' destinations. True if it has asked: of one that is not stored, too,
 * since who has the answer has the events before it. */
bool progress_update(struct progress *progress, struct sink *sink, int64_t deadline_mono,
                     struct observed *observed);

/* Whether a destination has not been tried yet or, if `all` is so, may still take it by itself. */
bool progress_is_open(const struct observed *observed, bool all);

/* Has the sink tell what it had not told yet: who has its answer has the events before it. */
void progress_catch_up(struct sink *sink, int64_t deadline_mono);

/* Where events were lost: looks for the event's id in the store, and adds it to the sightings. */
void progress_find_stored(struct sink *sink, struct observed *observed);

#endif
