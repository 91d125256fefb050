/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/conf/secret.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/source.h"

struct policy_slot {
    atomic_uint generation; /* written under the mutex, read without it */
    pthread_mutex_t mutex;  /* a leaf lock; guards the members below */
    struct policy *current;
};

static bool policy_open_token(struct policy *policy, const struct config *config, char *why)
{
    size_t len;

    if (config->admin.token == NULL)
        return true;
    len = config_locate(config, "admin/token", why, CONFIG_WHY_SIZE);
    len += (size_t)snprintf(why + len, CONFIG_WHY_SIZE - len, "admin: ");
    if (len >= CONFIG_WHY_SIZE)
        return false;
    policy->token = token_open(config->admin.token, why + len, CONFIG_WHY_SIZE - len);
    return policy->token != NULL;
}

/* Warns about a destination that can take nothing of a source, and about a source that no
 * destination takes. */
static void policy_warn_passed_over(const struct policy *policy, void (*warn)(const char *text))
{
    char text[512];

    for (size_t i = 0; i < sources_count(policy->sources); i++) {
        const struct source *source = sources_at(policy->sources, i);
        const hookline_bytes name = {source->name, strlen(source->name)}, none = {NULL, 0};
        bool taken = policy->destinations->count == 0;

        for (size_t k = 0; k < policy->destinations->count; k++) {
            const struct destination *d = &policy->destinations->at[k];
            enum destination_pass pass = destination_passes(d, name, none);

            taken |= pass == DESTINATION_TAKES ||
                     (pass == DESTINATION_PASSES_NO_TYPE && source->names_type);
            if (pass != DESTINATION_PASSES_NO_TYPE || source->names_type)
                continue;
            snprintf(text, sizeof(text),
                     "destination %s can take nothing of source %s: scheme %s names no type; add "
                     "\"*\" to types, or delete types",
                     d->name, source->name, source->scheme);
            warn(text);
        }
        if (!taken) {
            snprintf(text, sizeof(text),
                     "no destination takes the deliveries of source %s: they are only stored",
                     source->name);
            warn(text);
        }
    }
}

static bool policy_is_locked(const struct policy *policy)
{
    for (size_t i = 0; i < policy->destinations->count; i++) {
        const hookline_verifier *signer = policy->destinations->at[i].signer;

        if (signer != NULL && !secret_is_locked(signer, 1))
            return false;
    }
    return sources_are_locked(policy->sources) &&
           (policy->token == NULL || secret_is_locked(policy->token, 1));
}

static void policy_warn_unlocked(void (*warn)(const char *text))
{
    struct rlimit limit = {0};
    char text[256];

    getrlimit(RLIMIT_MEMLOCK, &limit);
    snprintf(text, sizeof(text),
             "secrets cannot be locked in memory and may reach the swap: RLIMIT_MEMLOCK is %llu "
             "bytes; type LimitMEMLOCK=64M in the unit, ulimit -l 65536 in a shell, or docker run "
             "--ulimit memlock=67108864",
             (unsigned long long)limit.rlim_cur);
    warn(text);
}

static bool policy_copy_health_path(struct policy *policy, const struct config *config, char *why)
{
    if (config->health_path == NULL || (policy->health_path = strdup(config->health_path)) != NULL)
        return true;
    snprintf(why, CONFIG_WHY_SIZE, "out of memory");
    return false;
}

struct policy *policy_open(const struct config *config, void (*warn)(const char *text), char *why)
{
    struct policy *policy = calloc(1, sizeof(*policy));

    if (policy == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return NULL;
    }
    policy->holders = 1;
    policy->limits = config->limits;
    policy->log_body = config->log.body;
    if (policy_copy_health_path(policy, config, why) && policy_open_token(policy, config, why))
        policy->sources = sources_open(config, warn, why);
    if (policy->sources != NULL)
        policy->destinations = destinations_open(config, warn, why);
    if (policy->destinations == NULL) {
        policy_release(&policy);
        return NULL;
    }
    policy_warn_passed_over(policy, warn);
    if (!policy_is_locked(policy))
        policy_warn_unlocked(warn);
    return policy;
}

bool policy_attach_metrics(struct policy *policy, struct metrics *metrics)
{
    return sources_attach_metrics(policy->sources, metrics) &&
           destinations_attach_metrics(policy->destinations, metrics);
}

void policy_inherit_rates(struct policy *policy, const struct policy *before)
{
    sources_inherit_rates(policy->sources, before->sources);
}

struct policy *policy_hold(struct policy *policy)
{
    atomic_fetch_add_explicit(&policy->holders, 1, memory_order_relaxed);
    return policy;
}

void policy_release(struct policy **policy)
{
    struct policy *p = *policy;

    *policy = NULL;
    if (p == NULL || atomic_fetch_sub(&p->holders, 1) > 1)
        return;
    destinations_free(&p->destinations);
    sources_free(&p->sources);
    token_free(&p->token);
    free(p->health_path);
    free(p);
}

struct policy *policy_hold_forwarding(struct policy *policy)
{
    policy->forwarding++;
    return policy_hold(policy);
}

void policy_release_forwarding(struct policy **policy)
{
    if (*policy != NULL)
        (*policy)->forwarding--;
    policy_release(policy);
}

/* No new reference can appear once the snapshot is unpublished. */
bool policy_is_only_forwarding(const struct policy *policy)
{
    return atomic_load(&policy->holders) == policy->forwarding;
}

/* ---- policy slot */

struct policy_slot *policy_slot_new(struct policy *first)
{
    struct policy_slot *slot = calloc(1, sizeof(*slot));

    if (slot == NULL)
        return NULL;
    pthread_mutex_init(&slot->mutex, NULL);
    slot->current = policy_hold(first);
    return slot;
}

void policy_slot_free(struct policy_slot **slot)
{
    if (*slot == NULL)
        return;
    policy_release(&(*slot)->current);
    pthread_mutex_destroy(&(*slot)->mutex);
    free(*slot);
    *slot = NULL;
}

void policy_slot_publish(struct policy_slot *slot, struct policy *policy)
{
    struct policy *old;

    policy_hold(policy);
    pthread_mutex_lock(&slot->mutex);
    old = slot->current;
    slot->current = policy;
    atomic_fetch_add(&slot->generation, 1);
    pthread_mutex_unlock(&slot->mutex);
    policy_release(&old);
}

struct policy *policy_slot_hold(struct policy_slot *slot)
{
    struct policy *policy;

    pthread_mutex_lock(&slot->mutex);
    policy = policy_hold(slot->current);
    pthread_mutex_unlock(&slot->mutex);
    return policy;
}

static void policy_ref_load(struct policy_ref *ref)
{
    pthread_mutex_lock(&ref->slot->mutex);
    ref->policy = policy_hold(ref->slot->current);
    ref->generation = atomic_load(&ref->slot->generation);
    pthread_mutex_unlock(&ref->slot->mutex);
}

void policy_ref_open(struct policy_ref *ref, struct policy_slot *slot)
{
    ref->slot = slot;
    policy_ref_load(ref);
}

void policy_ref_close(struct policy_ref *ref)
{
    policy_release(&ref->policy);
}

bool policy_ref_refresh(struct policy_ref *ref)
{
    struct policy *old = ref->policy;

    if (atomic_load_explicit(&ref->slot->generation, memory_order_acquire) == ref->generation)
        return false;
    policy_ref_load(ref);
    policy_release(&old);
    return true;
}
