/* SPDX-License-Identifier: MIT
 *
 * line_queue.h - bounded queue of lines on their way to a file, pipe, socket or terminal; nobody
 * waits for its reader.
 *
 * Lines that a full pipe or disk rejects are kept, up to `max` bytes, and retried. Further lines are
 * dropped and counted, and a line about the loss takes their place.
 *
 * Ownership  line_queue_open() allocates, line_queue_close() frees. Descriptors stay the caller's.
 * Threads    Any, except open and close. Without a regular file the queue has a thread of its own.
 */
#ifndef DAEMON_BASE_LINE_QUEUE_H
#define DAEMON_BASE_LINE_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct line_queue;

enum {
    LINE_QUEUE_LOSS_SIZE = 128
};

struct line_queue_options {
    int fd;
    size_t max; /* bytes to keep */
    /* Writes the line about a loss, including its "\n", and returns its length. */
    size_t (*describe_loss)(char line[LINE_QUEUE_LOSS_SIZE], uint64_t lost);
    /* Instead of write(2) to `fd`, unless NULL: sends the first line. Returns the bytes taken, 0 if
     * there is no room for now, -1 with errno. */
    ssize_t (*send)(void *data, const char *lines, size_t len);
    int (*descriptor)(const void *data); /* of send(), to wait for room; -1: none for now */
    void *data;
};

/* Returns NULL with errno. */
struct line_queue *line_queue_open(const struct line_queue_options *options);

/* Writes the remaining lines, for at most a second. Returns the number of lines not written. */
uint64_t line_queue_close(struct line_queue **queue);

/* Queues a line, including its "\n"; line_queue_flush() writes it. */
void line_queue_post(struct line_queue *queue, const char *line, size_t len);

/* Writes queued lines to a regular file, or wakes the thread for anything else. */
void line_queue_flush(struct line_queue *queue);

/* Writes further lines to `fd`, and an unfinished one once more. Returns the old descriptor. */
int line_queue_redirect(struct line_queue *queue, int fd);

/* Returns the number of lines dropped since line_queue_open(). */
uint64_t line_queue_lost(struct line_queue *queue);

/* Writes queued lines and then this one, as far as there is room: for a signal handler of a process
 * that dies. Async-signal-safe; the queue is unusable afterwards. */
void line_queue_write_last(struct line_queue *queue, const char *line, size_t len);

#endif
