/* SPDX-License-Identifier: MIT
 *
 * pages.h - walks through what a sink has stored, page after page, newest first.
 */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/sink.h"

/* What GET /deliveries chooses by; NULL and 0 is what is not asked for. */
struct pages_filter {
    const char *source, *type, *id, *state, *destination;
    const char *since, *until; /* as rfc3339_read_or_ago() gives them */
    int64_t before, after;     /* seqs that are not included */
};

/* Rows for the struct pages_filter `member` of the command's `type`. */
#define PAGES_OPTIONS(type_, member)                                                               \
    TEXT(0, "source", type_, member.source, "NAME", "of this source"),                             \
        TEXT(0, "type", type_, member.type, "TYPE",                                                \
             "of this type of event; gate.* is all that begin so"),                                \
        TEXT(0, "id", type_, member.id, "ID", "of this event"),                                    \
        TEXT(0, "state", type_, member.state, "STATE", "waiting, retrying, parked or done"),       \
        TEXT(0, "destination", type_, member.destination, "NAME", "where that state is"),          \
        TEXT(0, "since", type_, member.since, "MOMENT",                                            \
             "received then or later: 2026-11-22T04:00:00Z, seconds\nsince 1970, or 90s, 15m, "    \
             "2h, 7d for so long ago"),                                                            \
        TEXT(0, "until", type_, member.until, "MOMENT", "received before that")

enum {
    PAGES_ROWS = 200 /* of one page */
};

/* Calls `each` for every delivery until it returns false; *more is whether that was so. Every page
 * may take `patience_s`, and all of it as long as `deadline_us` of clock_mono_us(). Else as
 * sink_ask(), but for OUTCOME_USAGE where the sink does not understand what is asked for. */
enum outcome pages_walk(struct sink *sink, const struct pages_filter *filter, int64_t patience_s,
                        int64_t deadline_us, bool (*each)(void *data, const cJSON *row), void *data,
                        bool *more, char why[SINK_WHY_SIZE]);

#endif
