/* SPDX-License-Identifier: MIT
 *
 * policy.h - the reloadable part of the configuration as one snapshot: sources, destinations, admin
 * token and limits. A policy_slot publishes the snapshot in force, a policy_ref follows the slot.
 *
 * Ownership  Reference counted: the last policy_release() frees the policy and wipes its secrets. A
 *            request or attempt keeps the policy it began with.
 * Threads    Immutable once published. policy_hold(), policy_release() and policy_slot_*() any
 *            thread; *_forwarding() the forwarder thread; a policy_ref one thread.
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
    unsigned forwarding; /* holders on the forwarder thread, counted by that thread */
    struct sources *sources;
    struct destinations *destinations;
    struct token *token; /* admin token; NULL: none configured */
    struct config_limits limits;
    char *health_path; /* NULL: none */
    bool log_body;     /* log the payload, too */
};

/* Reads the secrets and creates the verifiers; the caller holds the policy. `why` has CONFIG_WHY_SIZE
 * bytes. Calls `warn` for unwise settings. Returns NULL with the reason in `why`. */
struct policy *policy_open(const struct config *config, void (*warn)(const char *text), char *why);

/* Attaches the counters of sources and secrets, before publishing. Returns false on ENOMEM. */
bool policy_attach_metrics(struct policy *policy, struct metrics *metrics);

/* Carries over the used part of unchanged rate limits. Call it directly before publishing. */
void policy_inherit_rates(struct policy *policy, const struct policy *before);

struct policy *policy_hold(struct policy *policy); /* returns `policy` */
void policy_release(struct policy **policy);

/* Hold and release on the forwarder thread, and test that only this thread holds the policy: then
 * no other thread can submit a sender under this policy. */
struct policy *policy_hold_forwarding(struct policy *policy);
void policy_release_forwarding(struct policy **policy);
bool policy_is_only_forwarding(const struct policy *policy);

/* ---- policy slot */

/* Returns NULL on ENOMEM. */
struct policy_slot *policy_slot_new(struct policy *first);
void policy_slot_free(struct policy_slot **slot);
struct policy *policy_slot_hold(struct policy_slot *slot); /* the current policy, held */
void policy_slot_publish(struct policy_slot *slot, struct policy *policy);

/* ---- policy ref: one thread's subscription to a slot */

struct policy_ref {
    struct policy_slot *slot;
    struct policy *policy; /* held */
    unsigned generation;
};

void policy_ref_open(struct policy_ref *ref, struct policy_slot *slot);
void policy_ref_close(struct policy_ref *ref);

/* Switches to a newly published policy. Returns false, after one atomic load, if none is new. */
bool policy_ref_refresh(struct policy_ref *ref);

#endif
