/* SPDX-License-Identifier: MIT
 *
 * feed.h - the log's lines for those who watch: each line is there for a while, whoever is slower
 * than that loses it and is told so. Nobody who publishes ever waits for a reader.
 *
 * Ownership  feed_open() allocates; feed_close() frees, after the last post and the last watcher.
 * Threads    feed_post() and feed_is_watched() on any thread, the others on the watchers'.
 */
#ifndef DAEMON_LOG_FEED_H
#define DAEMON_LOG_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

struct feed;

enum {
    FEED_LINES = 4096,    /* kept at most ... */
    FEED_BYTES = 1 << 20, /* ... and no more bytes than that */
};

struct feed *feed_open(void); /* NULL with errno */
void feed_close(struct feed **feed);

/* Costs one load: whether a line is worth being written. */
bool feed_is_watched(const struct feed *feed);

struct feed_line {
    const char *source; /* or NULL */
    size_t source_len;
    enum verdict verdict;
    const char *text; /* with its "\n" */
    size_t len;
};

/* Copies the line. Without memory, or longer than FEED_BYTES, it is lost. */
void feed_post(struct feed *feed, const struct feed_line *line);

/* One who watches. An empty source and VERDICT_NONE let every line pass. */
struct feed_watcher {
    char source[65];
    enum verdict verdict;
    uint64_t next; /* the number of the line to read */
};

/* From the next line on. */
void feed_watch(struct feed *feed, struct feed_watcher *watcher);
void feed_unwatch(struct feed *feed);

/* The feed's own: readable when lines have come. Take that back before they are read. */
int feed_descriptor(const struct feed *feed);
void feed_clear_signal(struct feed *feed);

/* The next line that passes, as a copy in *line that free() releases; NULL for none. Adds to *lost
 * how many lines were gone before the watcher came to read them. */
void feed_take(struct feed *feed, struct feed_watcher *watcher, char **line, size_t *len,
               uint64_t *lost);

#endif
