/* SPDX-License-Identifier: MIT */
#include "daemon/base/heartbeat.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    HEARTBEATS_MAX = 512, /* at most 256 loops, and other threads */
};

struct heartbeats {
    struct heartbeat at[HEARTBEATS_MAX];
    pthread_mutex_t mutex; /* no other mutex is locked while it is held */
};

struct heartbeats *heartbeats_new(void)
{
    struct heartbeats *heartbeats = aligned_alloc(HEARTBEAT_CACHE_LINE, sizeof(*heartbeats));

    if (heartbeats == NULL)
        return NULL;
    for (size_t i = 0; i < HEARTBEATS_MAX; i++)
        heartbeats->at[i] = (struct heartbeat){.heartbeats = heartbeats};
    pthread_mutex_init(&heartbeats->mutex, NULL);
    return heartbeats;
}

void heartbeats_free(struct heartbeats **heartbeats)
{
    if (*heartbeats != NULL)
        pthread_mutex_destroy(&(*heartbeats)->mutex);
    free(*heartbeats);
    *heartbeats = NULL;
}

struct heartbeat *heartbeat_begin(struct heartbeats *heartbeats, const char *name)
{
    struct heartbeat *heartbeat = NULL;

    if (heartbeats == NULL)
        return NULL;
    pthread_mutex_lock(&heartbeats->mutex);
    for (size_t i = 0; i < HEARTBEATS_MAX && heartbeat == NULL; i++) {
        if (heartbeats->at[i].name == NULL) {
            heartbeat = &heartbeats->at[i];
            heartbeat->name = name;
            /* A new thread counts as beaten until the second look. */
            heartbeat->seen = atomic_load_explicit(&heartbeat->beats, memory_order_relaxed) - 1;
        }
    }
    pthread_mutex_unlock(&heartbeats->mutex);
    return heartbeat;
}

void heartbeat_end(struct heartbeat *heartbeat)
{
    if (heartbeat == NULL)
        return;
    pthread_mutex_lock(&heartbeat->heartbeats->mutex);
    heartbeat->name = NULL;
    pthread_mutex_unlock(&heartbeat->heartbeats->mutex);
}

static bool heartbeat_has_beaten(const struct heartbeat *heartbeat)
{
    return atomic_load_explicit(&heartbeat->beats, memory_order_relaxed) != heartbeat->seen;
}

const char *heartbeats_find_silent(struct heartbeats *heartbeats)
{
    const char *silent = NULL;

    pthread_mutex_lock(&heartbeats->mutex);
    for (size_t i = 0; i < HEARTBEATS_MAX && silent == NULL; i++)
        if (heartbeats->at[i].name != NULL && !heartbeat_has_beaten(&heartbeats->at[i]))
            silent = heartbeats->at[i].name;
    for (size_t i = 0; silent == NULL && i < HEARTBEATS_MAX; i++)
        heartbeats->at[i].seen =
            atomic_load_explicit(&heartbeats->at[i].beats, memory_order_relaxed);
    pthread_mutex_unlock(&heartbeats->mutex);
    return silent;
}
