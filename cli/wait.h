/* SPDX-License-Identifier: MIT
 *
 * told.h - numbers that have been, so that none is told twice. Pure.
 *
 * Ownership  A zeroed struct is empty; seq_set_free() releases what it holds.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* ---- numbers that have been, so that none is told twice. Pure.
 *
 * Ownership  A zeroed struct is empty; seq_set_free() releases what it holds. */

struct seq_set {
    int64_t *numbers; /* ascending */
    size_t count, size;
};

bool seq_set_has(const struct seq_set *told, int64_t number);

/* False without memory. */
bool seq_set_add(struct seq_set *told, int64_t number);

void seq_set_free(struct seq_set *told);

/* ---- which of a sink's events somebody waits for. Pure. */

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
