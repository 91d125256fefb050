/* SPDX-License-Identifier: MIT
 *
 * destination.h - the configured destinations: target URL, filter, signing secret and limits.
 *
 * Ownership  Copies the config. destinations_free() wipes the secrets.
 * Threads    Immutable after destinations_register(): share as const.
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
    char **sources;            /* accepted sources; NULL: all */
    char **types;              /* accepted types; NULL: all */
    char **answers;            /* sources whose senders get its answer; empty: none */
    hookline_verifier *signer; /* signs outgoing requests; NULL: unsigned */
    char **headers;            /* patterns of the sender's headers to forward; NULL: all */
    char **added;              /* "Name: value" in locked memory, in place of the sender's */
    bool query;                /* forward the sender's query */
    unsigned concurrency;
    unsigned per_second, burst; /* limit of attempts; 0: none */
    bool ordered;
    unsigned *retry_s;
    unsigned retries;
    unsigned *park_statuses;              /* that park a delivery at once; ends with 0 */
    struct metrics_destination *counters; /* set by destinations_attach_metrics() */
    int64_t number, cursor;               /* in the store, see outbox.h */
};

struct metrics_destination;

struct destinations {
    size_t count;
    struct destination *at;
};

/* Reads the secrets. `why` has CONFIG_WHY_SIZE bytes.
 * Calls `warn` for unwise settings. Returns NULL with the reason in `why`. */
struct destinations *destinations_open(const struct config *config, void (*warn)(const char *text),
                                       char *why);
void destinations_free(struct destinations **destinations);

/* Attaches the counters of each destination, before sharing. Returns false on ENOMEM. */
struct metrics;
bool destinations_attach_metrics(struct destinations *destinations, struct metrics *metrics);

/* Returns true if the destination takes every type, also deliveries without one. */
bool destination_takes_all_types(const struct destination *destination);

/* Registers the destinations in the store and reads their numbers and cursors; a new destination
 * starts after `newest`. Call it before the writer starts, or in a task. Returns SQLite's code. */
int destinations_register(struct destinations *destinations, struct outbox *outbox, int64_t newest);

/* Why a destination passes a delivery over. */
enum destination_pass {
    DESTINATION_TAKES,
    DESTINATION_PASSES_SOURCE,  /* not in its sources */
    DESTINATION_PASSES_TYPE,    /* not in its types */
    DESTINATION_PASSES_NO_TYPE, /* it lists types, and the delivery has none */
};

/* A NULL base of `type` means no type, which only the pattern "*" takes. */
enum destination_pass destination_passes(const struct destination *destination,
                                         hookline_bytes source, hookline_bytes type);

/* Returns the stable name of a reason; NULL for DESTINATION_TAKES. */
const char *destination_pass_name(enum destination_pass pass);

/* Returns true if destination_passes() returns DESTINATION_TAKES. */
bool destination_matches(const struct destination *destination, hookline_bytes source,
                         hookline_bytes type);

/* Returns true if a header of that name is among `added`. */
bool destination_adds_header(const struct destination *destination, hookline_bytes name);

/* Returns true if the destination gets the sender's header of that name. Content-Type and
 * Content-Encoding describe the body and always travel with it. */
bool destination_takes_header(const struct destination *destination, hookline_bytes name);

/* Returns true if senders of the source get this destination's answer. */
bool destination_answers(const struct destination *destination, hookline_bytes source);

/* Compares the URLs and sockets of a destination before and after a reload. */
bool destination_moved(const struct destination *before, const struct destination *now);

/* Returns true if both answer for the same sources. */
bool destination_same_answers(const struct destination *a, const struct destination *b);

/* Returns NULL if no destination has the name. */
const struct destination *destinations_find_name(const struct destinations *destinations,
                                                 const char *name);

/* Returns the destination that answers for the source, or NULL. */
const struct destination *destinations_find_answering(const struct destinations *destinations,
                                                      const char *source);

#endif
