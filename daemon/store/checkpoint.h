/* SPDX-License-Identifier: MIT
 *
 * checkpoint.h - a thread that copies the store's write-ahead log (WAL) into the database while the
 * writer continues. A checkpoint takes tens of milliseconds, or minutes if an open reader had
 * blocked copying for hours.
 *
 * Ownership  checkpoint_open() allocates, checkpoint_close() frees.
 * Threads    The writer thread; checkpoint_running_us() any thread; `failed` runs on the checkpoint
 *            thread.
 * Errors     `failed` receives SQLite's code and its text.
 */
#ifndef DAEMON_STORE_CHECKPOINT_H
#define DAEMON_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct checkpoint;

struct checkpoint_options {
    const char *path; /* the store; used until checkpoint_close() */
    void *data;
    void (*failed)(void *data, int code, const char *why);
};

/* Returns NULL with errno; also calls failed() if the store cannot be opened. */
struct checkpoint *checkpoint_open(const struct checkpoint_options *options);
void checkpoint_close(struct checkpoint **checkpoint);

/* Starts a checkpoint unless one is running. */
void checkpoint_begin(struct checkpoint *checkpoint);

/* Returns true once after each checkpoint, with the number of WAL pages copied and synced. SQLite
 * restarts the WAL at its beginning only after the remaining pages are copied, too. */
bool checkpoint_take_done(struct checkpoint *checkpoint, int *copied);

/* Returns the running time of the current checkpoint in microseconds, 0 if none runs. */
int64_t checkpoint_running_us(struct checkpoint *checkpoint);

#endif
