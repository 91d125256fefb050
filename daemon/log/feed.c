/* SPDX-License-Identifier: MIT */
#include "daemon/log/feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    FEED_TAKE_BATCH = 64 /* lines per lock, so that feed_post() waits briefly */
};

struct feed_entry {
    size_t len;
    enum verdict verdict;
    char source[65];
    char text[];
};

struct feed {
    atomic_uint watchers;
    atomic_bool signalled; /* the eventfd is readable or about to be */
    int fd;
    pthread_mutex_t mutex; /* guards the members below; no other is locked inside */
    struct feed_entry *lines[FEED_LINES];
    uint64_t first, next; /* numbers of the oldest and of the next line */
    size_t bytes;
};

struct feed *feed_open(void)
{
    struct feed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL)
        return NULL;
    if ((feed->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
        free(feed);
        return NULL;
    }
    pthread_mutex_init(&feed->mutex, NULL);
    return feed;
}

static struct feed_entry **feed_slot(struct feed *feed, uint64_t number)
{
    return &feed->lines[number % FEED_LINES];
}

static void feed_drop_oldest(struct feed *feed)
{
    struct feed_entry **oldest = feed_slot(feed, feed->first++);

    if (*oldest != NULL)
        feed->bytes -= (*oldest)->len;
    free(*oldest);
    *oldest = NULL;
}

void feed_close(struct feed **feed)
{
    if (*feed == NULL)
        return;
    while ((*feed)->first < (*feed)->next)
        feed_drop_oldest(*feed);
    pthread_mutex_destroy(&(*feed)->mutex);
    close((*feed)->fd);
    free(*feed);
    *feed = NULL;
}

bool feed_is_watched(const struct feed *feed)
{
    return atomic_load_explicit(&feed->watchers, memory_order_relaxed) > 0;
}

static struct feed_entry *feed_entry_new(const struct feed_line *from)
{
    struct feed_entry *line = from->len > FEED_BYTES ? NULL : malloc(sizeof(*line) + from->len);

    if (line == NULL)
        return NULL;
    line->len = from->len;
    snprintf(line->source, sizeof(line->source), "%.*s", (int)from->source_len,
             from->source == NULL ? "" : from->source);
    line->verdict = from->verdict;
    memcpy(line->text, from->text, from->len);
    return line;
}

static void feed_append(struct feed *feed, struct feed_entry *line)
{
    size_t len = line == NULL ? 0 : line->len;

    while (feed->next - feed->first == FEED_LINES ||
           (feed->first < feed->next && feed->bytes + len > FEED_BYTES))
        feed_drop_oldest(feed);
    /* A NULL slot counts as a lost line. */
    *feed_slot(feed, feed->next++) = line;
    feed->bytes += len;
}

static void feed_signal_watchers(struct feed *feed)
{
    const uint64_t one = 1;

    /* write() fails only if the eventfd is readable already. */
    if (!atomic_exchange(&feed->signalled, true) && write(feed->fd, &one, sizeof(one)) < 0)
        return;
}

void feed_post(struct feed *feed, const struct feed_line *from)
{
    struct feed_entry *line;

    if (!feed_is_watched(feed))
        return;
    line = feed_entry_new(from);
    pthread_mutex_lock(&feed->mutex);
    if (feed_is_watched(feed))
        feed_append(feed, line);
    else
        free(line);
    pthread_mutex_unlock(&feed->mutex);
    feed_signal_watchers(feed);
}

void feed_watch(struct feed *feed, struct feed_watcher *watcher)
{
    pthread_mutex_lock(&feed->mutex);
    watcher->next = feed->next;
    atomic_fetch_add_explicit(&feed->watchers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&feed->mutex);
}

void feed_unwatch(struct feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    if (atomic_fetch_sub_explicit(&feed->watchers, 1, memory_order_relaxed) == 1)
        while (feed->first < feed->next)
            feed_drop_oldest(feed);
    pthread_mutex_unlock(&feed->mutex);
}

int feed_descriptor(const struct feed *feed)
{
    return feed->fd;
}

void feed_clear_signal(struct feed *feed)
{
    uint64_t count;

    if (read(feed->fd, &count, sizeof(count)) < 0)
        return;
    /* Later publishes signal again; earlier lines are already in the ring. */
    atomic_store(&feed->signalled, false);
}

static bool feed_entry_passes(const struct feed_watcher *watcher, const struct feed_entry *line)
{
    return (watcher->source[0] == '\0' || strcmp(watcher->source, line->source) == 0) &&
           (watcher->verdict == VERDICT_NONE || watcher->verdict == line->verdict);
}

/* Takes one batch under the lock. Returns true if lines remain and none matched. */
static bool feed_take_some(struct feed *feed, struct feed_watcher *watcher, char **text,
                           size_t *len, uint64_t *lost)
{
    if (watcher->next < feed->first) {
        *lost += feed->first - watcher->next;
        watcher->next = feed->first;
    }
    for (int i = 0; i < FEED_TAKE_BATCH && watcher->next < feed->next; i++) {
        const struct feed_entry *line = *feed_slot(feed, watcher->next++);

        if (line != NULL && !feed_entry_passes(watcher, line))
            continue;
        if (line != NULL && (*text = malloc(line->len + 1)) != NULL) {
            memcpy(*text, line->text, line->len);
            *len = line->len;
            return false;
        }
        ++*lost;
    }
    return watcher->next < feed->next;
}

void feed_take(struct feed *feed, struct feed_watcher *watcher, char **text, size_t *len,
               uint64_t *lost)
{
    bool more = true;

    *text = NULL;
    while (more) {
        pthread_mutex_lock(&feed->mutex);
        more = feed_take_some(feed, watcher, text, len, lost);
        pthread_mutex_unlock(&feed->mutex);
    }
}
