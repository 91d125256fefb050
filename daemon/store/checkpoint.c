/* SPDX-License-Identifier: MIT */
#include "daemon/store/checkpoint.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/store/db.h"

enum checkpoint_state {
    CHECKPOINT_IDLE,
    CHECKPOINT_REQUESTED,
    CHECKPOINT_DONE,
    CHECKPOINT_CLOSING,
};

struct checkpoint {
    struct checkpoint_options options;
    struct db *db; /* the thread's own connection */
    pthread_t thread;
    pthread_mutex_t mutex; /* a leaf lock; guards the members below */
    pthread_cond_t changed;
    enum checkpoint_state state;
    int copied;       /* WAL pages copied by the last checkpoint */
    int64_t begun_us; /* start of the running checkpoint; 0: idle */
};

static void checkpoint_fail(struct checkpoint *checkpoint, int code)
{
    char why[DB_WHY_SIZE];

    db_error_text(checkpoint->db, code, why);
    checkpoint->options.failed(checkpoint->options.data, code, why);
}

/* Copies WAL pages into the database, syncs the file and returns the number of pages copied. An
 * open reader's snapshot limits that number. SQLite syncs only if no commit arrived meanwhile; this
 * sync saves the writer from syncing all these pages when it copies the last few. */
static int checkpoint_copy_pages(struct checkpoint *checkpoint)
{
    sqlite3 *sqlite = db_sqlite(checkpoint->db);
    int copied = 0, code;

    code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        checkpoint_fail(checkpoint, sqlite3_extended_errcode(sqlite));
    else if ((code = db_sync(checkpoint->db)) != SQLITE_OK)
        checkpoint_fail(checkpoint, code);
    return copied;
}

static void *checkpoint_run(void *data)
{
    struct checkpoint *checkpoint = data;
    int copied;

    pthread_mutex_lock(&checkpoint->mutex);
    while (checkpoint->state != CHECKPOINT_CLOSING) {
        if (checkpoint->state == CHECKPOINT_REQUESTED) {
            checkpoint->begun_us = clock_mono_us();
            pthread_mutex_unlock(&checkpoint->mutex);
            copied = checkpoint_copy_pages(checkpoint);
            pthread_mutex_lock(&checkpoint->mutex);
            checkpoint->copied = copied;
            checkpoint->begun_us = 0;
            if (checkpoint->state == CHECKPOINT_REQUESTED)
                checkpoint->state = CHECKPOINT_DONE;
        } else {
            pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
        }
    }
    pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

struct checkpoint *checkpoint_open(const struct checkpoint_options *options)
{
    struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
    char why[DB_WHY_SIZE];

    if (checkpoint == NULL)
        return NULL;
    checkpoint->options = *options;
    pthread_mutex_init(&checkpoint->mutex, NULL);
    pthread_cond_init(&checkpoint->changed, NULL);
    checkpoint->db = db_open(options->path, DB_READ, why);
    errno = EIO;
    if (checkpoint->db == NULL)
        options->failed(options->data, SQLITE_CANTOPEN, why);
    else if ((errno = pthread_create(&checkpoint->thread, NULL, checkpoint_run, checkpoint)) == 0)
        return checkpoint;
    db_close(&checkpoint->db);
    pthread_cond_destroy(&checkpoint->changed);
    pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
    return NULL;
}

void checkpoint_close(struct checkpoint **checkpoint)
{
    struct checkpoint *c = *checkpoint;

    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->state = CHECKPOINT_CLOSING;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    db_close(&c->db);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c);
    *checkpoint = NULL;
}

void checkpoint_begin(struct checkpoint *checkpoint)
{
    pthread_mutex_lock(&checkpoint->mutex);
    if (checkpoint->state == CHECKPOINT_IDLE) {
        checkpoint->state = CHECKPOINT_REQUESTED;
        pthread_cond_signal(&checkpoint->changed);
    }
    pthread_mutex_unlock(&checkpoint->mutex);
}

bool checkpoint_take_done(struct checkpoint *checkpoint, int *copied)
{
    bool done;

    pthread_mutex_lock(&checkpoint->mutex);
    done = checkpoint->state == CHECKPOINT_DONE;
    *copied = checkpoint->copied;
    if (done)
        checkpoint->state = CHECKPOINT_IDLE;
    pthread_mutex_unlock(&checkpoint->mutex);
    return done;
}

int64_t checkpoint_running_us(struct checkpoint *checkpoint)
{
    int64_t lasts_us;

    pthread_mutex_lock(&checkpoint->mutex);
    lasts_us = checkpoint->begun_us == 0 ? 0 : clock_mono_us() - checkpoint->begun_us;
    pthread_mutex_unlock(&checkpoint->mutex);
    return lasts_us;
}
