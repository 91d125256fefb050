/* SPDX-License-Identifier: MIT
 *
 * offenders.h - the hosts of which a source refused requests lately. One that had its number of
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
#ifndef DAEMON_BASE_OFFENDERS_H
#define DAEMON_BASE_OFFENDERS_H

#include <stdint.h>

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
