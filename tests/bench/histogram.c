/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <stddef.h>

/* Returns a duration's step: 1 ns wide below 64; above, the top seven bits select it. */
static size_t step_of(int64_t ns)
{
    int shift;
    size_t step;

    if (ns < HISTOGRAM_STEPS)
        return ns < 0 ? 0 : (size_t)ns;
    shift = 57 - __builtin_clzll((uint64_t)ns);
    step = (size_t)shift * HISTOGRAM_STEPS + (size_t)(ns >> shift);
    return step < HISTOGRAM_POWERS * HISTOGRAM_STEPS ? step
                                                     : HISTOGRAM_POWERS * HISTOGRAM_STEPS - 1;
}

/* Returns the longest duration of a step. */
static int64_t end_of(size_t step)
{
    size_t shift = step / HISTOGRAM_STEPS;

    if (shift < 2)
        return (int64_t)step;
    shift--;
    return (int64_t)(((step - shift * HISTOGRAM_STEPS + 1) << shift) - 1);
}

void histogram_add(struct histogram *h, int64_t ns)
{
    h->steps[step_of(ns)]++;
    h->count++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

int64_t histogram_at(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)((double)h->count * share), passed = 0;

    for (size_t step = 0; step < HISTOGRAM_POWERS * HISTOGRAM_STEPS; step++) {
        passed += h->steps[step];
        if (passed > wanted)
            return end_of(step) < h->max_ns ? end_of(step) : h->max_ns;
    }
    return h->max_ns;
}
