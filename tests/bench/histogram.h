/* SPDX-License-Identifier: MIT
 *
 * histogram.h - histogram of durations with an error of 1.6 %: 64 steps for each power of two.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 64,
    HISTOGRAM_POWERS = 36, /* of nanoseconds: up to an hour */
};

struct histogram {
    uint64_t count;
    int64_t max_ns;
    uint32_t steps[HISTOGRAM_POWERS * HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *histogram, int64_t ns);

/* Returns the duration that a share of all, such as 0.99, does not exceed. */
int64_t histogram_at(const struct histogram *histogram, double share);

#endif
