/* SPDX-License-Identifier: MIT */
#include "daemon/forward/tally.h"

void tally_add(struct tally *tally, const struct outbox_attempt *facts)
{
    tally->took_us += (uint64_t)facts->took_us;
    switch (facts->state) {
    case OUTBOX_DONE:
        tally->forwarded++;
        tally->success_us = facts->at_us + facts->took_us;
        break;
    case OUTBOX_PARKED:
        tally->parked++;
        break;
    case OUTBOX_RETRY:
        tally->retried++;
        break;
    case OUTBOX_WAITING:
        break;
    }
}
