/* SPDX-License-Identifier: MIT
 *
 * turn.h - one at a time, over all processes of a user on this machine: for pings that can tell
 * their delivery only by the time at which it comes.
 *
 * The turn is the name of an abstract Unix socket: the kernel gives it back when its holder ends,
 * however that happens. Who waits is connected to the holder, and hears the connection end.
 *
 * Ownership  turn_take() makes it, turn_end() ends it.
 * Threads    Any.
 */
#ifndef CLI_PING_TURN_H
#define CLI_PING_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn;

enum turn_result {
    TURN_TAKEN,
    TURN_LATE,        /* somebody else had it until the deadline */
    TURN_INTERRUPTED, /* `interrupted` said so */
    TURN_FAILED,      /* errno */
};

struct turn_wish {
    const char *sink, *source;
    int64_t deadline_us;             /* of clock_mono_us() */
    bool (*interrupted)(void *data); /* asked ten times a second; may be NULL */
    void (*waiting)(void *data);     /* once, if it has to wait; may be NULL */
    void *data;
};

/* *holder is the process that has it, if it is TURN_LATE and known; else 0. */
enum turn_result turn_take(struct turn **turn, const struct turn_wish *wish, int *holder);
void turn_end(struct turn **turn);

#endif
