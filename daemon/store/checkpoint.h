/* SPDX-License-Identifier: MIT
 *
 * checkpoint.h - a thread that copies the store's write-ahead log into the database while the
 * journal goes on writing: it takes tens of milliseconds, and minutes after somebody has read the
 * store for hours, who kept the log from being copied.
 *
 * Ownership  checkpoint_open() makes it, checkpoint_close() ends it.
 * Threads    The journal's, but for `failed`, which comes from the checkpoint's own.
 */
#ifndef DAEMON_STORE_CHECKPOINT_H
#define DAEMON_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct checkpoint;

struct checkpoint_options {
    const char *path; /* of the store; used until checkpoint_close() */
    void *data;
    /* SQLite's code, and the text of it. */
    void (*failed)(void *data, int code, const char *why);
};

/* NULL with errno; a store that cannot be opened is told to failed(). */
struct checkpoint *checkpoint_open(const struct checkpoint_options *options);
void checkpoint_close(struct checkpoint **checkpoint);

/* Begins one, if none is under way. */
void checkpoint_begin(struct checkpoint *checkpoint);

/* True once after each; so many pages of the log were copied and synced by then. Only when the rest
 * is copied, too, the log begins anew. */
bool checkpoint_take_done(struct checkpoint *checkpoint, int *copied);

/* How long the one under way has lasted; 0 if none is. On any thread. */
int64_t checkpoint_running_us(struct checkpoint *checkpoint);

#endif
