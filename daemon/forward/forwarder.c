/* SPDX-License-Identifier: MIT */
#include "daemon/forward/forwarder.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/mailbox.h"
#include "daemon/forward/attempt.h"
#include "daemon/http/client.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"
#include "daemon/store/outbox.h"

/* ---- the lanes of the destinations that are in force, and of those that are none any more as
 * long as something of theirs is under way.
 *
 * Ownership  queues_init() begins with none, queues_destroy() frees them.
 * Threads    queues_prepare() and queues_cancel() on one, which is the only one to have them changed;
 *            queues_kick(), queues_stats() and queues_policy() on any; the others on the forwarder's. */

struct attempt_tools;
struct policy;

struct queues {
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest;        /* for the first ones, see lane.h */
    pthread_mutex_t mutex; /* held by others, and by the thread while it changes what follows */
    struct policy *policy; /* held */
    struct queue **all;    /* one for each destination, in the same order; then those that end */
    size_t active, count;
    atomic_bool any;      /* is active */
    atomic_bool settling; /* there are some that end */
};

/* What other rules will need. */
struct queues_change {
    struct policy *policy;
    struct queue **fresh; /* for destinations that have none; NULL where there is one */
    struct queue **all;   /* room for them, and for those that end */
};

struct queue *queues_find(const struct queues *queues,
                          int64_t number); /* of a destination; or NULL */

/* ---- on any thread */

void queues_kick(struct queues *queues, const char *name); /* NULL: all */

struct policy *queues_policy(struct queues *queues); /* held for the caller */

static void queues_init(struct queues *l)
{
    *l = (struct queues){.count = 0};
    pthread_mutex_init(&l->mutex, NULL);
}

static void queues_destroy(struct queues *l)
{
    for (size_t i = 0; i < l->count; i++)
        queue_free(&l->all[i]);
    free(l->all);
    policy_release(&l->policy);
    pthread_mutex_destroy(&l->mutex);
}

/* ---- other rules */

/* Also one that is ending may begin again. */
static struct queue *queues_find_name(const struct queues *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] != NULL && strcmp(queue_name(l->all[i]), name) == 0)
            return l->all[i];
    return NULL;
}

static bool queues_is_active(struct queues *l, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active && !found; i++)
        found = strcmp(queue_name(l->all[i]), name) == 0;
    pthread_mutex_unlock(&l->mutex);
    return found;
}

static size_t queues_count(struct queues *l)
{
    size_t count;

    pthread_mutex_lock(&l->mutex);
    count = l->count;
    pthread_mutex_unlock(&l->mutex);
    return count;
}

/* False without memory; to be cancelled then, too. */
static bool queues_prepare(struct queues *l, struct policy *policy, struct queues_change *c)
{
    const struct destinations *destinations = policy->destinations;

    *c = (struct queues_change){
        .policy = policy,
        .fresh = calloc(destinations->count + 1, sizeof(struct queue *)),
        .all = calloc(destinations->count + queues_count(l) + 1, sizeof(struct queue *)),
    };
    if (c->fresh == NULL || c->all == NULL)
        return false;
    for (size_t i = 0; i < destinations->count; i++) {
        struct queue_options options = {
            .name = destinations->at[i].name,
            .tools = l->tools,
            .reader = l->reader,
            /* What came meanwhile may have been tried. */
            .newest = l->policy == NULL ? l->newest : INT64_MAX,
        };

        if (!queues_is_active(l, options.name) && (c->fresh[i] = queue_new(&options)) == NULL)
            return false;
    }
    return true;
}

static void queues_cancel(struct queues_change *c)
{
    for (size_t i = 0; c->fresh != NULL && i < c->policy->destinations->count; i++)
        queue_free(&c->fresh[i]);
    free(c->fresh);
    free(c->all);
    *c = (struct queues_change){.policy = NULL};
}

/* Out of the old ones, which keep their places until the new ones are there. */
static struct queue *queues_take(struct queues *l, const char *name)
{
    struct queue *queue = queues_find_name(l, name);

    for (size_t i = 0; i < l->count; i++)
        if (l->all[i] == queue)
            l->all[i] = NULL;
    return queue;
}

/* Under the mutex, since others look at the lanes: nothing here waits. */
static struct queue **queues_replace(struct queues *l, struct queues_change *c)
{
    const struct destinations *destinations = c->policy->destinations;
    struct queue **old = l->all;
    size_t count = destinations->count;

    for (size_t i = 0; i < destinations->count; i++) {
        if ((c->all[i] = queues_take(l, destinations->at[i].name)) == NULL) {
            c->all[i] = c->fresh[i];
            c->fresh[i] = NULL;
        }
    }
    for (size_t i = 0; i < l->count; i++)
        if (old[i] != NULL)
            c->all[count++] = old[i];
    l->all = c->all;
    l->active = destinations->count;
    l->count = count;
    return old;
}

/* From now on the lanes are those of the rules, which have been enrolled meanwhile. */
static void queues_follow(struct queues *l, struct queues_change *c)
{
    struct policy *before = l->policy;

    pthread_mutex_lock(&l->mutex);
    c->all = queues_replace(l, c);
    l->policy = policy_hold(c->policy);
    pthread_mutex_unlock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        queue_follow(l->all[i], c->policy, &c->policy->destinations->at[i]);
    for (size_t i = l->active; i < l->count; i++)
        queue_retire(l->all[i]);
    atomic_store(&l->any, l->active > 0);
    atomic_store(&l->settling, l->count > l->active);
    policy_release(&before);
    queues_cancel(c); /* what was not needed */
}

/* Lets go of those that have ended. */
static void queues_sweep(struct queues *l)
{
    for (size_t i = l->active; i < l->count;) {
        struct queue *queue = l->all[i];

        if (!queue_has_ended(queue)) {
            i++;
            continue;
        }
        pthread_mutex_lock(&l->mutex);
        l->all[i] = l->all[--l->count];
        pthread_mutex_unlock(&l->mutex);
        queue_free(&queue);
    }
    atomic_store(&l->settling, l->count > l->active);
}

/* ---- the lanes */

struct queue *queues_find(const struct queues *l, int64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (queue_destination(l->all[i]) == number)
            return l->all[i];
    return NULL;
}

static void queues_each(const struct queues *l, void (*what)(struct queue *queue))
{
    for (size_t i = 0; i < l->count; i++)
        what(l->all[i]);
}

static unsigned queues_sum(const struct queues *l, unsigned (*of_queue)(const struct queue *queue))
{
    unsigned total = 0;

    for (size_t i = 0; i < l->count; i++)
        total += of_queue(l->all[i]);
    return total;
}

void queues_kick(struct queues *l, const char *name)
{
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->active; i++)
        if (name == NULL || strcmp(name, queue_name(l->all[i])) == 0)
            queue_kick(l->all[i]);
    pthread_mutex_unlock(&l->mutex);
}

/* Of the n-th that is in force; false if there are fewer. */
static bool queues_stats(struct queues *l, size_t n, struct queue_stats *stats)
{
    bool found;

    pthread_mutex_lock(&l->mutex);
    found = n < l->active;
    if (found)
        queue_stats(l->all[n], stats);
    pthread_mutex_unlock(&l->mutex);
    return found;
}

struct policy *queues_policy(struct queues *l)
{
    struct policy *policy;

    pthread_mutex_lock(&l->mutex);
    policy = policy_hold(l->policy);
    pthread_mutex_unlock(&l->mutex);
    return policy;
}

/* ---- forwarder */

enum {
    LONGEST_WAIT_MS = 1000, /* to show that it lives */
};

struct forwarder {
    struct forwarder_options options;
    struct db *db;
    struct outbox *reader;
    struct client_calls *calls;
    struct mailbox mailbox;
    struct attempt_tools tools;
    struct queues queues;
    struct heartbeat *heartbeat;
    pthread_t thread;
    bool started;
    atomic_bool awake; /* or about to be */
    atomic_bool stop;
    _Atomic int64_t stop_by_us;
    bool reported; /* the thread's own */
};

void forwarder_wake(struct forwarder *f)
{
    if (!atomic_exchange(&f->awake, true))
        client_calls_wake(f->calls);
}

static void forwarder_on_mail(void *data)
{
    forwarder_wake(data);
}

/* ---- the thread */

static void forwarder_report_error(struct forwarder *f, int code)
{
    char why[DB_WHY_SIZE];

    if (!f->reported) {
        db_error_text(f->db, code, why);
        f->options.failed(f->options.data, why);
    }
    f->reported = true;
}

static void forwarder_run_queues(struct forwarder *f, bool news)
{
    int64_t now_us = clock_mono_us();
    bool good = true;

    if (news)
        queues_each(&f->queues, queue_notify);
    for (size_t i = 0; i < f->queues.count; i++) {
        int code = queue_run(f->queues.all[i], now_us);

        if (code != SQLITE_OK) {
            forwarder_report_error(f, code);
            good = false;
        }
    }
    f->reported &= !good;
}

static int forwarder_wait_ms(const struct forwarder *f)
{
    int64_t now_us = clock_mono_us(), wait_us = (int64_t)LONGEST_WAIT_MS * 1000;

    for (size_t i = 0; i < f->queues.count; i++) {
        int64_t of_queue = queue_wait_us(f->queues.all[i], now_us);

        if (of_queue < wait_us)
            wait_us = of_queue;
    }
    return (int)((wait_us + 999) / 1000);
}

/* What is said is heard: the flag falls before anybody looks. */
static bool forwarder_take_news(struct forwarder *f)
{
    bool news = atomic_exchange(&f->awake, false);

    mailbox_take(&f->mailbox);
    return news;
}

static void forwarder_loop(struct forwarder *f)
{
    while (!atomic_load(&f->stop)) {
        forwarder_run_queues(f, forwarder_take_news(f));
        queues_sweep(&f->queues);
        client_calls_poll(f->calls, forwarder_wait_ms(f));
        heartbeat_beat(f->heartbeat);
    }
}

static int forwarder_left_ms(const struct forwarder *f)
{
    int64_t left_us = atomic_load(&f->stop_by_us) - clock_mono_us();

    return left_us <= 0 ? 0 : (int)(left_us / 1000) + 1;
}

static void forwarder_drain(struct forwarder *f)
{
    queues_each(&f->queues, queue_stop);
    forwarder_take_news(f);
    forwarder_run_queues(f, false);
    while (queues_sum(&f->queues, queue_sending) > 0 && forwarder_left_ms(f) > 0) {
        int wait = forwarder_wait_ms(f), left = forwarder_left_ms(f);

        client_calls_poll(f->calls, wait < left ? wait : left);
        forwarder_take_news(f);
        forwarder_run_queues(f, false);
    }
    queues_each(&f->queues, queue_cancel);
    /* One more chance for what the journal did not take before. */
    for (int turns = 0; turns < 2; turns++) {
        while (queues_sum(&f->queues, queue_recording) > 0) {
            client_calls_poll(f->calls, LONGEST_WAIT_MS);
            forwarder_take_news(f);
        }
        if (turns == 0)
            queues_each(&f->queues, queue_flush);
    }
}

static void *forwarder_run(void *data)
{
    struct forwarder *f = data;

    forwarder_loop(f);
    forwarder_drain(f);
    return NULL;
}

/* ---- from other threads */

static void forwarder_take_waiter(struct mailbox_message *message)
{
    struct answer_wait *waiter =
        (struct answer_wait *)((char *)message - offsetof(struct answer_wait, message));
    struct forwarder *f = waiter->forwarder;
    struct queue *queue = queues_find(&f->queues, waiter->destination);

    if (queue != NULL)
        queue_add_waiter(queue, waiter);
    else
        answer_wait_finish(waiter, ANSWER_WAIT_FAILED);
}

void forwarder_add_waiter(struct forwarder *f, const struct destination *d,
                          struct answer_wait *waiter)
{
    waiter->forwarder = f;
    waiter->destination = d->number;
    waiter->message.take = forwarder_take_waiter;
    mailbox_post(&f->mailbox, &waiter->message);
}

static bool forwarder_wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    return destination_matches(data, source, type);
}

static int forwarder_order_one(const struct forwarder_order *order, const struct destination *d,
                               int64_t seq, bool *found)
{
    struct outbox *outbox = order->forwarder->options.outbox;
    int64_t now_us = clock_steady_us();

    if (order->what == FORWARDER_DISCARD)
        return outbox_discard(outbox, d->number, seq, now_us, found);
    return outbox_replay(outbox, d->number, seq, forwarder_wants, d, now_us, found);
}

/* On the journal's thread, as the next one. */
static int forwarder_order_run(struct writer_task *task)
{
    struct forwarder_order *order = (struct forwarder_order *)task;
    const struct destinations *all = order->policy->destinations;
    int code = SQLITE_OK;

    order->changed = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (order->destination != NULL && strcmp(order->destination, all->at[i].name) != 0)
            continue;
        for (size_t j = 0; code == SQLITE_OK && j < order->count; j++) {
            bool found = false;

            code = forwarder_order_one(order, &all->at[i], order->seqs[j], &found);
            order->changed += found;
        }
    }
    return code;
}

static void forwarder_on_order_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct forwarder_order *order = (struct forwarder_order *)task;

    policy_release(&order->policy);
    if (order->what == FORWARDER_REPLAY) {
        queues_kick(&order->forwarder->queues, order->destination);
        forwarder_wake(order->forwarder);
    }
    order->done(order, outcome);
}

static bool forwarder_is_destination(const struct destinations *all, const char *name)
{
    return name == NULL ? all->count > 0 : destinations_find_name(all, name) != NULL;
}

enum forwarder_order_result forwarder_order(struct forwarder *f, struct forwarder_order *order)
{
    enum forwarder_order_result reply = FORWARDER_ACCEPTED;

    order->forwarder = f;
    order->policy = queues_policy(&f->queues);
    order->task = (struct writer_task){
        .bytes = sizeof(*order) + order->count * sizeof(order->seqs[0]),
        .run = forwarder_order_run,
        .done = forwarder_on_order_done,
    };
    if (!forwarder_is_destination(order->policy->destinations, order->destination))
        reply = FORWARDER_NO_DESTINATION;
    else if (!writer_post(f->options.writer, &order->task))
        reply = FORWARDER_BUSY;
    if (reply != FORWARDER_ACCEPTED)
        policy_release(&order->policy);
    return reply;
}

bool forwarder_has_destinations(const struct forwarder *f)
{
    return atomic_load(&f->queues.any);
}

bool forwarder_stats(struct forwarder *f, size_t n, struct queue_stats *stats)
{
    return queues_stats(&f->queues, n, stats);
}

/* ---- other rules */

struct forwarder_change {
    struct mailbox_message message;
    struct forwarder *forwarder;
    struct queues_change queues;
    sem_t done;
};

static void forwarder_change_free(struct forwarder_change **change)
{
    sem_destroy(&(*change)->done);
    free(*change);
    *change = NULL;
}

struct forwarder_change *forwarder_change_prepare(struct forwarder *f, struct policy *policy)
{
    struct forwarder_change *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->forwarder = f;
    sem_init(&c->done, 0, 0);
    if (!queues_prepare(&f->queues, policy, &c->queues))
        forwarder_change_cancel(&c);
    return c;
}

void forwarder_change_cancel(struct forwarder_change **change)
{
    queues_cancel(&(*change)->queues);
    forwarder_change_free(change);
}

static void forwarder_take_change(struct mailbox_message *message)
{
    struct forwarder_change *c =
        (struct forwarder_change *)((char *)message - offsetof(struct forwarder_change, message));

    queues_follow(&c->forwarder->queues, &c->queues);
    sem_post(&c->done);
}

void forwarder_change_follow(struct forwarder_change **change)
{
    struct forwarder_change *c = *change;

    c->message.take = forwarder_take_change;
    mailbox_post(&c->forwarder->mailbox, &c->message);
    while (sem_wait(&c->done) != 0)
        ;
    forwarder_change_free(change);
}

bool forwarder_is_settling(const struct forwarder *f)
{
    return atomic_load(&f->queues.settling);
}

/* ---- its life */

/* Before there is a thread. */
static bool forwarder_open_queues(struct forwarder *f)
{
    struct queues_change change;

    f->queues.tools = &f->tools;
    f->queues.reader = f->reader;
    f->queues.newest = f->options.newest;
    if (queues_prepare(&f->queues, f->options.policy, &change)) {
        queues_follow(&f->queues, &change);
        return true;
    }
    queues_cancel(&change);
    return false;
}

static bool forwarder_start(struct forwarder *f, char *why)
{
    const struct forwarder_options *o = &f->options;
    int error = ENOMEM;

    f->db = db_open(o->store, DB_READ, why);
    if (f->db == NULL || (f->reader = outbox_open(f->db, why)) == NULL)
        return false;
    f->calls = client_calls_new();
    f->tools = (struct attempt_tools){o->outbox, o->writer, f->calls, o->log, o->feed, &f->mailbox};
    if (f->calls != NULL && forwarder_open_queues(f))
        error = pthread_create(&f->thread, NULL, forwarder_run, f);
    f->started = error == 0;
    if (!f->started)
        snprintf(why, DB_WHY_SIZE, "cannot forward: %s", strerror(error));
    return f->started;
}

struct forwarder *forwarder_open(const struct forwarder_options *options, char why[DB_WHY_SIZE])
{
    struct forwarder *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        snprintf(why, DB_WHY_SIZE, "out of memory");
        return NULL;
    }
    f->options = *options;
    mailbox_open(&f->mailbox, forwarder_on_mail, f);
    f->heartbeat = heartbeat_begin(options->heartbeats, "the forwarder's thread");
    queues_init(&f->queues);
    if (!forwarder_start(f, why))
        forwarder_free(&f);
    return f;
}

void forwarder_stop(struct forwarder *f, unsigned seconds)
{
    if (!f->started)
        return;
    atomic_store(&f->stop_by_us, clock_mono_us() + (int64_t)seconds * 1000000);
    atomic_store(&f->stop, true);
    client_calls_wake(f->calls);
    pthread_join(f->thread, NULL);
    f->started = false;
    outbox_close(&f->reader);
    db_close(&f->db);
}

void forwarder_free(struct forwarder **forwarder)
{
    struct forwarder *f = *forwarder;

    if (f == NULL)
        return;
    queues_destroy(&f->queues);
    client_calls_free(&f->calls);
    outbox_close(&f->reader);
    db_close(&f->db);
    mailbox_close(&f->mailbox);
    heartbeat_end(f->heartbeat);
    free(f);
    *forwarder = NULL;
}
