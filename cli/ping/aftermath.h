/* SPDX-License-Identifier: MIT
 *
 * aftermath.h - what becomes of a delivery that the sink has stored: whether its destinations take
 * it. The sink's store is asked, and asked again when an event says that something has happened.
 *
 * Threads    The one of the set of calls.
 */
#ifndef CLI_PING_AFTERMATH_H
#define CLI_PING_AFTERMATH_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/ping/findings.h"

struct sink;

/* A zeroed one has learnt nothing. */
struct aftermath {
    int64_t seq; /* that was asked for last; 0: none */
    int64_t asked_mono;
    bool heard; /* an event about it since then */
};

/* An event that is none about an arrival. */
void aftermath_hear(struct aftermath *aftermath, const cJSON *event);

/* Asks the sink for what became of the delivery that was seen, if there may be something new, and
 * writes it into the findings' destinations. True if it has asked: of one that is not stored, too,
 * since who has the answer has the events before it. */
bool aftermath_learn(struct aftermath *aftermath, struct sink *sink, int64_t deadline_mono,
                     struct findings *findings);

/* Whether a destination has not been tried yet or, if `all` is so, may still take it by itself. */
bool aftermath_is_open(const struct findings *findings, bool all);

/* Has the sink tell what it had not told yet: who has its answer has the events before it. */
void aftermath_catch_up(struct sink *sink, int64_t deadline_mono);

/* Where events were lost: looks for the event's id in the store, and adds it to the sightings. */
void aftermath_find(struct sink *sink, struct findings *findings);

#endif
