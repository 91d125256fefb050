/* SPDX-License-Identifier: MIT
 *
 * destination.h - where deliveries go: each destination with its filter, its secret and its limits.
 *
 * Ownership  Copies what it needs of the config. destinations_free() wipes the secrets.
 * Threads    Immutable after destinations_register(): share it as const.
 */
#ifndef DAEMON_POLICY_DESTINATION_H
#define DAEMON_POLICY_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/http/client.h"

struct config;
struct outbox;

struct destination {
    char *name;
    struct client_target target;
    char **sources;            /* whose deliveries it takes; NULL: all */
    char **types;              /* which of them; NULL: all */
    char **answers;            /* the sources whose senders get its answer; NULL: none */
    hookline_verifier *signer; /* NULL: nothing is signed anew */
    unsigned concurrency;
    bool ordered;
    unsigned *retry_s;
    unsigned retries;
    int64_t number, cursor; /* in the store, see outbox.h */
};

struct destinations {
    size_t count;
    struct destination *at;
};

/* Reads the secrets. `file` is where the config was read, or NULL; `why` has CONFIG_WHY_SIZE bytes.
 * `warn` is called for what is allowed but unwise. NULL, and in `why` what is wrong. */
struct destinations *destinations_open(const struct config *config, void (*warn)(const char *text),
                                       char *why);
void destinations_free(struct destinations **destinations);

/* Learns the numbers under which the store knows them; what is new begins after `newest`. Before
 * the journal starts. SQLite's code. */
int destinations_register(struct destinations *destinations, struct outbox *outbox, int64_t newest);

/* Whether it takes what comes from that source, with that type, which may be absent. */
bool destination_matches(const struct destination *d, hookline_bytes source, hookline_bytes type);

/* Whether the sender of that source gets the answer of this destination. */
bool destination_answers(const struct destination *d, hookline_bytes source);

/* Whether the one of this name is somewhere else now. */
bool destination_url_changed(const struct destination *before, const struct destination *now);

/* Whether both answer for the same sources. */
bool destination_same_answers(const struct destination *a, const struct destination *b);

const struct destination *destinations_find_name(const struct destinations *destinations,
                                                 const char *name); /* or NULL */

/* The one that answers for the source, or NULL. */
const struct destination *destinations_find_answering(const struct destinations *destinations,
                                                      const char *source);

#endif
