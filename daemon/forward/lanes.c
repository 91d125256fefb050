/* SPDX-License-Identifier: MIT */
#include "daemon/forward/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"

void queues_init(struct queues *l)
{
    *l = (struct queues){.count = 0};
    pthread_mutex_init(&l->mutex, NULL);
}

void queues_destroy(struct queues *l)
{
    for (size_t i = 0; i < l->count; i++)
        queue_free(&l->all[i]);
    free(l->all);
    policy_release(&l->policy);
    pthread_mutex_destroy(&l->mutex);
}

/* ---- other rules */

/* Also one that is ending may begin again. */
static struct queue *queues_find_name(const struct queues *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] != NULL && strcmp(queue_name(l->all[i]), name) == 0)
            return l->all[i];
    return NULL;
}

static bool queues_is_active(struct queues *l, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active && !found; i++)
        found = strcmp(queue_name(l->all[i]), name) == 0;
    pthread_mutex_unlock(&l->mutex);
    return found;
}

static size_t queues_count(struct queues *l)
{
    size_t count;

    pthread_mutex_lock(&l->mutex);
    count = l->count;
    pthread_mutex_unlock(&l->mutex);
    return count;
}

bool queues_prepare(struct queues *l, struct policy *policy, struct queues_change *c)
{
    const struct destinations *destinations = policy->destinations;

    *c = (struct queues_change){
        .policy = policy,
        .fresh = calloc(destinations->count + 1, sizeof(struct queue *)),
        .all = calloc(destinations->count + queues_count(l) + 1, sizeof(struct queue *)),
    };
    if (c->fresh == NULL || c->all == NULL)
        return false;
    for (size_t i = 0; i < destinations->count; i++) {
        struct queue_options options = {
            .name = destinations->at[i].name,
            .tools = l->tools,
            .reader = l->reader,
            /* What came meanwhile may have been tried. */
            .newest = l->policy == NULL ? l->newest : INT64_MAX,
        };

        if (!queues_is_active(l, options.name) && (c->fresh[i] = queue_new(&options)) == NULL)
            return false;
    }
    return true;
}

void queues_cancel(struct queues_change *c)
{
    for (size_t i = 0; c->fresh != NULL && i < c->policy->destinations->count; i++)
        queue_free(&c->fresh[i]);
    free(c->fresh);
    free(c->all);
    *c = (struct queues_change){.policy = NULL};
}

/* Out of the old ones, which keep their places until the new ones are there. */
static struct queue *queues_take(struct queues *l, const char *name)
{
    struct queue *queue = queues_find_name(l, name);

    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] == queue)
            l->all[i] = NULL;
    return queue;
}

/* Under the mutex, since others look at the lanes: nothing here waits. */
static struct queue **queues_replace(struct queues *l, struct queues_change *c)
{
    const struct destinations *destinations = c->policy->destinations;
    struct queue **old = l->all;
    size_t count = destinations->count;

    for (size_t i = 0; i < destinations->count; i++) {
        if ((c->all[i] = queues_take(l, destinations->at[i].name)) == NULL) {
            c->all[i] = c->fresh[i];
            c->fresh[i] = NULL;
        }
    }
    for (size_t i = 0; i < l->count; i++)
        if (old[i] != NULL)
            c->all[count++] = old[i];
    l->all = c->all;
    l->active = destinations->count;
    l->count = count;
    return old;
}

void queues_follow(struct queues *l, struct queues_change *c)
{
    struct policy *before = l->policy;

    pthread_mutex_lock(&l->mutex);
    c->all = queues_replace(l, c);
    l->policy = policy_hold(c->policy);
    pthread_mutex_unlock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        queue_follow(l->all[i], c->policy, &c->policy->destinations->at[i]);
    for (size_t i = l->active; i < l->count; i++)
        queue_retire(l->all[i]);
    atomic_store(&l->any, l->active > 0);
    atomic_store(&l->settling, l->count > l->active);
    policy_release(&before);
    queues_cancel(c); /* what was not needed */
}

void queues_sweep(struct queues *l)
{
    for (size_t i = l->active; i < l->count;) {
        struct queue *queue = l->all[i];

        if (!queue_has_ended(queue)) {
            i++;
            continue;
        }
        pthread_mutex_lock(&l->mutex);
        l->all[i] = l->all[--l->count];
        pthread_mutex_unlock(&l->mutex);
        queue_free(&queue);
    }
    atomic_store(&l->settling, l->count > l->active);
}

/* ---- the lanes */

struct queue *queues_find(const struct queues *l, int64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (queue_destination(l->all[i]) == number)
            return l->all[i];
    return NULL;
}

void queues_each(const struct queues *l, void (*what)(struct queue *queue))
{
    for (size_t i = 0; i < l->count; i++)
        what(l->all[i]);
}

unsigned queues_sum(const struct queues *l, unsigned (*of_queue)(const struct queue *queue))
{
    unsigned total = 0;

    for (size_t i = 0; i < l->count; i++)
        total += of_queue(l->all[i]);
    return total;
}

void queues_kick(struct queues *l, const char *name)
{
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        if (name == NULL || strcmp(name, queue_name(l->all[i])) == 0)
            queue_kick(l->all[i]);
    pthread_mutex_unlock(&l->mutex);
}

bool queues_stats(struct queues *l, size_t n, struct queue_stats *stats)
{
    bool found;

    pthread_mutex_lock(&l->mutex);
    found = n < l->active;
    if (found)
        queue_stats(l->all[n], stats);
    pthread_mutex_unlock(&l->mutex);
    return found;
}

struct policy *queues_policy(struct queues *l)
{
    struct policy *policy;

    pthread_mutex_lock(&l->mutex);
    policy = policy_hold(l->policy);
    pthread_mutex_unlock(&l->mutex);
    return policy;
}
