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

struct own_sink_signals {
    sigset_t ours, before;
    int signal; /* that came; 0: none, or it was dealt with */
};

/* Signals that are ignored stay so. */
void own_sink_signals_block(struct own_sink_signals *signals);

/* Whether somebody wants it to end; waits for nothing. `interruption` is a struct own_sink_signals. */
bool own_sink_signals_pending(void *signals);

/* Whether it is this signal that has come; then it counts as dealt with. */
bool own_sink_signals_consume(struct own_sink_signals *signals, int signal);

/* Ends the process by the signal if one has come, else signals do again what they did before. */
void own_sink_signals_restore(struct own_sink_signals *signals);

#endif
