/* SPDX-License-Identifier: MIT
 *
 * own_sink.h - a hooklined inside this process, with one source and a temporary store, for users
 * without a running one.
 *
 * Ownership  own_sink_open() makes it; own_sink_close() ends it and removes its files.
 * Threads    Main thread; starts others.
 */
#ifndef CLI_PING_OWN_SINK_H
#define CLI_PING_OWN_SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

/* ---- signals */

struct own_sink_signals {
    sigset_t ours, before;
    int signal; /* pending; 0: none, or consumed */
};

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGQUIT, except ignored ones, so that own_sink_close() can
 * remove the files first. Call it before starting threads: they inherit the mask. */
void own_sink_signals_block(struct own_sink_signals *signals);

/* Returns true if a signal is pending; does not block. `signals` is a struct own_sink_signals. */
bool own_sink_signals_pending(void *signals);

/* Returns true and clears the pending signal if it is `signal`. */
bool own_sink_signals_consume(struct own_sink_signals *signals, int signal);

/* Restores the old mask. A pending signal then ends the process. */
void own_sink_signals_restore(struct own_sink_signals *signals);

struct own_sink;

struct own_sink_options {
    const char *address; /* ADDRESS:PORT that the provider delivers to */
    const char *source;
    const char *scheme;
    const char *path; /* NULL: / and the source's name */
    const struct option_secrets *secrets;
};

enum {
    OWN_SINK_WHY_SIZE = 768
};

/* Returns NULL on failure, with the reason in `why` and the command's exit status in *outcome. */
struct own_sink *own_sink_open(const struct own_sink_options *options, enum outcome *outcome,
                               char why[OWN_SINK_WHY_SIZE]);
void own_sink_close(struct own_sink **sink);

/* Admin address, in the syntax of sink.h. */
const char *own_sink_admin(const struct own_sink *sink);

/* URL to configure at the provider. Ignores proxies and NAT in front of this machine. */
const char *own_sink_url(const struct own_sink *sink);

/* Copies hooklined's last message, e.g. after its store has failed. */
void own_sink_explain(struct own_sink *sink, char *text, size_t size);

#endif
