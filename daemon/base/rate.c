/* SPDX-License-Identifier: MIT */
#include "daemon/base/rate.h"

static const int64_t rate_second_ns = 1000000000;

void rate_init(struct rate *rate, unsigned per_second, unsigned burst)
{
    rate->interval_ns = rate_second_ns / per_second;
    rate->burst_ns = rate->interval_ns * (burst - 1);
    atomic_init(&rate->due_ns, INT64_MIN);
}

void rate_carry_over(struct rate *rate, struct rate *before)
{
    if (rate->interval_ns == before->interval_ns && rate->burst_ns == before->burst_ns)
        atomic_store(&rate->due_ns, atomic_load(&before->due_ns));
}

unsigned rate_take(struct rate *rate, int64_t now_us)
{
    int64_t now_ns = now_us * 1000;
    int64_t due_ns = atomic_load_explicit(&rate->due_ns, memory_order_relaxed);
    int64_t begin_ns;

    do {
        begin_ns = due_ns > now_ns ? due_ns : now_ns;
        if (begin_ns - now_ns > rate->burst_ns)
            return (unsigned)((begin_ns - now_ns - rate->burst_ns + rate_second_ns - 1) /
                              rate_second_ns);
    } while (!atomic_compare_exchange_weak_explicit(&rate->due_ns, &due_ns,
                                                    begin_ns + rate->interval_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}
