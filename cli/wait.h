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

#include "daemon/base/verdict.h"

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

/* NULL is whatever it may be. */
struct wait_filter {
    const char *source, *type, *id, *receipt;
    unsigned verdicts; /* a VERDICT_BIT() for each */
};

/* A type with '*' at its end is all that begin like it. What an event does not say is not it. */
bool wait_filter_matches(const struct wait_filter *wanted, const cJSON *event);

#endif
