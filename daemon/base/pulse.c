/* SPDX-License-Identifier: MIT */
#include "daemon/base/pulse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    PULSES_MAX = 512, /* the loops are 256 at most */
    CACHE_LINE = 64,
};

/* Each beats in a cache line of its own. */
struct pulse {
    _Alignas(CACHE_LINE) _Atomic uint64_t beats;
    struct pulses *pulses;
    const char *name; /* NULL: nobody's; guarded by the mutex */
    uint64_t seen;    /* the watcher's */
};

struct pulses {
    struct pulse at[PULSES_MAX];
    pthread_mutex_t mutex; /* a leaf */
};

struct pulses *pulses_new(void)
{
    struct pulses *pulses = aligned_alloc(CACHE_LINE, sizeof(*pulses));

    if (pulses == NULL)
        return NULL;
    for (size_t i = 0; i < PULSES_MAX; i++)
        pulses->at[i] = (struct pulse){.pulses = pulses};
    pthread_mutex_init(&pulses->mutex, NULL);
    return pulses;
}

void pulses_free(struct pulses **pulses)
{
    if (*pulses != NULL)
        pthread_mutex_destroy(&(*pulses)->mutex);
    free(*pulses);
    *pulses = NULL;
}

struct pulse *pulse_begin(struct pulses *pulses, const char *name)
{
    struct pulse *pulse = NULL;

    if (pulses == NULL)
        return NULL;
    pthread_mutex_lock(&pulses->mutex);
    for (size_t i = 0; i < PULSES_MAX && pulse == NULL; i++) {
        if (pulses->at[i].name == NULL) {
            pulse = &pulses->at[i];
            pulse->name = name;
            /* It has time until it is looked at for the second time. */
            pulse->seen = atomic_load_explicit(&pulse->beats, memory_order_relaxed) - 1;
        }
    }
    pthread_mutex_unlock(&pulses->mutex);
    return pulse;
}

void pulse_beat(struct pulse *pulse)
{
    if (pulse != NULL)
        atomic_fetch_add_explicit(&pulse->beats, 1, memory_order_relaxed);
}

void pulse_end(struct pulse *pulse)
{
    if (pulse == NULL)
        return;
    pthread_mutex_lock(&pulse->pulses->mutex);
    pulse->name = NULL;
    pthread_mutex_unlock(&pulse->pulses->mutex);
}

static bool has_beaten(const struct pulse *pulse)
{
    return atomic_load_explicit(&pulse->beats, memory_order_relaxed) != pulse->seen;
}

const char *pulses_missing(struct pulses *pulses)
{
    const char *missing = NULL;

    pthread_mutex_lock(&pulses->mutex);
    for (size_t i = 0; i < PULSES_MAX && missing == NULL; i++)
        if (pulses->at[i].name != NULL && !has_beaten(&pulses->at[i]))
            missing = pulses->at[i].name;
    for (size_t i = 0; missing == NULL && i < PULSES_MAX; i++)
        pulses->at[i].seen = atomic_load_explicit(&pulses->at[i].beats, memory_order_relaxed);
    pthread_mutex_unlock(&pulses->mutex);
    return missing;
}
