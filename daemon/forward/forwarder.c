/* SPDX-License-Identifier: MIT */
#include "daemon/forward/forwarder.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/forward/attempt.h"
#include "daemon/base/clock.h"
#include "daemon/policy/destination.h"
#include "daemon/forward/lanes.h"
#include "daemon/base/mailbox.h"
#include "daemon/store/outbox.h"
#include "daemon/base/pulse.h"
#include "daemon/http/call.h"
#include "daemon/policy/rules.h"

enum {
    LONGEST_WAIT_MS = 1000, /* to show that it lives */
};

struct forwarder {
    struct forwarder_options options;
    struct store *store;
    struct outbox *reader;
    struct call_set *calls;
    struct mailbox mailbox;
    struct attempt_tools tools;
    struct lanes lanes;
    struct pulse *pulse;
    pthread_t thread;
    bool started;
    atomic_bool awake; /* or about to be */
    atomic_bool stop;
    _Atomic int64_t stop_by_us;
    bool complained; /* the thread's own */
};

void forwarder_wake(struct forwarder *f)
{
    if (!atomic_exchange(&f->awake, true))
        call_wake(f->calls);
}

static void wake(void *data)
{
    forwarder_wake(data);
}

/* ---- the thread */

static void complain(struct forwarder *f, int code)
{
    char why[STORE_WHY_SIZE];

    if (!f->complained) {
        store_why(f->store, code, why);
        f->options.failed(f->options.data, why);
    }
    f->complained = true;
}

static void run_lanes(struct forwarder *f, bool news)
{
    bool good = true;

    if (news)
        lanes_tell(&f->lanes, lane_news);
    for (size_t i = 0; i < f->lanes.count; i++) {
        int code = lane_run(f->lanes.all[i]);

        if (code != SQLITE_OK) {
            complain(f, code);
            good = false;
        }
    }
    f->complained &= !good;
}

static int wait_ms(const struct forwarder *f)
{
    int64_t wait_us = (int64_t)LONGEST_WAIT_MS * 1000;

    for (size_t i = 0; i < f->lanes.count; i++) {
        int64_t of_lane = lane_wait_us(f->lanes.all[i]);

        if (of_lane < wait_us)
            wait_us = of_lane;
    }
    return (int)((wait_us + 999) / 1000);
}

/* What is said is heard: the flag falls before anybody looks. */
static bool take_news(struct forwarder *f)
{
    bool news = atomic_exchange(&f->awake, false);

    mailbox_empty(&f->mailbox);
    return news;
}

static void forward(struct forwarder *f)
{
    while (!atomic_load(&f->stop)) {
        run_lanes(f, take_news(f));
        lanes_sweep(&f->lanes);
        call_poll(f->calls, wait_ms(f));
        pulse_beat(f->pulse);
    }
}

static int left_ms(const struct forwarder *f)
{
    int64_t left_us = atomic_load(&f->stop_by_us) - clock_mono_us();

    return left_us <= 0 ? 0 : (int)(left_us / 1000) + 1;
}

static void drain(struct forwarder *f)
{
    lanes_tell(&f->lanes, lane_stop);
    take_news(f);
    run_lanes(f, false);
    while (lanes_sum(&f->lanes, lane_sending) > 0 && left_ms(f) > 0) {
        int wait = wait_ms(f), left = left_ms(f);

        call_poll(f->calls, wait < left ? wait : left);
        take_news(f);
        run_lanes(f, false);
    }
    lanes_tell(&f->lanes, lane_cancel);
    /* One more chance for what the journal did not take before. */
    for (int turns = 0; turns < 2; turns++) {
        while (lanes_sum(&f->lanes, lane_recording) > 0) {
            call_poll(f->calls, LONGEST_WAIT_MS);
            take_news(f);
        }
        if (turns == 0)
            lanes_tell(&f->lanes, lane_flush);
    }
}

static void *run(void *data)
{
    struct forwarder *f = data;

    forward(f);
    drain(f);
    return NULL;
}

/* ---- from other threads */

static void take_relay(struct message *message)
{
    struct relay *relay = (struct relay *)((char *)message - offsetof(struct relay, message));
    struct forwarder *f = relay->forwarder;
    struct lane *lane = lanes_find(&f->lanes, relay->destination);

    if (lane != NULL)
        lane_relay(lane, relay);
    else
        relay_dismiss(relay, RELAY_FAILED);
}

void forwarder_relay(struct forwarder *f, const struct destination *d, struct relay *relay)
{
    relay->forwarder = f;
    relay->destination = d->number;
    relay->message.take = take_relay;
    mailbox_post(&f->mailbox, &relay->message);
}

static bool wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    return destination_takes(data, source, type);
}

static int carry_out(const struct forwarder_order *order, const struct destination *d, int64_t seq,
                     bool *found)
{
    struct outbox *writer = order->forwarder->options.writer;
    int64_t now_us = clock_steady_us();

    if (order->what == FORWARDER_DISCARD)
        return outbox_discard(writer, d->number, seq, now_us, found);
    return outbox_replay(writer, d->number, seq, wants, d, now_us, found);
}

/* On the journal's thread, as the next one. */
static int run_order(struct journal_task *task)
{
    struct forwarder_order *order = (struct forwarder_order *)task;
    const struct destinations *all = order->rules->destinations;
    int code = SQLITE_OK;

    order->changed = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (order->destination != NULL && strcmp(order->destination, all->at[i].name) != 0)
            continue;
        for (size_t j = 0; code == SQLITE_OK && j < order->count; j++) {
            bool found = false;

            code = carry_out(order, &all->at[i], order->seqs[j], &found);
            order->changed += found;
        }
    }
    return code;
}

static void on_order_done(struct journal_task *task, enum journal_outcome outcome)
{
    struct forwarder_order *order = (struct forwarder_order *)task;

    rules_release(&order->rules);
    if (order->what == FORWARDER_REPLAY) {
        lanes_kick(&order->forwarder->lanes, order->destination);
        forwarder_wake(order->forwarder);
    }
    order->done(order, outcome);
}

static bool is_destination(const struct destinations *all, const char *name)
{
    return name == NULL ? all->count > 0 : destinations_named(all, name) != NULL;
}

enum forwarder_reply forwarder_order(struct forwarder *f, struct forwarder_order *order)
{
    enum forwarder_reply reply = FORWARDER_TAKEN;

    order->forwarder = f;
    order->rules = lanes_rules(&f->lanes);
    order->task = (struct journal_task){
        .bytes = sizeof(*order) + order->count * sizeof(order->seqs[0]),
        .run = run_order,
        .done = on_order_done,
    };
    if (!is_destination(order->rules->destinations, order->destination))
        reply = FORWARDER_NO_DESTINATION;
    else if (!journal_submit(f->options.journal, &order->task))
        reply = FORWARDER_BUSY;
    if (reply != FORWARDER_TAKEN)
        rules_release(&order->rules);
    return reply;
}

bool forwarder_has_destinations(const struct forwarder *f)
{
    return atomic_load(&f->lanes.any);
}

bool forwarder_stats(struct forwarder *f, size_t n, struct lane_stats *stats)
{
    return lanes_stats(&f->lanes, n, stats);
}

/* ---- other rules */

struct forwarder_change {
    struct message message;
    struct forwarder *forwarder;
    struct lanes_change lanes;
    sem_t done;
};

static void release_change(struct forwarder_change **change)
{
    sem_destroy(&(*change)->done);
    free(*change);
    *change = NULL;
}

struct forwarder_change *forwarder_prepare(struct forwarder *f, struct rules *rules)
{
    struct forwarder_change *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->forwarder = f;
    sem_init(&c->done, 0, 0);
    if (!lanes_prepare(&f->lanes, rules, &c->lanes))
        forwarder_cancel(&c);
    return c;
}

void forwarder_cancel(struct forwarder_change **change)
{
    lanes_cancel(&(*change)->lanes);
    release_change(change);
}

static void take_change(struct message *message)
{
    struct forwarder_change *c =
        (struct forwarder_change *)((char *)message - offsetof(struct forwarder_change, message));

    lanes_follow(&c->forwarder->lanes, &c->lanes);
    sem_post(&c->done);
}

void forwarder_follow(struct forwarder_change **change)
{
    struct forwarder_change *c = *change;

    c->message.take = take_change;
    mailbox_post(&c->forwarder->mailbox, &c->message);
    while (sem_wait(&c->done) != 0)
        ;
    release_change(change);
}

bool forwarder_is_settling(const struct forwarder *f)
{
    return atomic_load(&f->lanes.settling);
}

/* ---- its life */

/* Before there is a thread. */
static bool open_lanes(struct forwarder *f)
{
    struct lanes_change change;

    f->lanes.tools = &f->tools;
    f->lanes.reader = f->reader;
    f->lanes.newest = f->options.newest;
    if (lanes_prepare(&f->lanes, f->options.rules, &change)) {
        lanes_follow(&f->lanes, &change);
        return true;
    }
    lanes_cancel(&change);
    return false;
}

static bool start(struct forwarder *f, char *why)
{
    const struct forwarder_options *o = &f->options;
    int error = ENOMEM;

    f->store = store_open(o->store, STORE_READ, why);
    if (f->store == NULL || (f->reader = outbox_open(f->store, why)) == NULL)
        return false;
    f->calls = call_set_new();
    f->tools =
        (struct attempt_tools){o->writer, o->journal, f->calls, o->log, o->feed, &f->mailbox};
    if (f->calls != NULL && open_lanes(f))
        error = pthread_create(&f->thread, NULL, run, f);
    f->started = error == 0;
    if (!f->started)
        snprintf(why, STORE_WHY_SIZE, "cannot forward: %s", strerror(error));
    return f->started;
}

struct forwarder *forwarder_open(const struct forwarder_options *options, char why[STORE_WHY_SIZE])
{
    struct forwarder *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        snprintf(why, STORE_WHY_SIZE, "out of memory");
        return NULL;
    }
    f->options = *options;
    mailbox_init(&f->mailbox, wake, f);
    f->pulse = pulse_begin(options->pulses, "the forwarder's thread");
    lanes_init(&f->lanes);
    if (!start(f, why))
        forwarder_free(&f);
    return f;
}

void forwarder_stop(struct forwarder *f, unsigned seconds)
{
    if (!f->started)
        return;
    atomic_store(&f->stop_by_us, clock_mono_us() + (int64_t)seconds * 1000000);
    atomic_store(&f->stop, true);
    call_wake(f->calls);
    pthread_join(f->thread, NULL);
    f->started = false;
    outbox_close(&f->reader);
    store_close(&f->store);
}

void forwarder_free(struct forwarder **forwarder)
{
    struct forwarder *f = *forwarder;

    if (f == NULL)
        return;
    lanes_destroy(&f->lanes);
    call_set_free(&f->calls);
    outbox_close(&f->reader);
    store_close(&f->store);
    mailbox_destroy(&f->mailbox);
    pulse_end(f->pulse);
    free(f);
    *forwarder = NULL;
}
