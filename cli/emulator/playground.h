/* SPDX-License-Identifier: MIT
 *
 * playground.h - endpoints that exist when the emulator starts: one for each source of a
 * hooklined.yaml, and those of --endpoint.
 *
 * Ownership  playground_open() makes it; playground_close() frees it. The ledger holds the
 *            endpoints.
 * Threads    One, before the loop runs.
 */
#ifndef CLI_EMULATOR_PLAYGROUND_H
#define CLI_EMULATOR_PLAYGROUND_H

#include <stddef.h>

#include "cli/command.h"

struct emulator;

enum {
    PLAYGROUND_WHY_SIZE = 1024
};

struct playground_options {
    const char *config;            /* hooklined.yaml; NULL: none */
    const char *sink_url;          /* base URL of hooklined; NULL: from its `listen` */
    struct option_texts endpoints; /* "PROVIDER=URL", or "PROVIDER=URL,WHERE" with a given secret */
    const char *keys;              /* folder for new secrets */
};

/* An endpoint, as announced. */
struct playground_endpoint {
    char *source, *provider, *id, *url, *scheme;
};

struct playground {
    struct playground_endpoint *endpoints;
    size_t count;
    char *sink;       /* hooklined's admin address; NULL: none */
    char *sink_token; /* "@FILE" etc. of its token; NULL: needs none */
};

/* Updates endpoints of an earlier start, which keep their ids. Returns NULL on failure, with the
 * reason in `why`. */
struct playground *playground_open(struct emulator *emulator,
                                   const struct playground_options *options,
                                   char why[PLAYGROUND_WHY_SIZE]);
void playground_close(struct playground **playground);

#endif
