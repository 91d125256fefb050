/* SPDX-License-Identifier: MIT
 *
 * policy.h - what a running daemon can be told anew, all of it at once: its sources with their
 * secrets, its destinations, the administrator's token, and limits.
 *
 * Ownership  Counted: whoever keeps rules holds them, and the last one to release them frees them
 *            and wipes the secrets. So what has begun ends under the rules that it began with.
 * Threads    Immutable once they are posted. policy_hold(), policy_release() and policy_slot_publish() on
 *            any thread; a reader belongs to one.
 */
#ifndef DAEMON_POLICY_POLICY_H
#define DAEMON_POLICY_POLICY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/conf/config.h"

struct destinations;
struct metrics;
struct policy_slot;
struct sources;
struct token;

struct policy {
    atomic_uint holders;
    unsigned forwarding; /* of them, those on the forwarder's thread, which counts them */
    struct sources *sources;
    struct destinations *destinations;
    struct token *token; /* the administrator's; NULL: none is configured */
    struct config_limits limits;
    bool log_body; /* write the payload into the log, too */
};

/* Reads the secrets and makes the verifiers; the caller holds it. `file` is where the config was
 * read, or NULL; `why` has CONFIG_WHY_SIZE bytes. `warn` is called for what is allowed but unwise.
 * NULL, and in `why` what is wrong. */
struct policy *policy_open(const struct config *config, void (*warn)(const char *text), char *why);

/* Finds the counters of the sources and of their secrets. Before they are posted. False without
 * memory. */
bool policy_attach_metrics(struct policy *policy, struct metrics *metrics);

/* What the others, which are in force, have taken of a rate that is the same counts for these.
 * Right before they are posted. */
void policy_inherit_rates(struct policy *policy, const struct policy *before);

struct policy *policy_hold(struct policy *policy); /* the same */
void policy_release(struct policy **policy);

/* The same, on the forwarder's thread: it lets go of what nobody else can come to it with. */
struct policy *policy_hold_forwarding(struct policy *policy);
void policy_release_forwarding(struct policy **policy);
bool policy_is_only_forwarding(const struct policy *policy);

/* Where the rules in force hang. NULL without memory. */
struct policy_slot *policy_slot_new(struct policy *first);
void policy_slot_free(struct policy_slot **slot);
struct policy *policy_slot_hold(struct policy_slot *slot); /* those in force, held */
void policy_slot_publish(struct policy_slot *slot, struct policy *policy);

/* Who looks at the board now and then. */
struct policy_ref {
    struct policy_slot *slot;
    struct policy *policy; /* held */
    unsigned generation;
};

void policy_ref_open(struct policy_ref *ref, struct policy_slot *slot);
void policy_ref_close(struct policy_ref *ref);

/* True if there were new ones, which have taken the place of the others. Costs next to nothing if
 * there were none. */
bool policy_ref_refresh(struct policy_ref *ref);

#endif
