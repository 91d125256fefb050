/* SPDX-License-Identifier: MIT
 *
 * tally.h - what became of a lane's attempts, in numbers.
 *
 * Threads    queue_counters_add() on one; the numbers may be read on any.
 */
#ifndef DAEMON_FORWARD_TALLY_H
#define DAEMON_FORWARD_TALLY_H

#include <stdatomic.h>

#include "daemon/store/outbox.h"

struct queue_counters {
    atomic_uint_fast64_t forwarded, retried, parked, took_us;
    atomic_int_fast64_t success_us; /* when the last one was forwarded; 0: not yet */
    atomic_uint sending;            /* the lane's to set, as is ... */
    atomic_bool resting;            /* ... this */
};

void queue_counters_add(struct queue_counters *counters, const struct outbox_attempt *facts);

#endif
