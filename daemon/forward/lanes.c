/* SPDX-License-Identifier: MIT */
#include "daemon/forward/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/policy/destination.h"
#include "daemon/policy/rules.h"

void lanes_init(struct lanes *l)
{
    *l = (struct lanes){.count = 0};
    pthread_mutex_init(&l->mutex, NULL);
}

void lanes_destroy(struct lanes *l)
{
    for (size_t i = 0; i < l->count; i++)
        lane_free(&l->all[i]);
    free(l->all);
    rules_release(&l->rules);
    pthread_mutex_destroy(&l->mutex);
}

/* ---- other rules */

/* Also one that is ending may begin again. */
static struct lane *find_name(const struct lanes *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] != NULL && strcmp(lane_name(l->all[i]), name) == 0)
            return l->all[i];
    return NULL;
}

static bool is_active(struct lanes *l, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active && !found; i++)
        found = strcmp(lane_name(l->all[i]), name) == 0;
    pthread_mutex_unlock(&l->mutex);
    return found;
}

static size_t count_lanes(struct lanes *l)
{
    size_t count;

    pthread_mutex_lock(&l->mutex);
    count = l->count;
    pthread_mutex_unlock(&l->mutex);
    return count;
}

bool lanes_prepare(struct lanes *l, struct rules *rules, struct lanes_change *c)
{
    const struct destinations *destinations = rules->destinations;

    *c = (struct lanes_change){
        .rules = rules,
        .fresh = calloc(destinations->count + 1, sizeof(struct lane *)),
        .all = calloc(destinations->count + count_lanes(l) + 1, sizeof(struct lane *)),
    };
    if (c->fresh == NULL || c->all == NULL)
        return false;
    for (size_t i = 0; i < destinations->count; i++) {
        struct lane_options options = {
            .name = destinations->at[i].name,
            .tools = l->tools,
            .reader = l->reader,
            /* What came meanwhile may have been tried. */
            .newest = l->rules == NULL ? l->newest : INT64_MAX,
        };

        if (!is_active(l, options.name) && (c->fresh[i] = lane_new(&options)) == NULL)
            return false;
    }
    return true;
}

void lanes_cancel(struct lanes_change *c)
{
    for (size_t i = 0; c->fresh != NULL && i < c->rules->destinations->count; i++)
        lane_free(&c->fresh[i]);
    free(c->fresh);
    free(c->all);
    *c = (struct lanes_change){.rules = NULL};
}

/* Out of the old ones, which keep their places until the new ones are there. */
static struct lane *take(struct lanes *l, const char *name)
{
    struct lane *lane = find_name(l, name);

    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] == lane)
            l->all[i] = NULL;
    return lane;
}

/* Under the mutex, since others look at the lanes: nothing here waits. */
static struct lane **replace(struct lanes *l, struct lanes_change *c)
{
    const struct destinations *destinations = c->rules->destinations;
    struct lane **old = l->all;
    size_t count = destinations->count;

    for (size_t i = 0; i < destinations->count; i++) {
        if ((c->all[i] = take(l, destinations->at[i].name)) == NULL) {
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

void lanes_follow(struct lanes *l, struct lanes_change *c)
{
    struct rules *before = l->rules;

    pthread_mutex_lock(&l->mutex);
    c->all = replace(l, c);
    l->rules = rules_hold(c->rules);
    pthread_mutex_unlock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        lane_follow(l->all[i], c->rules, &c->rules->destinations->at[i]);
    for (size_t i = l->active; i < l->count; i++)
        lane_retire(l->all[i]);
    atomic_store(&l->any, l->active > 0);
    atomic_store(&l->settling, l->count > l->active);
    rules_release(&before);
    lanes_cancel(c); /* what was not needed */
}

void lanes_sweep(struct lanes *l)
{
    for (size_t i = l->active; i < l->count;) {
        struct lane *lane = l->all[i];

        if (!lane_has_ended(lane)) {
            i++;
            continue;
        }
        pthread_mutex_lock(&l->mutex);
        l->all[i] = l->all[--l->count];
        pthread_mutex_unlock(&l->mutex);
        lane_free(&lane);
    }
    atomic_store(&l->settling, l->count > l->active);
}

/* ---- the lanes */

struct lane *lanes_find(const struct lanes *l, int64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (lane_destination(l->all[i]) == number)
            return l->all[i];
    return NULL;
}

void lanes_tell(const struct lanes *l, void (*what)(struct lane *lane))
{
    for (size_t i = 0; i < l->count; i++)
        what(l->all[i]);
}

unsigned lanes_sum(const struct lanes *l, unsigned (*of_lane)(const struct lane *lane))
{
    unsigned total = 0;

    for (size_t i = 0; i < l->count; i++)
        total += of_lane(l->all[i]);
    return total;
}

void lanes_kick(struct lanes *l, const char *name)
{
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        if (name == NULL || strcmp(name, lane_name(l->all[i])) == 0)
            lane_kick(l->all[i]);
    pthread_mutex_unlock(&l->mutex);
}

bool lanes_stats(struct lanes *l, size_t n, struct lane_stats *stats)
{
    bool found;

    pthread_mutex_lock(&l->mutex);
    found = n < l->active;
    if (found)
        lane_stats(l->all[n], stats);
    pthread_mutex_unlock(&l->mutex);
    return found;
}

struct rules *lanes_rules(struct lanes *l)
{
    struct rules *rules;

    pthread_mutex_lock(&l->mutex);
    rules = rules_hold(l->rules);
    pthread_mutex_unlock(&l->mutex);
    return rules;
}
