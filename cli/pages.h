/* SPDX-License-Identifier: MIT
 *
 * pages.h - lists the stored deliveries of a sink, page by page, newest first.
 *
 * Threads    The thread that polls the sink's calls.
 */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/sink.h"

/* Query of GET /deliveries; NULL and 0 select everything. */
struct pages_filter {
    const char *source, *type, *id, *state, *destination;
    const char *since, *until; /* as written by rfc3339_read_or_ago() */
    int64_t before, after;     /* seqs, both excluded */
};

/* Rows for the struct pages_filter `member` of the command's `type`. */
#define PAGES_OPTIONS(type_, member)                                                               \
    TEXT(0, "source", type_, member.source, "NAME", "select deliveries of this source"),           \
        TEXT(0, "type", type_, member.type, "TYPE",                                                \
             "select this event type; gate.* selects every type that\nbegins with gate."),         \
        TEXT(0, "id", type_, member.id, "ID", "select the event with this id"),                    \
        TEXT(0, "state", type_, member.state, "STATE",                                             \
             "select by state: waiting, retrying, parked or done"),                                \
        TEXT(0, "destination", type_, member.destination, "NAME",                                  \
             "select by the state at this destination only"),                                      \
        TEXT(0, "since", type_, member.since, "TIME",                                              \
             "select deliveries received at or after TIME:\n2026-11-22T04:00:00Z, seconds since "  \
             "1970, or an age:\n90s, 15m, 2h, 7d"),                                                \
        TEXT(0, "until", type_, member.until, "TIME", "select deliveries received before TIME")

enum {
    PAGES_ROWS = 200 /* rows a page */
};

/* Calls `each` for every selected delivery until it returns false, and sets *more in that case. A
 * page may take `patience_s`, all pages together until `deadline_us` of clock_mono_us(). Returns
 * like sink_ask(), but OUTCOME_USAGE if the sink answers 400 to the query. */
enum outcome pages_walk(struct sink *sink, const struct pages_filter *filter, int64_t patience_s,
                        int64_t deadline_us, bool (*each)(void *data, const cJSON *row), void *data,
                        bool *more, char why[SINK_WHY_SIZE]);

#endif
