/* SPDX-License-Identifier: MIT
 *
 * feed.h - ring buffer of log lines for live watchers (GET /events).
 *
 * A watcher that is slower than the ring loses lines and learns how many. feed_post() never waits for
 * a watcher.
 *
 * Ownership  feed_open() allocates; feed_close() frees, after the last post and the last watcher.
 * Threads    feed_post() and feed_is_watched() on any; the others on the watchers' thread.
 */
#ifndef DAEMON_LOG_FEED_H
#define DAEMON_LOG_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

struct feed;

enum {
    FEED_LINES = 4096,    /* in the ring at most */
    FEED_BYTES = 1 << 20, /* of all lines in the ring */
};

struct feed *feed_open(void); /* NULL with errno */
void feed_close(struct feed **feed);

/* True if a watcher exists, so that a line is worth formatting. Costs one atomic load. */
bool feed_is_watched(const struct feed *feed);

struct feed_line {
    const char *source; /* may be NULL */
    size_t source_len;
    enum verdict verdict;
    const char *text; /* including "\n" */
    size_t len;
};

/* Copies the line for the watchers. A line is lost on ENOMEM, or if it exceeds FEED_BYTES. */
void feed_post(struct feed *feed, const struct feed_line *line);

/* A watcher and its filter: an empty source and VERDICT_NONE match every line. */
struct feed_watcher {
    char source[65];
    enum verdict verdict;
    uint64_t next; /* number of the next line to read */
};

/* Adds a watcher, which reads from the next published line on. */
void feed_watch(struct feed *feed, struct feed_watcher *watcher);
void feed_unwatch(struct feed *feed);

/* Returns the feed's eventfd, readable after a publish. Call feed_clear_signal() before
 * feed_read(). */
int feed_descriptor(const struct feed *feed);
void feed_clear_signal(struct feed *feed);

/* Sets *line to a copy of the next matching line, which the caller frees; NULL if there is none.
 * Adds to *lost the lines that left the ring before the watcher took them. */
void feed_take(struct feed *feed, struct feed_watcher *watcher, char **line, size_t *len,
               uint64_t *lost);

#endif
