/* SPDX-License-Identifier: MIT
 *
 * metrics.h - what was received, counted.
 *
 * Ownership  Names are copied; reasons are not: they must live as long as the program. What was
 *            found once stays until metrics_free(), with its numbers: counters never go back.
 * Threads    metrics_source() and metrics_secret() on one; the others on any. Every counter is an
 *            atomic of its own and nothing waits, so a reader may see one delivery in some of them
 *            and not yet in the others.
 */
#ifndef DAEMON_LOG_METRICS_H
#define DAEMON_LOG_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

struct prometheus;
struct metrics;
struct metrics_secret;
struct metrics_source;

/* NULL without memory, as in what follows. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);

/* The counters of the source with that name, and of its secret with that label. */
struct metrics_source *metrics_source(struct metrics *metrics, const char *name);
struct metrics_secret *metrics_secret(struct metrics_source *source, const char *label);

struct metrics_delivery {
    struct metrics_source *source; /* NULL: none has the path */
    struct metrics_secret *secret; /* that gave the signature; NULL: none did */
    enum verdict verdict;          /* of the receiver */
    const char *reason;            /* of what was refused or failed */
    size_t bytes;
    int64_t duration_us;
};

void metrics_count(struct metrics *metrics, const struct metrics_delivery *delivery);

void metrics_write(const struct metrics *metrics, struct prometheus *e);

#endif
