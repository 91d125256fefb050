/* SPDX-License-Identifier: MIT
 *
 * conn_count.h - open connections per host. An IPv6 /64 network counts as one host.
 *
 * A count-min sketch with two rows of 65,536 counters (512 KiB): may over-count, never
 * under-counts. The hash key is random, so an attacker cannot aim at the counters of another host.
 *
 * Threads    Any. All loops share the counters, which are atomics without a lock. Used when a
 *            connection begins or ends, never per request.
 */
#ifndef DAEMON_HTTP_CONN_COUNT_H
#define DAEMON_HTTP_CONN_COUNT_H

#include <stdint.h>

struct conn_count;
struct network_host;

struct conn_count_slot {
    uint32_t counter[2]; /* index in each row */
};

/* Returns NULL on ENOMEM. Call sodium_init() first. */
struct conn_count *conn_count_new(void);
void conn_count_free(struct conn_count **conn_count);

/* Counts a connection of the host and sets *slot. Returns the new count. */
unsigned conn_count_add(struct conn_count *conn_count, const struct network_host *host,
                        struct conn_count_slot *slot);

/* Uncounts a connection that conn_count_add() counted at `slot`. */
void conn_count_remove(struct conn_count *conn_count, const struct conn_count_slot *slot);

#endif
