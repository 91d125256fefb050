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
    struct db *db; /* a connection of the thread's own */
    pthread_t thread;
    pthread_mutex_t mutex; /* a leaf; guards what follows */
    pthread_cond_t changed;
    enum checkpoint_state state;
    int copied;       /* pages of the log, by the last one */
    int64_t begun_us; /* the one under way; 0: none is */
};

static void checkpoint_fail(struct checkpoint *c, int code)
{
    char why[DB_WHY_SIZE];

    db_error_text(c->db, code, why);
    c->options.failed(c->options.data, code, why);
}

/* How many pages of the log are in the database: not all of them while somebody reads what was
 * there before. SQLite syncs them only if nothing was written meanwhile. Else the journal would
 * have to, and with its few pages for all of those that were copied here. */
static int checkpoint_copy_pages(struct checkpoint *c)
{
    sqlite3 *sqlite = db_sqlite(c->db);
    int copied = 0, code;

    code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        checkpoint_fail(c, sqlite3_extended_errcode(sqlite));
    else if ((code = db_sync(c->db)) != SQLITE_OK)
        checkpoint_fail(c, code);
    return copied;
}

static void *checkpoint_run(void *data)
{
    struct checkpoint *c = data;
    int copied;

    pthread_mutex_lock(&c->mutex);
    while (c->state != CHECKPOINT_CLOSING) {
        if (c->state == CHECKPOINT_REQUESTED) {
            c->begun_us = clock_mono_us();
            pthread_mutex_unlock(&c->mutex);
            copied = checkpoint_copy_pages(c);
            pthread_mutex_lock(&c->mutex);
            c->copied = copied;
            c->begun_us = 0;
            if (c->state == CHECKPOINT_REQUESTED)
                c->state = CHECKPOINT_DONE;
        } else {
            pthread_cond_wait(&c->changed, &c->mutex);
        }
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

struct checkpoint *checkpoint_open(const struct checkpoint_options *options)
{
    struct checkpoint *c = calloc(1, sizeof(*c));
    char why[DB_WHY_SIZE];

    if (c == NULL)
        return NULL;
    c->options = *options;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->db = db_open(options->path, DB_READ, why);
    errno = EIO;
    if (c->db == NULL)
        options->failed(options->data, SQLITE_CANTOPEN, why);
    else if ((errno = pthread_create(&c->thread, NULL, checkpoint_run, c)) == 0)
        return c;
    db_close(&c->db);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c);
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

void checkpoint_begin(struct checkpoint *c)
{
    pthread_mutex_lock(&c->mutex);
    if (c->state == CHECKPOINT_IDLE) {
        c->state = CHECKPOINT_REQUESTED;
        pthread_cond_signal(&c->changed);
    }
    pthread_mutex_unlock(&c->mutex);
}

bool checkpoint_take_done(struct checkpoint *c, int *copied)
{
    bool done;

    pthread_mutex_lock(&c->mutex);
    done = c->state == CHECKPOINT_DONE;
    *copied = c->copied;
    if (done)
        c->state = CHECKPOINT_IDLE;
    pthread_mutex_unlock(&c->mutex);
    return done;
}

int64_t checkpoint_running_us(struct checkpoint *c)
{
    int64_t lasts_us;

    pthread_mutex_lock(&c->mutex);
    lasts_us = c->begun_us == 0 ? 0 : clock_mono_us() - c->begun_us;
    pthread_mutex_unlock(&c->mutex);
    return lasts_us;
}
