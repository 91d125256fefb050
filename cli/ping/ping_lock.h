/* SPDX-License-Identifier: MIT
 *
 * ping_lock.h - one at a time, over all processes of a user on this machine: for pings that can tell
 * their delivery only by the time at which it comes.
 *
 * The turn is the name of an abstract Unix socket: the kernel gives it back when its holder ends,
 * however that happens. Who waits is connected to the holder, and hears the connection end.
 *
 * Ownership  ping_lock_take() makes it, ping_lock_release() ends it.
 * Threads    Any.
 */
#ifndef CLI_PING_PING_LOCK_H
#define CLI_PING_PING_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct ping_lock;

enum ping_lock_result {
    PING_LOCK_TAKEN,
    PING_LOCK_BUSY,        /* somebody else had it until the deadline */
    PING_LOCK_INTERRUPTED, /* `interrupted` said so */
    PING_LOCK_FAILED,      /* errno */
};

struct ping_lock_request {
    const char *sink, *source;
    int64_t deadline_us;             /* of clock_mono_us() */
    bool (*interrupted)(void *data); /* asked ten times a second; may be NULL */
    void (*waiting)(void *data);     /* once, if it has to wait; may be NULL */
    void *data;
};

/* *holder is the process that has it, if it is PING_LOCK_BUSY and known; else 0. */
enum ping_lock_result ping_lock_take(struct ping_lock **lock,
                                     const struct ping_lock_request *request, int *holder);
void ping_lock_release(struct ping_lock **lock);

#endif
