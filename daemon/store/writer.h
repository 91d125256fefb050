/* SPDX-License-Identifier: MIT
 *
 * writer.h - the one thread that writes to the store: whatever is queued becomes one transaction,
 * and nobody is told before the disk has it.
 *
 * It knows tasks, and neither deliveries nor HTTP. A task that fails fails all tasks of its
 * transaction: none of them is in the store then. After a failed fsync nobody knows what is on the
 * disk, so no transaction is tried any more: see journal_options.fatal.
 *
 * Ownership  A task is its submitter's; the journal has it from writer_post() to done().
 * Threads    writer_post() and writer_stats() on any thread; the others on the one that opened.
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
    WRITER_FAILED,  /* nothing of it is in the store */
};

struct writer_task {
    struct writer_task *next; /* the submitter's, then the journal's */
    size_t bytes;             /* what it holds in memory, for the queue's limit */
    /* Inside of the transaction, on the journal's thread: returns SQLite's code. */
    int (*run)(struct writer_task *task);
    /* After the transaction, on the journal's thread, which waits for it: it posts a message, no
     * more. */
    void (*done)(struct writer_task *task, enum writer_outcome outcome);
};

struct writer_options {
    size_t queue_bytes;            /* of all queued tasks; one task alone may be larger */
    struct heartbeats *heartbeats; /* that of its thread is added; may be NULL */
    void *data;                    /* of what follows, all on the journal's thread */
    /* Before the commit of a transaction: what else belongs into it. Returns SQLite's code. */
    int (*before_commit)(void *data);
    /* After each transaction, before its tasks are told. */
    void (*after)(void *data, enum writer_outcome outcome);
    /* A small step of housekeeping, in a transaction of its own between the others: SQLITE_ROW if
     * something was done, SQLITE_DONE if there is nothing to do (it is asked again a second later),
     * or another code of SQLite's. */
    int (*step)(void *data);
    /* A transaction failed, and why; told once until one succeeds. */
    void (*failed)(void *data, const char *why);
    void (*recovered)(void *data);
    /* As above, but nothing will be written any more. */
    void (*fatal)(void *data, const char *why);
};

/* Starts the thread; the store is the journal's until writer_close(). NULL with errno. */
struct writer *writer_open(struct db *db, const struct writer_options *options);

/* Writes what is queued and joins the thread. Call it when nobody submits any more. */
void writer_close(struct writer **writer);

/* False at once if the queue is full or the journal has ended: done() is not called. */
bool writer_post(struct writer *writer, struct writer_task *task);

/* The same for tasks that are linked by `next`, in one piece. Returns the first of those that it
 * does not take, or NULL. */
struct writer_task *writer_post_all(struct writer *writer, struct writer_task *first);

struct writer_stats {
    uint64_t tasks, commits, failed_commits;
    uint64_t commit_us;         /* the sum of what the commits took */
    uint64_t commit_buckets[8]; /* commits that took at most WRITER_BUCKETS_US[i] */
    size_t queued_bytes;
    int64_t checkpointing_us; /* how long the store's log has been copied; 0: it is not */
    bool healthy;             /* the last transaction succeeded */
};

extern const int64_t WRITER_BUCKETS_US[8]; /* the last one is INT64_MAX */

void writer_stats(struct writer *writer, struct writer_stats *stats);

#endif
