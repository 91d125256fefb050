/* SPDX-License-Identifier: MIT
 *
 * dispatcher.h - what dispatch.h needs: opened, started and stopped.
 *
 * Ownership  dispatcher_open() makes it, dispatcher_close() ends it, when it is stopped.
 * Threads    dispatcher_start() and dispatcher_stop() on the loop, the others on another thread
 *            while there is no loop.
 */
#ifndef CLI_EMULATOR_DISPATCHER_H
#define CLI_EMULATOR_DISPATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/fault.h"

struct courier;
struct dispatcher;
struct loop_calls;
struct ledger;

/* An attempt that is over, for those who watch. */
struct dispatch_log_entry {
    int64_t at_us;                                      /* since 1970 */
    const char *provider, *endpoint, *delivery, *event; /* delivery: NULL if nothing is recorded */
    unsigned attempt; /* from 1 on; that of the one that it repeats, for a duplicate */
    bool duplicate;   /* the very same request, once more */
    int status;
    const char *error; /* NULL if it was answered */
    const struct faults *faults;
};

struct dispatcher_options {
    struct ledger *ledger;
    struct courier *courier;
    void (*note)(void *data, const struct dispatch_log_entry *note); /* on the loop; may be NULL */
    void *data;
};

/* NULL without memory. */
struct dispatcher *dispatcher_open(const struct dispatcher_options *options);
void dispatcher_close(struct dispatcher **dispatcher);

void dispatcher_start(struct dispatcher *dispatcher, struct loop_calls *loop_calls);

/* From now on dispatcher_send() refuses, and nothing is tried again. What is under way still comes back:
 * at once, when the courier is closed after this. */
void dispatcher_stop(struct dispatcher *dispatcher);

#endif
