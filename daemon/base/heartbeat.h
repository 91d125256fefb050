/* SPDX-License-Identifier: MIT
 *
 * heartbeat.h - liveness of threads: each thread beats, one thread looks for silent ones.
 *
 * Ownership  heartbeats_new() allocates a set; heartbeats_free() frees it after the last
 *            heartbeat_end().
 * Threads    heartbeat_begin() and heartbeat_end() on any; heartbeat_beat() on the watched thread;
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

/* Each in its own cache line, to avoid false sharing. */
struct heartbeat {
    _Alignas(HEARTBEAT_CACHE_LINE) _Atomic uint64_t beats;
    struct heartbeats *heartbeats;
    const char *name; /* NULL: unused; guarded by the mutex */
    uint64_t seen;    /* `beats` at the last look; of the watching thread */
};

struct heartbeats *heartbeats_new(void); /* NULL on ENOMEM */
void heartbeats_free(struct heartbeats **heartbeats);

/* Adds a thread to the set. `name` must outlive the heartbeat. Returns NULL if `heartbeats` is NULL
 * or full. */
struct heartbeat *heartbeat_begin(struct heartbeats *heartbeats, const char *name);

/* Both ignore NULL. */
static inline void heartbeat_beat(struct heartbeat *heartbeat)
{
    if (heartbeat != NULL)
        atomic_fetch_add_explicit(&heartbeat->beats, 1, memory_order_relaxed);
}

void heartbeat_end(struct heartbeat *heartbeat);

/* Returns NULL if every thread has beaten since the last call that returned NULL, else the name of
 * a thread that has not. */
const char *heartbeats_find_silent(struct heartbeats *heartbeats);

#endif
