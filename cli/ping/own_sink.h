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

#include <stddef.h>

#include "cli/command.h"
#include "cli/outcome.h"

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
