/* SPDX-License-Identifier: MIT
 *
 * conn_count.h - how many connections each host has. A network of 64 bits counts as one host of IPv6.
 *
 * The memory is fixed, half a mebibyte. A host has two counters among many, both shared with others
 * that chance puts there, and has no more connections than the lower one says. So it is never
 * thought to have fewer than it has, and hardly ever more: for that both would have to be shared
 * with a crowd. Nobody can aim at that, since the key is random.
 *
 * Threads    Any. All loops share the counters, which are atomics: nothing is locked. It is only
 *            asked when a connection begins or ends, never for a request.
 */
#ifndef DAEMON_HTTP_CONN_COUNT_H
#define DAEMON_HTTP_CONN_COUNT_H

#include <stdint.h>

struct conn_count;
struct network_host;

struct conn_count_slot {
    uint32_t counter[2]; /* where the host is counted */
};

/* NULL without memory. libsodium is initialised before. */
struct conn_count *conn_count_new(void);
void conn_count_free(struct conn_count **conn_count);

/* One more connection of the host. Returns how many it has now. */
unsigned conn_count_add(struct conn_count *conn_count, const struct network_host *host,
                        struct conn_count_slot *slot);

/* One less, of the host that came in at the place. */
void conn_count_remove(struct conn_count *conn_count, const struct conn_count_slot *slot);

#endif
