/* SPDX-License-Identifier: MIT
 *
 * metrics.h - what was received, counted.
 *
 * Ownership  Names are copied; reasons are not: they must live as long as the program.
 * Threads    Any. Every counter is an atomic of its own and nothing waits, so a reader may see one
 *            delivery in some of them and not yet in the others.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>

struct exposition;
struct metrics;

enum metrics_verdict {
    METRICS_STORED,
    METRICS_DUPLICATE,
    METRICS_REFUSED,
    METRICS_FAILED,
};

/* "stored" and so on. */
const char *metrics_verdict_name(enum metrics_verdict verdict);

/* NULL without memory. */
struct metrics *metrics_new(const char *const sources[], size_t count);
void metrics_free(struct metrics **metrics);

struct metrics_delivery {
    size_t source; /* the index of its name; any other number: none has the path */
    enum metrics_verdict verdict;
    const char *reason; /* of what was refused or failed */
    size_t bytes;
    int64_t duration_us;
};

void metrics_count(struct metrics *metrics, const struct metrics_delivery *delivery);

void metrics_write(const struct metrics *metrics, struct exposition *e);

#endif
