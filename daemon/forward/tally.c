/* SPDX-License-Identifier: MIT */
#include "daemon/forward/tally.h"

void queue_counters_add(struct queue_counters *counters, const struct outbox_attempt *facts)
{
    counters->took_us += (uint64_t)facts->took_us;
    switch (facts->state) {
    case OUTBOX_DONE:
        counters->forwarded++;
        counters->success_us = facts->at_us + facts->took_us;
        break;
    case OUTBOX_PARKED:
        counters->parked++;
        break;
    case OUTBOX_RETRY:
        counters->retried++;
        break;
    case OUTBOX_WAITING:
        break;
    }
}
