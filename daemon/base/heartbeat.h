/* SPDX-License-Identifier: MIT
 *
 * heartbeat.h - signs of life of the threads, for the one that watches them.
 *
 * Ownership  heartbeats_new() makes a set, heartbeats_free() ends it, when nobody has a pulse of it.
 * Threads    heartbeat_begin() and heartbeat_end() on any; a pulse beats on the thread that it is of;
 *            heartbeats_find_silent() on one.
 */
#ifndef DAEMON_BASE_HEARTBEAT_H
#define DAEMON_BASE_HEARTBEAT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct heartbeats;

enum {
    HEARTBEAT_CACHE_LINE = 64
};

/* One cache line per heartbeat, because every thread writes its own. */
struct heartbeat {
    _Alignas(HEARTBEAT_CACHE_LINE) _Atomic uint64_t beats;
    struct heartbeats *heartbeats;
    const char *name; /* NULL: unused; guarded by the mutex */
    uint64_t seen;    /* used by the watcher only */
};

struct heartbeats *heartbeats_new(void); /* NULL without memory */
void heartbeats_free(struct heartbeats **heartbeats);

/* `name` is kept. NULL if `pulses` is: nobody watches. */
struct heartbeat *heartbeat_begin(struct heartbeats *heartbeats, const char *name);

/* NULL does nothing here. */
static inline void heartbeat_beat(struct heartbeat *heartbeat)
{
    if (heartbeat != NULL)
        atomic_fetch_add_explicit(&heartbeat->beats, 1, memory_order_relaxed);
}

void heartbeat_end(struct heartbeat *heartbeat);

/* NULL if each has beaten since this returned NULL the last time; else the name of one that has
 * not. */
const char *heartbeats_find_silent(struct heartbeats *heartbeats);

#endif
