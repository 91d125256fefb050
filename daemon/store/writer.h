/* SPDX-License-Identifier: MIT
 *
 * writer.h - the one thread that writes to the store, by group commit: all queued tasks become one
 * transaction, and each task is notified after its fsync.
 *
 * The writer knows tasks, not deliveries or HTTP. A failing task fails its whole transaction, except
 * at a damaged page: then each task of the group has a transaction of its own. After
 * a failed fsync the state of the disk is unknown, so the writer stops: see writer_options.fatal.
 * If the files at the store's path are no longer the open ones, the writer fails all tasks and
 * reports it once (writer_stats.displaced), until the process restarts.
 *
 * Ownership  The submitter owns a task; the writer borrows it from writer_post() to done().
 * Threads    writer_post(), writer_post_all() and writer_stats() any thread; the others the
 *            opening thread. Callbacks run on the writer thread, except where noted.
 * Errors     int results of callbacks are SQLite's codes.
 */
#ifndef DAEMON_STORE_WRITER_H
#define DAEMON_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer;
struct writer_task;
struct heartbeats;
struct db;

enum writer_outcome {
    WRITER_DURABLE, /* fsync() has returned */
    WRITER_FAILED,  /* the transaction was rolled back */
};

struct writer_task {
    struct writer_task *next; /* the submitter's, then the writer's */
    size_t bytes;             /* memory held, for the queue's limit */
    /* Runs inside the transaction. */
    int (*run)(struct writer_task *task);
    /* Runs after the transaction; the writer waits, so only post a message here. */
    void (*done)(struct writer_task *task, enum writer_outcome outcome);
};

struct writer_options {
    size_t queue_bytes;            /* limit of all queued tasks; a single task may be larger */
    struct heartbeats *heartbeats; /* the writer adds its own; may be NULL */
    void *data;                    /* for the callbacks below */
    /* Adds rows to a transaction before its commit. */
    int (*before_commit)(void *data);
    /* Runs after each transaction, before done() of its tasks. */
    void (*after)(void *data, enum writer_outcome outcome);
    /* Runs one small step of housekeeping in its own transaction: returns SQLITE_ROW if the step
     * did work, SQLITE_DONE if none is left (the next call follows a second later), or an error. */
    int (*step)(void *data);
    /* Reports the first failure of a series; also on the checkpoint thread. */
    void (*failed)(void *data, const char *why);
    /* Reports the first success after a failure. */
    void (*recovered)(void *data);
    /* Reports once that a task or step failed at a damaged page, while others succeed. */
    void (*damaged)(void *data, const char *why);
    /* Reports a failed fsync: the writer has stopped. Also on the checkpoint thread. */
    void (*fatal)(void *data, const char *why);
};

/* Starts the thread, which uses `db` until writer_close(). Returns NULL with errno. */
struct writer *writer_open(struct db *db, const struct writer_options *options);

/* Writes queued tasks and joins the thread. No thread may submit any more. */
void writer_close(struct writer **writer);

/* Queues a task. Returns false at once, without calling done(), if the queue is full or the writer
 * has stopped. */
bool writer_post(struct writer *writer, struct writer_task *task);

/* Queues a list of tasks linked by `next`. Returns the first rejected task, or NULL. */
struct writer_task *writer_post_all(struct writer *writer, struct writer_task *first);

struct writer_stats {
    uint64_t tasks, commits, failed_commits;
    uint64_t commit_us;         /* total duration of commits */
    uint64_t commit_buckets[8]; /* commits that took at most WRITER_BUCKETS_US[i] */
    size_t queued_bytes;
    int64_t checkpointing_us; /* age of the running checkpoint; 0: none runs */
    bool healthy;             /* the last transaction succeeded */
    bool damaged;             /* a task or step failed at a damaged page */
    const char *displaced;    /* the files at the path are not the open ones; NULL: they are */
};

extern const int64_t WRITER_BUCKETS_US[8]; /* the last one is INT64_MAX */

void writer_stats(struct writer *writer, struct writer_stats *stats);

#endif
