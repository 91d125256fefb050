/* SPDX-License-Identifier: MIT
 *
 * ping_lock.h - a lock among all pings of a user on this machine, for providers whose deliveries
 * differ only in arrival time.
 *
 * The lock is the name of an abstract Unix socket, so the kernel releases it when its holder dies.
 * A waiter connects to the holder and sees the connection end.
 *
 * Ownership  ping_lock_take() makes it; ping_lock_release() ends it.
 * Threads    Any.
 */
#ifndef CLI_PING_PING_LOCK_H
#define CLI_PING_PING_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct ping_lock;

enum ping_lock_result {
    PING_LOCK_TAKEN,
    PING_LOCK_BUSY,        /* held by another process until the deadline */
    PING_LOCK_INTERRUPTED, /* `interrupted` returned true */
    PING_LOCK_FAILED,      /* see errno */
};

struct ping_lock_request {
    const char *sink, *source;
    int64_t deadline_us;             /* of clock_mono_us() */
    bool (*interrupted)(void *data); /* polled ten times a second; may be NULL */
    void (*waiting)(void *data);     /* called once before waiting; may be NULL */
    void *data;
};

/* Takes the lock of the sink and source, waiting until the deadline. For PING_LOCK_BUSY, *holder
 * is the pid of the holder if known; else 0. */
enum ping_lock_result ping_lock_take(struct ping_lock **lock,
                                     const struct ping_lock_request *request, int *holder);
void ping_lock_release(struct ping_lock **lock);

#endif
