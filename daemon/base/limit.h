/* SPDX-License-Identifier: MIT
 *
 * limit.h - limits: request rate, CPU share, log lines, refusals and connections of a host.
 *
 * Threads    struct rate, refusal_limit and conn_count are atomic: share them. struct cpu_share
 *            and struct log_limit have one owner.
 */
#ifndef DAEMON_BASE_LIMIT_H
#define DAEMON_BASE_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- request rate */

/* A leaky bucket (GCRA): its only state is the time at which the next request is due if all came
 * evenly. All loops share it, so the rate is that of the process. */
struct rate {
    int64_t interval_ns;
    int64_t burst_ns; /* how early a request may come */
    _Atomic int64_t due_ns;
};

enum {
    RATE_MAX = 1000000
};

/* `per_second` and `burst` are 1 to RATE_MAX. */
void rate_init(struct rate *rate, unsigned per_second, unsigned burst);

/* Takes over the state of `before` if both have the same limits. */
void rate_carry_over(struct rate *rate, struct rate *before);

/* Returns the time until the next request is admitted; 0: now. */
int64_t rate_wait_us(const struct rate *rate, int64_t now_us);

/* Admits a request and returns 0, or returns the seconds until the next one is admitted. */
unsigned rate_take(struct rate *rate, int64_t now_us);

/* ---- CPU share */

/* Limits optional work to a share of its thread's time: after each run it rests for a multiple of
 * the run's duration. Times are those of clock_mono_us(). */
struct cpu_share {
    int64_t rest_us; /* end of the rest */
};

/* True if the rest is over. */
bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us);

/* Starts a rest of `times` the run's duration, at least 1 ms. */
void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times);

/* ---- log limit */

/* Limits events that anyone can cause, such as log lines, to a number per second. */
struct log_limit {
    int64_t second;
    unsigned passed;  /* in this second */
    uint64_t dropped; /* since the last log_limit_take_dropped() */
};

/* Returns true if the event is within the limit, else counts it as dropped. */
bool log_limit_pass(struct log_limit *limit, unsigned per_second, int64_t now_us);

/* Returns the number of dropped events and resets it. */
static inline uint64_t log_limit_take_dropped(struct log_limit *limit)
{
    uint64_t dropped = limit->dropped;

    limit->dropped = 0;
    return dropped;
}

/* ---- refusal limit */

/* Counts refused requests by host and source in windows of 60 seconds, each from its first refusal.
 * Sources count apart, because a provider with one wrong secret may have the right ones for others.
 * An IPv6 /64 counts as one host, because it belongs to one customer.
 *
 * The table has a fixed size of 1 MiB: 16384 sets of 8 slots. A new host in a full set replaces an
 * expired slot, else the one with the fewest refusals, else the oldest: a flood of new hosts cannot
 * evict the worst offenders. A host is known by a keyed hash; two hosts share a slot with a
 * probability below 1 in 500,000, and the random key makes that impossible to aim at. */
struct refusal_limit;
struct network_host;

enum {
    REFUSAL_LIMIT_MAX = 10000,
    REFUSAL_LIMIT_WINDOW_S = 60,
};

/* Returns NULL on ENOMEM. Pages of unused sets are never touched. Call sodium_init() first. */
struct refusal_limit *refusal_limit_new(int64_t now_us);
void refusal_limit_free(struct refusal_limit **refusal_limit);

/* Counts a refused request. `source` is "" if no source has the path. Times are those of
 * clock_mono_us(). */
void refusal_limit_add(struct refusal_limit *refusal_limit, const struct network_host *host,
                       const char *source, int64_t now_us);

/* Returns the seconds that a host with `refusals` (1 to REFUSAL_LIMIT_MAX) or more in its window
 * must wait; 0: none. Reads one cache line, which only refusals write. */
unsigned refusal_limit_wait_s(const struct refusal_limit *refusal_limit,
                              const struct network_host *host, const char *source,
                              unsigned refusals, int64_t now_us);

/* ---- connection count
 *
 * Counts the open connections of each host. An IPv6 /64 network counts as one host. A count-min sketch with two rows of 65,536 counters (512 KiB): may over-count, never
 * under-counts. The hash key is random, so an attacker cannot aim at the counters of another host.
 * Used when a connection begins or ends, never per request. */

struct conn_count;

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
