/* SPDX-License-Identifier: MIT
 *
 * playground.h - endpoints that are ready when the emulator starts: one for each source of a
 * hooklined.yaml, and those of the command line.
 *
 * Ownership  playground_open() makes it, playground_close() releases it. The endpoints are the
 *            ledger's.
 * Threads    One, while there is no loop.
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
    const char *config;            /* of hooklined; NULL: none */
    const char *sink_url;          /* where it listens; NULL: as the configuration says */
    struct option_texts endpoints; /* "PROVIDER=URL", with ",WHERE" if there is a secret already */
    const char *keys;              /* a folder, for secrets that are made */
};

/* What is known of an endpoint from the start. */
struct playground_endpoint {
    char *source, *provider, *id, *url, *scheme;
};

struct playground {
    struct playground_endpoint *endpoints;
    size_t count;
    char *sink;       /* where hooklined answers its administrator; NULL: nobody knows */
    char *sink_token; /* where the token is that it asks for, "@FILE"; NULL if it asks for none */
};

/* Endpoints that the ledger has of an earlier start keep their ids, and are brought up to date.
 * NULL, and in `why` what is wrong. */
struct playground *playground_open(struct emulator *emulator,
                                   const struct playground_options *options,
                                   char why[PLAYGROUND_WHY_SIZE]);
void playground_close(struct playground **playground);

#endif
