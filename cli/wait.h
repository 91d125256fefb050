/* SPDX-License-Identifier: MIT
 *
 * wait.h - parts of `hookline wait`: the set of reported deliveries, and the filter of events.
 * Pure.
 *
 * Ownership  A zeroed seq_set is empty; seq_set_free() releases it.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "daemon/base/verdict.h"

/* ---- set of delivery numbers */

struct seq_set {
    int64_t *numbers; /* ascending */
    size_t count, size;
};

bool seq_set_has(const struct seq_set *set, int64_t number);

/* Returns false on ENOMEM. */
bool seq_set_add(struct seq_set *set, int64_t number);

void seq_set_free(struct seq_set *set);

/* ---- filter */

/* NULL matches everything. */
struct wait_filter {
    const char *source, *type, *id, *receipt;
    unsigned verdicts; /* VERDICT_BIT() of each accepted one */
};

/* Returns true if the event matches. A type that ends with '*' matches by prefix. An absent member
 * matches NULL only. */
bool wait_filter_matches(const struct wait_filter *filter, const cJSON *event);

#endif
