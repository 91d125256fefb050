/* SPDX-License-Identifier: MIT
 *
 * wanted.h - which of a sink's events somebody waits for. Pure.
 */
#ifndef CLI_WANTED_H
#define CLI_WANTED_H

#include <stdbool.h>

#include <cjson/cJSON.h>

enum event_verdict {
    EVENT_STORED = 1 << 0,
    EVENT_DUPLICATE = 1 << 1,
    EVENT_REFUSED = 1 << 2,
    EVENT_FAILED = 1 << 3,
    EVENT_FORWARDED = 1 << 4,
    EVENT_RETRIED = 1 << 5,
    EVENT_PARKED = 1 << 6,
};

/* NULL is whatever it may be. */
struct wait_filter {
    const char *source, *type, *id, *receipt;
    unsigned verdicts; /* of enum event_verdict */
};

/* 0 for a word that is none. */
enum event_verdict event_verdict_read(const char *word);

/* A type with '*' at its end is all that begin like it. What an event does not say is not it. */
bool wait_filter_matches(const struct wait_filter *wanted, const cJSON *event);

#endif
