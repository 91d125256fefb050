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

struct heartbeat;
struct heartbeats;

struct heartbeats *heartbeats_new(void); /* NULL on ENOMEM */
void heartbeats_free(struct heartbeats **heartbeats);

/* Adds a thread to the set. `name` must outlive the heartbeat. Returns NULL if `heartbeats` is NULL
 * or full. */
struct heartbeat *heartbeat_begin(struct heartbeats *heartbeats, const char *name);

/* Both ignore NULL. */
void heartbeat_beat(struct heartbeat *heartbeat);
void heartbeat_end(struct heartbeat *heartbeat);

/* Returns NULL if every thread has beaten since the last call that returned NULL, else the name of
 * a thread that has not. */
const char *heartbeats_find_silent(struct heartbeats *heartbeats);

#endif
