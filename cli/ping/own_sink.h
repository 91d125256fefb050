/* SPDX-License-Identifier: MIT
 *
 * own_sink.h - a hooklined inside of this process, with one source and a store that is gone at the
 * end: for who has none running.
 *
 * Ownership  own_sink_open() makes it, own_sink_close() ends it and removes its files.
 * Threads    The main thread's; it starts others.
 */
#ifndef CLI_PING_OWN_SINK_H
#define CLI_PING_OWN_SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "cli/outcome.h"

/* ---- the wish that the process ends, taken when it suits: what was made for the time
 * of the process can be removed first.
 *
 * Threads    The main thread's, before others are started: these inherit that they are not
 *            disturbed. */

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

struct own_sink;

struct own_sink_options {
    const char *address; /* ADDRESS:PORT, where the provider delivers to */
    const char *source;
    const char *scheme;
    const char *path; /* NULL: / and the source's name */
    const struct option_secrets *secrets;
};

enum {
    OWN_SINK_WHY_SIZE = 768
};

/* NULL; then in `why` what is wrong and in *outcome how the command ends. */
struct own_sink *own_sink_open(const struct own_sink_options *options, enum outcome *outcome,
                               char why[OWN_SINK_WHY_SIZE]);
void own_sink_close(struct own_sink **sink);

/* Where it answers its administrator, as sink.h takes it. */
const char *own_sink_admin(const struct own_sink *sink);

/* The URL that the endpoint at the provider should have, as far as it can be known from here. */
const char *own_sink_url(const struct own_sink *sink);

/* What it has said last, for when it has found that it can store nothing any more. */
void own_sink_explain(struct own_sink *sink, char *text, size_t size);

#endif
