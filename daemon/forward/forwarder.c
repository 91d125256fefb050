/* SPDX-License-Identifier: MIT
 *
 * Two objects. The queues are a table of one queue a destination, replaced as a whole by a reload:
 * active queues first, then retired ones that still drain. The forwarder is the thread that runs
 * every queue, polls libcurl and takes messages of other threads (waiting senders, policy changes)
 * from its mailbox. Orders of the admin API change the store in a task of the writer thread.
 *
 * Locks      queues.mutex: the forwarder thread holds it while it changes the table, other threads
 *            while they read the table.
 */
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

/* ---- queues */

struct queues {
    const struct attempt_tools *tools;
    struct outbox *reader;
    int64_t newest;        /* passed to the first queues, see queue_options */
    pthread_mutex_t mutex; /* a leaf lock; guards policy, all, active and count */
    struct policy *policy; /* held */
    struct queue **all;    /* active ones in the order of the policy, then retired ones */
    size_t active, count;
    atomic_bool any;      /* active > 0 */
    atomic_bool settling; /* count > active */
};

/* Memory for a policy change, allocated in advance. */
struct queues_change {
    struct policy *policy;
    struct queue **fresh; /* queues of new destinations; NULL: one exists */
    struct queue **all;   /* the next table */
};

static void queues_init(struct queues *queues)
{
    *queues = (struct queues){.count = 0};
    pthread_mutex_init(&queues->mutex, NULL);
}

static void queues_destroy(struct queues *queues)
{
    for (size_t i = 0; i < queues->count; i++)
        queue_free(&queues->all[i]);
    free(queues->all);
    policy_release(&queues->policy);
    pthread_mutex_destroy(&queues->mutex);
}

/* ---- queues: policy change */

/* Also finds retired queues, which can become active again. */
static struct queue *queues_find_name(const struct queues *queues, const char *name)
{
    for (size_t i = 0; i < queues->count; i++)
        if (queues->all[i] != NULL && strcmp(queue_name(queues->all[i]), name) == 0)
            return queues->all[i];
    return NULL;
}

static bool queues_is_active(struct queues *queues, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&queues->mutex);
    for (size_t i = 0; i < queues->active && !found; i++)
        found = strcmp(queue_name(queues->all[i]), name) == 0;
    pthread_mutex_unlock(&queues->mutex);
    return found;
}

static size_t queues_count(struct queues *queues)
{
    size_t count;

    pthread_mutex_lock(&queues->mutex);
    count = queues->count;
    pthread_mutex_unlock(&queues->mutex);
    return count;
}

/* Returns false on ENOMEM; call queues_cancel() in that case, too. */
static bool queues_prepare(struct queues *queues, struct policy *policy,
                           struct queues_change *change)
{
    const struct destinations *destinations = policy->destinations;

    *change = (struct queues_change){
        .policy = policy,
        .fresh = calloc(destinations->count + 1, sizeof(struct queue *)),
        .all = calloc(destinations->count + queues_count(queues) + 1, sizeof(struct queue *)),
    };
    if (change->fresh == NULL || change->all == NULL)
        return false;
    for (size_t i = 0; i < destinations->count; i++) {
        struct queue_options options = {
            .name = destinations->at[i].name,
            .tools = queues->tools,
            .reader = queues->reader,
            /* Earlier deliveries may have been attempted. */
            .newest = queues->policy == NULL ? queues->newest : INT64_MAX,
        };

        if (!queues_is_active(queues, options.name) &&
            (change->fresh[i] = queue_new(&options)) == NULL)
            return false;
    }
    return true;
}

static void queues_cancel(struct queues_change *change)
{
    for (size_t i = 0; change->fresh != NULL && i < change->policy->destinations->count; i++)
        queue_free(&change->fresh[i]);
    free(change->fresh);
    free(change->all);
    *change = (struct queues_change){.policy = NULL};
}

/* Removes a queue from the current table. Its slot stays, as NULL, until the table is replaced. */
static struct queue *queues_take(struct queues *queues, const char *name)
{
    struct queue *queue = queues_find_name(queues, name);

    for (size_t i = 0; i < queues->count; i++)
        if (queues->all[i] == queue)
            queues->all[i] = NULL;
    return queue;
}

/* Builds the next table under the mutex; nothing here blocks. */
static struct queue **queues_replace(struct queues *queues, struct queues_change *change)
{
    const struct destinations *destinations = change->policy->destinations;
    struct queue **old = queues->all;
    size_t count = destinations->count;

    for (size_t i = 0; i < destinations->count; i++) {
        if ((change->all[i] = queues_take(queues, destinations->at[i].name)) == NULL) {
            change->all[i] = change->fresh[i];
            change->fresh[i] = NULL;
        }
    }
    for (size_t i = 0; i < queues->count; i++)
        if (old[i] != NULL)
            change->all[count++] = old[i];
    queues->all = change->all;
    queues->active = destinations->count;
    queues->count = count;
    return old;
}

/* Switches to the new policy. Its destinations are registered in the store. */
static void queues_follow(struct queues *queues, struct queues_change *change)
{
    struct policy *before = queues->policy;

    pthread_mutex_lock(&queues->mutex);
    change->all = queues_replace(queues, change);
    queues->policy = policy_hold(change->policy);
    pthread_mutex_unlock(&queues->mutex);
    for (size_t i = 0; i < queues->active; i++)
        queue_follow(queues->all[i], change->policy, &change->policy->destinations->at[i]);
    for (size_t i = queues->active; i < queues->count; i++)
        queue_retire(queues->all[i]);
    atomic_store(&queues->any, queues->active > 0);
    atomic_store(&queues->settling, queues->count > queues->active);
    policy_release(&before);
    queues_cancel(change); /* frees what was not used */
}

/* Frees retired queues that have drained. */
static void queues_sweep(struct queues *queues)
{
    for (size_t i = queues->active; i < queues->count;) {
        struct queue *queue = queues->all[i];

        if (!queue_has_ended(queue)) {
            i++;
            continue;
        }
        pthread_mutex_lock(&queues->mutex);
        queues->all[i] = queues->all[--queues->count];
        pthread_mutex_unlock(&queues->mutex);
        queue_free(&queue);
    }
    atomic_store(&queues->settling, queues->count > queues->active);
}

/* ---- queues: access */

static struct queue *queues_find(const struct queues *queues, int64_t number)
{
    for (size_t i = 0; i < queues->count; i++)
        if (queue_destination(queues->all[i]) == number)
            return queues->all[i];
    return NULL;
}

static void queues_each(const struct queues *queues, void (*what)(struct queue *queue))
{
    for (size_t i = 0; i < queues->count; i++)
        what(queues->all[i]);
}

static unsigned queues_sum(const struct queues *queues,
                           unsigned (*of_queue)(const struct queue *queue))
{
    unsigned total = 0;

    for (size_t i = 0; i < queues->count; i++)
        total += of_queue(queues->all[i]);
    return total;
}

static void queues_kick(struct queues *queues, const char *name)
{
    pthread_mutex_lock(&queues->mutex);
    for (size_t i = 0; i < queues->active; i++)
        if (name == NULL || strcmp(name, queue_name(queues->all[i])) == 0)
            queue_kick(queues->all[i]);
    pthread_mutex_unlock(&queues->mutex);
}

/* Reads the counters of the n-th active queue; returns false if n is out of range. */
static bool queues_stats(struct queues *queues, size_t n, struct queue_stats *stats)
{
    bool found;

    pthread_mutex_lock(&queues->mutex);
    found = n < queues->active;
    if (found)
        queue_stats(queues->all[n], stats);
    pthread_mutex_unlock(&queues->mutex);
    return found;
}

static struct policy *queues_policy(struct queues *queues)
{
    struct policy *policy;

    pthread_mutex_lock(&queues->mutex);
    policy = policy_hold(queues->policy);
    pthread_mutex_unlock(&queues->mutex);
    return policy;
}

/* ---- forwarder */

enum {
    LONGEST_WAIT_MS = 1000, /* one heartbeat a second at least */
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
    atomic_bool awake; /* or about to wake */
    atomic_bool stop;
    _Atomic int64_t stop_by_us;
    _Atomic int64_t end_waits_us; /* INT64_MAX: not stopping */
    atomic_bool unreadable;       /* the store; reported */
};

void forwarder_wake(struct forwarder *forwarder)
{
    if (!atomic_exchange(&forwarder->awake, true))
        client_calls_wake(forwarder->calls);
}

static void forwarder_on_mail(void *data)
{
    forwarder_wake(data);
}

/* ---- forwarder: thread */

static void forwarder_report_error(struct forwarder *forwarder, int code)
{
    char why[DB_WHY_SIZE];

    if (!atomic_exchange(&forwarder->unreadable, true)) {
        db_error_text(forwarder->db, code, why);
        forwarder->options.failed(forwarder->options.data, why);
    }
}

static void forwarder_run_queues(struct forwarder *forwarder, bool news)
{
    int64_t now_us = clock_mono_us();
    bool good = true;

    if (news)
        queues_each(&forwarder->queues, queue_notify);
    if (now_us >= atomic_load(&forwarder->end_waits_us))
        queues_each(&forwarder->queues, queue_end_waits);
    for (size_t i = 0; i < forwarder->queues.count; i++) {
        int code = queue_run(forwarder->queues.all[i], now_us);

        if (code != SQLITE_OK) {
            forwarder_report_error(forwarder, code);
            good = false;
        }
    }
    if (good)
        atomic_store(&forwarder->unreadable, false);
}

static int forwarder_wait_ms(const struct forwarder *forwarder)
{
    int64_t now_us = clock_mono_us(), wait_us = (int64_t)LONGEST_WAIT_MS * 1000;
    int64_t left_us = atomic_load(&forwarder->end_waits_us) - now_us;

    if (left_us > 0 && left_us < wait_us)
        wait_us = left_us;

    for (size_t i = 0; i < forwarder->queues.count; i++) {
        int64_t of_queue = queue_wait_us(forwarder->queues.all[i], now_us);

        if (of_queue < wait_us)
            wait_us = of_queue;
    }
    return (int)((wait_us + 999) / 1000);
}

/* Clear the flag before draining, so a wake-up in between is not lost. */
static bool forwarder_take_news(struct forwarder *forwarder)
{
    bool news = atomic_exchange(&forwarder->awake, false);

    mailbox_take(&forwarder->mailbox);
    return news;
}

static void forwarder_loop(struct forwarder *forwarder)
{
    while (!atomic_load(&forwarder->stop)) {
        forwarder_run_queues(forwarder, forwarder_take_news(forwarder));
        queues_sweep(&forwarder->queues);
        client_calls_poll(forwarder->calls, forwarder_wait_ms(forwarder));
        heartbeat_beat(forwarder->heartbeat);
    }
}

static int forwarder_left_ms(const struct forwarder *forwarder)
{
    int64_t left_us = atomic_load(&forwarder->stop_by_us) - clock_mono_us();

    return left_us <= 0 ? 0 : (int)(left_us / 1000) + 1;
}

static void forwarder_drain(struct forwarder *forwarder)
{
    queues_each(&forwarder->queues, queue_stop);
    forwarder_take_news(forwarder);
    forwarder_run_queues(forwarder, false);
    while (queues_sum(&forwarder->queues, queue_sending) > 0 && forwarder_left_ms(forwarder) > 0) {
        int wait = forwarder_wait_ms(forwarder), left = forwarder_left_ms(forwarder);

        client_calls_poll(forwarder->calls, wait < left ? wait : left);
        forwarder_take_news(forwarder);
        forwarder_run_queues(forwarder, false);
    }
    queues_each(&forwarder->queues, queue_cancel);
    /* Retry once the records that the writer has rejected. */
    for (int turns = 0; turns < 2; turns++) {
        while (queues_sum(&forwarder->queues, queue_recording) > 0) {
            client_calls_poll(forwarder->calls, LONGEST_WAIT_MS);
            forwarder_take_news(forwarder);
        }
        if (turns == 0)
            queues_each(&forwarder->queues, queue_flush);
    }
}

static void *forwarder_run(void *data)
{
    struct forwarder *forwarder = data;

    forwarder_loop(forwarder);
    forwarder_drain(forwarder);
    return NULL;
}

/* ---- forwarder: calls from other threads */

static void forwarder_take_waiter(struct mailbox_message *message)
{
    struct answer_wait *waiter =
        (struct answer_wait *)((char *)message - offsetof(struct answer_wait, message));
    struct forwarder *forwarder = waiter->forwarder;
    struct queue *queue = queues_find(&forwarder->queues, waiter->destination);

    if (queue != NULL)
        queue_add_waiter(queue, waiter);
    else
        answer_wait_finish(waiter, ANSWER_WAIT_FAILED);
}

void forwarder_add_waiter(struct forwarder *forwarder, const struct destination *destination,
                          struct answer_wait *waiter)
{
    waiter->forwarder = forwarder;
    waiter->destination = destination->number;
    waiter->message.take = forwarder_take_waiter;
    mailbox_post(&forwarder->mailbox, &waiter->message);
}

static bool forwarder_wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    return destination_matches(data, source, type);
}

static int forwarder_order_one(const struct forwarder_order *order,
                               const struct destination *destination, int64_t seq, bool *found)
{
    struct outbox *outbox = order->forwarder->options.outbox;
    int64_t now_us = clock_steady_us();

    if (order->what == FORWARDER_DISCARD)
        return outbox_discard(outbox, destination->number, seq, now_us, found);
    return outbox_replay(outbox, destination->number, seq, forwarder_wants, destination, now_us,
                         found);
}

/* Runs on the writer thread, as does forwarder_on_order_done(). */
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

void forwarder_kick(struct forwarder *forwarder, const char *destination)
{
    queues_kick(&forwarder->queues, destination);
    forwarder_wake(forwarder);
}

static void forwarder_on_order_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct forwarder_order *order = (struct forwarder_order *)task;

    policy_release(&order->policy);
    /* Also after a discard, because an ordered queue waits for what was discarded. */
    forwarder_kick(order->forwarder, order->destination);
    order->done(order, outcome);
}

static bool forwarder_is_destination(const struct destinations *all, const char *name)
{
    return name == NULL ? all->count > 0 : destinations_find_name(all, name) != NULL;
}

enum forwarder_order_result forwarder_order(struct forwarder *forwarder,
                                            struct forwarder_order *order)
{
    enum forwarder_order_result reply = FORWARDER_ACCEPTED;

    order->forwarder = forwarder;
    order->policy = queues_policy(&forwarder->queues);
    order->task = (struct writer_task){
        .bytes = sizeof(*order) + order->count * sizeof(order->seqs[0]),
        .run = forwarder_order_run,
        .done = forwarder_on_order_done,
    };
    if (!forwarder_is_destination(order->policy->destinations, order->destination))
        reply = FORWARDER_NO_DESTINATION;
    else if (!writer_post(forwarder->options.writer, &order->task))
        reply = FORWARDER_BUSY;
    if (reply != FORWARDER_ACCEPTED)
        policy_release(&order->policy);
    return reply;
}

bool forwarder_has_destinations(const struct forwarder *forwarder)
{
    return atomic_load(&forwarder->queues.any);
}

bool forwarder_can_read(const struct forwarder *forwarder)
{
    return !atomic_load(&forwarder->unreadable);
}

bool forwarder_stats(struct forwarder *forwarder, size_t n, struct queue_stats *stats)
{
    return queues_stats(&forwarder->queues, n, stats);
}

/* ---- forwarder: policy change */

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

struct forwarder_change *forwarder_change_prepare(struct forwarder *forwarder,
                                                  struct policy *policy)
{
    struct forwarder_change *change = calloc(1, sizeof(*change));

    if (change == NULL)
        return NULL;
    change->forwarder = forwarder;
    sem_init(&change->done, 0, 0);
    if (!queues_prepare(&forwarder->queues, policy, &change->queues))
        forwarder_change_cancel(&change);
    return change;
}

void forwarder_change_cancel(struct forwarder_change **change)
{
    queues_cancel(&(*change)->queues);
    forwarder_change_free(change);
}

static void forwarder_take_change(struct mailbox_message *message)
{
    struct forwarder_change *change =
        (struct forwarder_change *)((char *)message - offsetof(struct forwarder_change, message));

    queues_follow(&change->forwarder->queues, &change->queues);
    sem_post(&change->done);
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

bool forwarder_is_settling(const struct forwarder *forwarder)
{
    return atomic_load(&forwarder->queues.settling);
}

/* ---- forwarder: start and stop */

/* Runs before the thread starts. */
static bool forwarder_open_queues(struct forwarder *forwarder)
{
    struct queues_change change;

    forwarder->queues.tools = &forwarder->tools;
    forwarder->queues.reader = forwarder->reader;
    forwarder->queues.newest = forwarder->options.newest;
    if (queues_prepare(&forwarder->queues, forwarder->options.policy, &change)) {
        queues_follow(&forwarder->queues, &change);
        return true;
    }
    queues_cancel(&change);
    return false;
}

static bool forwarder_start(struct forwarder *forwarder, char *why)
{
    const struct forwarder_options *options = &forwarder->options;
    int error = ENOMEM;

    forwarder->db = db_open(options->store, DB_READ, why);
    if (forwarder->db == NULL || (forwarder->reader = outbox_open(forwarder->db, why)) == NULL)
        return false;
    forwarder->calls = client_calls_new();
    forwarder->tools =
        (struct attempt_tools){options->outbox, options->writer, forwarder->calls,
                               options->log,    options->feed,   &forwarder->mailbox};
    if (forwarder->calls != NULL && forwarder_open_queues(forwarder))
        error = pthread_create(&forwarder->thread, NULL, forwarder_run, forwarder);
    forwarder->started = error == 0;
    if (!forwarder->started)
        snprintf(why, DB_WHY_SIZE, "cannot start the forwarder: %s", strerror(error));
    return forwarder->started;
}

struct forwarder *forwarder_open(const struct forwarder_options *options, char why[DB_WHY_SIZE])
{
    struct forwarder *forwarder = calloc(1, sizeof(*forwarder));

    if (forwarder == NULL) {
        snprintf(why, DB_WHY_SIZE, "out of memory");
        return NULL;
    }
    forwarder->options = *options;
    atomic_init(&forwarder->end_waits_us, INT64_MAX);
    mailbox_open(&forwarder->mailbox, forwarder_on_mail, forwarder);
    forwarder->heartbeat = heartbeat_begin(options->heartbeats, "the forwarder thread");
    queues_init(&forwarder->queues);
    if (!forwarder_start(forwarder, why))
        forwarder_free(&forwarder);
    return forwarder;
}

void forwarder_end_waits(struct forwarder *forwarder, int64_t at_us)
{
    atomic_store(&forwarder->end_waits_us, at_us);
    client_calls_wake(forwarder->calls);
}

void forwarder_stop(struct forwarder *forwarder, unsigned seconds)
{
    if (!forwarder->started)
        return;
    atomic_store(&forwarder->stop_by_us, clock_mono_us() + (int64_t)seconds * 1000000);
    atomic_store(&forwarder->stop, true);
    client_calls_wake(forwarder->calls);
    pthread_join(forwarder->thread, NULL);
    forwarder->started = false;
    outbox_close(&forwarder->reader);
    db_close(&forwarder->db);
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
