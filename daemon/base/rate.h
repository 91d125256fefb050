/* SPDX-License-Identifier: MIT
 *
 * rate.h - the hosts of which a source refused requests lately. One that had its number of
 * refusals within a minute, counted from the first of them, is not heard there again before that
 * minute is over; at the other sources it is, since a provider whose secret for one of them is
 * wrong may have the right ones for the others. A network of 64 bits counts as one host of IPv6: it
 * is what one customer has.
 *
 * The memory is fixed, a mebibyte, however many hosts there are. Where a host finds no place, the
 * one in its way with the fewest refusals is forgotten, and of those the one that began first: a
 * flood of new hosts cannot free those that are worst, and nobody pays for the refusals of another.
 * (But for a host that looks like another one, which is less likely than 1 : 500000 even if all
 * places are taken; nobody can aim at that, since the key is random.)
 *
 * Threads    Any. All loops share the counts, or a host would have its number on each of them. A
 *            host is one atomic word, so nothing is locked; who only asks, as for each request,
 *            reads one line of the cache that nobody writes to unless something is refused.
 */
#ifndef DAEMON_BASE_RATE_H
#define DAEMON_BASE_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- how much is taken in a second over time, and how much of it at once. It is one number:
 * when the next would be due if all had come evenly. So who has been quiet for long has no more
 * than a burst saved up, and nothing has to be filled again. Pure.
 *
 * Threads    Any: the number is an atomic that all of them share, so that the rate is that of all
 *            loops together, and nobody waits for anybody. */

struct rate {
    int64_t interval_ns;
    int64_t burst_ns; /* how far before its time one may come */
    _Atomic int64_t due_ns;
};

enum {
    RATE_MAX = 1000000
};

/* 1 to RATE_MAX each. */
void rate_init(struct rate *rate, unsigned per_second, unsigned burst);

/* Goes on where the other one is, if it is the same rate. */
void rate_carry_over(struct rate *rate, struct rate *before);

/* Takes one. 0, or after how many seconds it would be taken; then nothing is. */
unsigned rate_take(struct rate *rate, int64_t now_us);

/* ---- keeps what somebody else can cause to a share of a thread's time: whoever has worked
 * rests for so many times as long. Pure. */

struct cpu_share {
    int64_t rest_us; /* until then */
};

/* Whether it has rested. Times are clock_mono_us()'s. */
bool cpu_share_is_rested(const struct cpu_share *cpu_share, int64_t now_us);

/* It has worked, and rests for `times` as long, a millisecond at least. */
void cpu_share_rest(struct cpu_share *cpu_share, int64_t began_us, int64_t ended_us, int times);

/* ---- how much of what an attacker can cause happens in a second: lines in our log, say.
 * Pure. */

struct log_limit {
    int64_t second;
    unsigned passed;  /* in this second */
    uint64_t dropped; /* since log_limit_take_dropped() was called */
};

/* Whether one more may pass. */
bool log_limit_pass(struct log_limit *t, unsigned per_second, int64_t now_us);

/* How many did not pass since this was asked the last time. */
static inline uint64_t log_limit_take_dropped(struct log_limit *t)
{
    uint64_t dropped = t->dropped;

    t->dropped = 0;
    return dropped;
}

struct network_host;
struct refusal_limit;

enum {
    REFUSAL_LIMIT_MAX = 10000,
    REFUSAL_LIMIT_WINDOW_S = 60,
};

/* NULL without memory; what is not needed of it is never touched. libsodium is initialised before.
 */
struct refusal_limit *refusal_limit_new(int64_t now_us);
void refusal_limit_free(struct refusal_limit **refusal_limit);

/* A request of the host was refused by the source; "": there is none at its path. Times are
 * clock_mono_us()'s. */
void refusal_limit_add(struct refusal_limit *refusal_limit, const struct network_host *host,
                       const char *source, int64_t now_us);

/* After how many seconds a host is heard again that is unheard from so many refusals on, 1 to
 * REFUSAL_LIMIT_MAX; 0: now. */
unsigned refusal_limit_wait_s(const struct refusal_limit *refusal_limit,
                              const struct network_host *host, const char *source,
                              unsigned refusals, int64_t now_us);

#endif
