/* SPDX-License-Identifier: MIT */
#include "daemon/store/checkpoint.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/store/store.h"

enum state {
    IDLE,
    WANTED,
    DONE,
    CLOSING,
};

struct checkpoint {
    struct checkpoint_options options;
    struct store *store; /* a connection of the thread's own */
    pthread_t thread;
    pthread_mutex_t mutex; /* a leaf; guards what follows */
    pthread_cond_t changed;
    enum state state;
    int copied;       /* pages of the log, by the last one */
    int64_t begun_us; /* the one under way; 0: none is */
};

static void fail(struct checkpoint *c, int code)
{
    char why[STORE_WHY_SIZE];

    store_why(c->store, code, why);
    c->options.failed(c->options.data, code, why);
}

/* How many pages of the log are in the database: not all of them while somebody reads what was
 * there before. SQLite syncs them only if nothing was written meanwhile. Else the journal would
 * have to, and with its few pages for all of those that were copied here. */
static int copy(struct checkpoint *c)
{
    sqlite3 *db = store_db(c->store);
    int copied = 0, code;

    code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        fail(c, sqlite3_extended_errcode(db));
    else if ((code = store_sync(c->store)) != SQLITE_OK)
        fail(c, code);
    return copied;
}

static void *run(void *data)
{
    struct checkpoint *c = data;
    int copied;

    pthread_mutex_lock(&c->mutex);
    while (c->state != CLOSING) {
        if (c->state == WANTED) {
            c->begun_us = clock_mono_us();
            pthread_mutex_unlock(&c->mutex);
            copied = copy(c);
            pthread_mutex_lock(&c->mutex);
            c->copied = copied;
            c->begun_us = 0;
            if (c->state == WANTED)
                c->state = DONE;
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
    char why[STORE_WHY_SIZE];

    if (c == NULL)
        return NULL;
    c->options = *options;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->store = store_open(options->path, STORE_READ, why);
    errno = EIO;
    if (c->store == NULL)
        options->failed(options->data, SQLITE_CANTOPEN, why);
    else if ((errno = pthread_create(&c->thread, NULL, run, c)) == 0)
        return c;
    store_close(&c->store);
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
    c->state = CLOSING;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    store_close(&c->store);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c);
    *checkpoint = NULL;
}

void checkpoint_begin(struct checkpoint *c)
{
    pthread_mutex_lock(&c->mutex);
    if (c->state == IDLE) {
        c->state = WANTED;
        pthread_cond_signal(&c->changed);
    }
    pthread_mutex_unlock(&c->mutex);
}

bool checkpoint_take_done(struct checkpoint *c, int *copied)
{
    bool done;

    pthread_mutex_lock(&c->mutex);
    done = c->state == DONE;
    *copied = c->copied;
    if (done)
        c->state = IDLE;
    pthread_mutex_unlock(&c->mutex);
    return done;
}

int64_t checkpoint_lasts_us(struct checkpoint *c)
{
    int64_t lasts_us;

    pthread_mutex_lock(&c->mutex);
    lasts_us = c->begun_us == 0 ? 0 : clock_mono_us() - c->begun_us;
    pthread_mutex_unlock(&c->mutex);
    return lasts_us;
}
