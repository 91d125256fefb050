/* SPDX-License-Identifier: MIT
 *
 * interruption.h - the wish that the process ends, taken when it suits: what was made for the time
 * of the process can be removed first.
 *
 * Threads    The main thread's, before others are started: these inherit that they are not
 *            disturbed.
 */
#ifndef CLI_PING_INTERRUPTION_H
#define CLI_PING_INTERRUPTION_H

#include <signal.h>
#include <stdbool.h>

struct interruption {
    sigset_t ours, before;
    int signal; /* that came; 0: none, or it was dealt with */
};

/* Signals that are ignored stay so. */
void interruption_begin(struct interruption *interruption);

/* Whether somebody wants it to end; waits for nothing. `interruption` is a struct interruption. */
bool interruption_came(void *interruption);

/* Whether it is this signal that has come; then it counts as dealt with. */
bool interruption_take(struct interruption *interruption, int signal);

/* Ends the process by the signal if one has come, else signals do again what they did before. */
void interruption_end(struct interruption *interruption);

#endif
