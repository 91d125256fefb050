/* SPDX-License-Identifier: MIT */
#include "daemon/forward/queue.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/mailbox.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/forward/attempt.h"
#include "daemon/forward/breaker.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/writer.h"

/* ---- what became of a lane's attempts, in numbers.
 *
 * Threads    queue_counters_add() on one; the numbers may be read on any. */

struct queue_counters {
    atomic_uint_fast64_t forwarded, retried, parked, took_us;
    atomic_int_fast64_t success_us; /* when the last one was forwarded; 0: not yet */
    atomic_uint sending;            /* the lane's to set, as is ... */
    atomic_bool resting;            /* ... this */
};

static void queue_counters_add(struct queue_counters *counters, const struct outbox_attempt *facts)
{
    counters->took_us += (uint64_t)facts->took_us;
    switch (facts->state) {
    case OUTBOX_DONE:
        counters->forwarded++;
        counters->success_us = facts->at_us + facts->took_us;
        break;
    case OUTBOX_PARKED:
        counters->parked++;
        break;
    case OUTBOX_RETRY:
        counters->retried++;
        break;
    case OUTBOX_WAITING:
        break;
    }
}

/* ---- the attempts of one lane: those under way, and room for more.
 *
 * Ownership  A place stays where it is, since the journal and libcurl know it, and is used again.
 * Threads    The forwarder's. */

struct slots {
    struct attempt **all;
    unsigned count;
};

/* Makes them at least `count`: they never get fewer. Each is a copy of `like`. False without
 * memory; then there are those that there are. */
static bool slots_grow(struct slots *p, unsigned count, const struct attempt *like)
{
    struct attempt **all;

    if (count <= p->count)
        return true;
    if ((all = realloc(p->all, count * sizeof(struct attempt *))) == NULL)
        return false;
    p->all = all;
    while (p->count < count && (all[p->count] = malloc(sizeof(struct attempt))) != NULL)
        *all[p->count++] = *like;
    return p->count == count;
}

static void slots_free(struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        policy_release_forwarding(&p->all[i]->policy);
        free(p->all[i]->delivery);
        free(p->all[i]);
    }
    free(p->all);
}

static unsigned slots_in(const struct slots *p, enum attempt_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == state;
    return n;
}

static unsigned slots_sending_again(const struct slots *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++)
        n += p->all[i]->state == ATTEMPT_SENDING && !p->all[i]->facts.first;
    return n;
}

/* NULL if there is none. */
static struct attempt *slots_find(const struct slots *p, int64_t seq)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state != ATTEMPT_NONE && p->all[i]->facts.seq == seq)
            return p->all[i];
    return NULL;
}

static struct attempt *slots_unused(const struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_NONE)
            return p->all[i];
    return NULL;
}

/* When the first of those that the journal has not taken is to be given to it again; INT64_MAX if
 * there are none. */
static int64_t slots_record_at_us(const struct slots *p)
{
    int64_t at_us = INT64_MAX;

    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_UNRECORDED && p->all[i]->retry_us < at_us)
            at_us = p->all[i]->retry_us;
    return at_us;
}

/* Ends what is being sent. */
static void slots_cancel(const struct slots *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->all[i]->state == ATTEMPT_SENDING)
            attempt_cancel(p->all[i]);
}

/* Up to where all is taken up, if it is up to `position` but for what is under way; `but` does not
 * count. */
static int64_t slots_low_water(const struct slots *p, int64_t position, const struct attempt *but)
{
    int64_t low = position;

    for (unsigned i = 0; i < p->count; i++) {
        const struct attempt *a = p->all[i];

        if (a != but && a->state != ATTEMPT_NONE && a->facts.first && a->facts.seq <= low)
            low = a->facts.seq - 1;
    }
    return low;
}

/* ---- up to where a destination's deliveries have been taken up, as the store has it.
 *
 * An attempt's record carries the cursor along. What nobody wanted, or what ended in another order
 * than it began, is written on its own, and not often.
 *
 * Threads    The forwarder's; what the journal runs of it is said in cursor.c. */

struct attempt_tools;

struct watermark {
    struct writer_task task;
    struct mailbox_message message;
    const struct attempt_tools *tools;
    int64_t destination; /* its number */
    int64_t stored;
    int64_t writing;
    enum writer_outcome outcome;
    bool under_way;
    int64_t again_us; /* when it may be written the next time */
};

enum {
    WATERMARK_EVERY_US = 500000,
};

static void watermark_init(struct watermark *mark, const struct attempt_tools *tools,
                           int64_t destination, int64_t stored)
{
    *mark = (struct watermark){.tools = tools, .destination = destination, .stored = stored};
}

/* An attempt's record has carried it. */
static void watermark_carried(struct watermark *mark, int64_t stored)
{
    if (stored > mark->stored)
        mark->stored = stored;
}

static void watermark_on_recorded(struct mailbox_message *message)
{
    struct watermark *mark =
        (struct watermark *)((char *)message - offsetof(struct watermark, message));

    mark->under_way = false;
    if (mark->outcome == WRITER_DURABLE)
        watermark_carried(mark, mark->writing);
}

/* On the journal's thread, as the next one. */
static int watermark_run_task(struct writer_task *task)
{
    const struct watermark *mark = (const struct watermark *)task;

    return outbox_set_cursor(mark->tools->outbox, mark->destination, mark->writing);
}

static void watermark_on_task_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct watermark *mark = (struct watermark *)task;

    mark->outcome = outcome;
    mailbox_post(mark->tools->mailbox, &mark->message);
}

/* Has the journal write it if it is time, or `now`. */
static void watermark_write(struct watermark *mark, int64_t position, int64_t now_us, bool now)
{
    if (mark->under_way || position <= mark->stored || (now_us < mark->again_us && !now))
        return;
    mark->again_us = now_us + WATERMARK_EVERY_US;
    mark->writing = position;
    mark->task = (struct writer_task){
        .bytes = sizeof(*mark),
        .run = watermark_run_task,
        .done = watermark_on_task_done,
    };
    mark->message.take = watermark_on_recorded;
    mark->under_way = writer_post(mark->tools->writer, &mark->task);
}

/* For how long there is nothing to write; INT64_MAX if what is stored is the position. */
static int64_t watermark_wait_us(const struct watermark *mark, int64_t position, int64_t now_us)
{
    if (mark->under_way || position <= mark->stored)
        return INT64_MAX;
    return mark->again_us - now_us;
}

/* ---- what is next for one destination: its deliveries that were not tried yet, in the order
 * of arrival, and those that are due again. What is done about them is the lane's.
 *
 * Threads    The forwarder's. */

struct destination;
struct delivery_row;
struct slots;

struct schedule {
    struct outbox *reader;
    const struct destination *destination; /* set by schedule_follow(), and the lane's to keep */
    int64_t newest;                        /* those up to it may have been tried before */
    int64_t position;       /* everything up to it was given out, or is none of ours */
    bool news;              /* there may be something beyond the position */
    int64_t due_us;         /* nothing is due before; 0: look; INT64_MAX: nothing is */
    struct outbox_due *due; /* room for them */
};

/* The next three: SQLITE_ROW if there is one, SQLITE_DONE if there is none, or SQLite's error. */

/* Room for so many that are due at once. False without memory; then there is the room that there
 * was. */
static bool schedule_reserve(struct schedule *a, unsigned count)
{
    struct outbox_due *due = realloc(a->due, (count + 1) * sizeof(*due));

    if (due != NULL)
        a->due = due;
    return due != NULL;
}

static void schedule_free(struct schedule *a)
{
    free(a->due);
}

/* Whether a delivery has a row in `unsent` from the start was decided by the rules of its request,
 * which may be others than ours when it comes to it: from now on that is looked up. */
static void schedule_doubt_rows(struct schedule *a)
{
    a->newest = INT64_MAX;
}

/* From now on the destination is this one; the first one says where to begin. */
static void schedule_follow(struct schedule *a, const struct destination *d)
{
    const struct destination *before = a->destination;

    a->destination = d;
    a->news = true;
    a->due_us = 0;
    if (before == NULL)
        a->position = d->cursor;
    else if (!destination_same_answers(before, d))
        schedule_doubt_rows(a);
}

/* Something may be due earlier than was known. */
static void schedule_expect(struct schedule *a, int64_t due_us)
{
    if (due_us < a->due_us)
        a->due_us = due_us;
}

static bool schedule_wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    const struct schedule *a = data;

    /* Where a sender waits there is a row in `unsent` from the start. Whether it was so for those
     * that were there before us is looked up. */
    if (a->position >= a->newest && destination_answers(a->destination, source))
        return false;
    return destination_matches(a->destination, source, type);
}

/* One that was not tried yet; the caller frees it. */
static int schedule_next_new(struct schedule *a, struct delivery_row **delivery)
{
    enum outbox_state state = OUTBOX_WAITING;
    int code;

    if (!a->news)
        return SQLITE_DONE;
    code = outbox_next(a->reader, &a->position, schedule_wants, a, delivery, &a->news);
    if (code != SQLITE_ROW) {
        a->news |= code != SQLITE_DONE;
        return code;
    }
    if ((*delivery)->seq <= a->newest)
        code = outbox_state(a->reader, a->destination->number, (*delivery)->seq, &state, NULL);
    else if (destination_answers(a->destination, (*delivery)->source))
        state = OUTBOX_RETRY;
    if (code != SQLITE_ROW && code != SQLITE_OK) {
        a->position = (*delivery)->seq - 1;
        a->news = true;
        free(*delivery);
        return code;
    }
    if (state == OUTBOX_WAITING)
        return SQLITE_ROW;
    free(*delivery);
    return SQLITE_DONE;
}

/* One that is due and has no place yet. */
static int schedule_next_due(struct schedule *a, const struct slots *slots, struct outbox_due *due)
{
    int64_t now_us = clock_steady_us();
    size_t found;
    int code;

    if (now_us < a->due_us)
        return SQLITE_DONE;
    code = outbox_due(a->reader, a->destination->number, now_us, a->due, slots->count + 1, &found);
    for (size_t i = 0; code == SQLITE_OK && i < found; i++) {
        if (slots_find(slots, a->due[i].seq) == NULL) {
            *due = a->due[i];
            return SQLITE_ROW;
        }
    }
    if (code == SQLITE_OK)
        code = outbox_next_due(a->reader, a->destination->number, now_us, &a->due_us);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

/* Where the order counts: the oldest that is to be tried again, if it is due. *none: there is no
 * such, and a new one may go. */
static int schedule_oldest(struct schedule *a, struct outbox_due *due, bool *none)
{
    bool found;
    int code;

    *none = false;
    if (clock_steady_us() < a->due_us && a->due_us != INT64_MAX)
        return SQLITE_DONE;
    code = outbox_lowest_due(a->reader, a->destination->number, due, &found);
    if (code != SQLITE_OK)
        return code;
    a->due_us = found ? due->due_us : INT64_MAX;
    *none = !found;
    return found && due->due_us <= clock_steady_us() ? SQLITE_ROW : SQLITE_DONE;
}

/* For how many microseconds there is nothing, or INT64_MAX. */
static int64_t schedule_wait_us(const struct schedule *a)
{
    if (a->news && (!a->destination->ordered || a->due_us == INT64_MAX))
        return 0;
    return a->due_us == INT64_MAX ? INT64_MAX : a->due_us - clock_steady_us();
}

/* ---- lane */

enum {
    SLOTS_PER_SENDER = 4,     /* outcomes may wait for the disk while others are sent */
    STORE_RETRY_US = 1000000, /* until a store that cannot be read is tried again */
};

struct queue {
    struct queue_options options;
    char *name;
    struct policy *policy; /* held */
    const struct destination *destination;
    struct slots slots;
    struct schedule schedule;
    struct breaker breaker;
    struct answer_wait_list waiters;
    struct watermark watermark;
    bool due_was_last; /* of the two kinds on the agenda */
    bool stopping;
    bool retired;
    int64_t broken_until_us;
    atomic_bool kicked;
    struct queue_counters counters;
};

unsigned queue_sending(const struct queue *queue)
{
    return slots_in(&queue->slots, ATTEMPT_SENDING);
}

unsigned queue_recording(const struct queue *queue)
{
    return slots_in(&queue->slots, ATTEMPT_RECORDING) + queue->watermark.under_way;
}

static int64_t queue_low_water(const struct queue *queue, const struct attempt *but)
{
    return slots_low_water(&queue->slots, queue->schedule.position, but);
}

/* Whatever becomes of the lane's rules meanwhile, the attempt keeps these. */
static void queue_start_attempt(struct queue *queue, struct attempt *a,
                                struct delivery_row *delivery, int64_t seq, unsigned tries,
                                bool first)
{
    a->policy = policy_hold_forwarding(queue->policy);
    a->destination = queue->destination;
    attempt_start(a, delivery, seq, tries, first);
}

/* ---- what becomes of attempts */

static void queue_on_answered(struct attempt *a)
{
    struct queue *queue = a->data;
    bool moved = destination_url_changed(a->destination, queue->destination);

    /* If so, it says nothing about where deliveries go now, nor when to try there. */
    if (moved && a->facts.state == OUTBOX_RETRY)
        a->facts.due_us = clock_steady_us();
    else if (!moved && a->reached)
        breaker_success(&queue->breaker);
    else if (!moved)
        breaker_failure(&queue->breaker, a->retry_after_us, clock_mono_us());
    attempt_record(a, queue_low_water(queue, a));
}

static void queue_on_recorded(struct attempt *a)
{
    struct queue *queue = a->data;

    policy_release_forwarding(&a->policy);
    watermark_carried(&queue->watermark, a->cursor);
    queue_counters_add(&queue->counters, &a->facts);
    if (a->facts.state == OUTBOX_RETRY)
        schedule_expect(&queue->schedule, a->facts.due_us);
}

static void queue_record_again(struct queue *queue, int64_t now_us, bool now)
{
    for (unsigned i = 0; i < queue->slots.count; i++) {
        struct attempt *a = queue->slots.all[i];

        if (a->state == ATTEMPT_UNRECORDED && (now || a->retry_us <= now_us))
            attempt_record(a, queue_low_water(queue, a));
    }
}

/* ---- those who wait for an answer */

void queue_add_waiter(struct queue *queue, struct answer_wait *waiter)
{
    struct attempt *a = slots_find(&queue->slots, waiter->seq);

    waiter->until_us = clock_mono_us() + (int64_t)queue->destination->target.timeout_s * 1000000;
    if (a != NULL && a->state == ATTEMPT_SENDING && a->keeps_answer)
        attempt_add_waiter(a, waiter);
    else if (queue->stopping)
        answer_wait_finish(waiter, ANSWER_WAIT_FAILED);
    else
        answer_wait_list_put(&queue->waiters, waiter);
}

/* ---- what is next */

/* SQLITE_ROW if an attempt was started, SQLITE_DONE if there is nothing to start. */
static int queue_start_new(struct queue *queue)
{
    struct delivery_row *delivery;
    int code = schedule_next_new(&queue->schedule, &delivery);

    if (code == SQLITE_ROW)
        queue_start_attempt(queue, slots_unused(&queue->slots), delivery, delivery->seq, 1, true);
    return code;
}

/* Perhaps for the relay that is the first in line. */
static int queue_start_again(struct queue *queue, const struct outbox_due *due, bool for_relay)
{
    struct attempt *a = slots_unused(&queue->slots);
    struct delivery_row *delivery;
    int code = outbox_read_delivery(queue->options.reader, due->seq, &delivery);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return code;
    if (for_relay)
        attempt_add_waiter(a, answer_wait_list_take(&queue->waiters));
    queue_start_attempt(queue, a, delivery, due->seq, due->tries + 1, false);
    return SQLITE_ROW;
}

static int queue_start_due(struct queue *queue)
{
    struct outbox_due due;
    int code = schedule_next_due(&queue->schedule, &queue->slots, &due);

    return code == SQLITE_ROW ? queue_start_again(queue, &due, false) : code;
}

/* One at a time, and what has to be tried again before what is new. */
static int queue_start_in_order(struct queue *queue)
{
    struct outbox_due due;
    bool none;
    int code;

    if (slots_in(&queue->slots, ATTEMPT_NONE) < queue->slots.count)
        return SQLITE_DONE;
    code = schedule_oldest(&queue->schedule, &due, &none);
    if (code == SQLITE_ROW)
        return queue_start_again(queue, &due, false);
    return none ? queue_start_new(queue) : code;
}

/* Also where one attempt is to find out whether the destination is back: what fails again and again
 * must not be all that is tried. */
static int queue_start_either(struct queue *queue, unsigned allowed)
{
    unsigned most = allowed / 2;
    bool due_first = most == 0 ? !queue->due_was_last : slots_sending_again(&queue->slots) < most;
    int code = due_first ? queue_start_due(queue) : queue_start_new(queue);

    queue->due_was_last = due_first == (code == SQLITE_ROW);
    /* There may be more new ones behind those that nobody wants. */
    if (code == SQLITE_DONE && (due_first || !queue->schedule.news))
        code = due_first ? queue_start_new(queue) : queue_start_due(queue);
    return code;
}

static int queue_start_waiter(struct queue *queue)
{
    const struct queue_options *o = &queue->options;
    struct outbox_due due = {.seq = queue->waiters.first->seq};
    enum outbox_state state;
    int code;

    if (slots_find(&queue->slots, due.seq) != NULL)
        return SQLITE_DONE; /* its outcome is being recorded */
    code = outbox_state(o->reader, queue->destination->number, due.seq, &state, &due.tries);
    if (code == SQLITE_OK && state == OUTBOX_DONE) {
        answer_wait_finish(answer_wait_list_take(&queue->waiters), ANSWER_WAIT_DELIVERED);
        return SQLITE_ROW;
    }
    return code == SQLITE_OK ? queue_start_again(queue, &due, true) : code;
}

/* ---- all of it */

static int queue_start_one(struct queue *queue, int64_t now_us)
{
    unsigned sending = queue_sending(queue);
    unsigned most = queue->destination->concurrency, allowed;
    int code = SQLITE_DONE;

    if (sending >= most || slots_unused(&queue->slots) == NULL)
        return SQLITE_DONE;
    if (queue->waiters.first != NULL)
        code = queue_start_waiter(queue);
    if (queue->retired)
        return code;
    allowed = breaker_allows(&queue->breaker, most, now_us);
    if (code != SQLITE_DONE || sending >= allowed)
        return code;
    return queue->destination->ordered ? queue_start_in_order(queue)
                                       : queue_start_either(queue, allowed);
}

static void queue_take_kick(struct queue *queue)
{
    if (!atomic_exchange(&queue->kicked, false))
        return;
    queue->schedule.due_us = 0;
    breaker_probe(&queue->breaker);
}

static int queue_start_all(struct queue *queue, int64_t now_us)
{
    int code = SQLITE_DONE;

    if (queue->stopping || now_us < queue->broken_until_us)
        return SQLITE_OK;
    while ((code = queue_start_one(queue, now_us)) == SQLITE_ROW)
        ;
    if (code == SQLITE_DONE)
        return SQLITE_OK;
    queue->broken_until_us = now_us + STORE_RETRY_US;
    return code;
}

int queue_run(struct queue *queue, int64_t now_us)
{
    int code;

    queue_take_kick(queue);
    answer_wait_list_expire(&queue->waiters, now_us);
    queue_record_again(queue, now_us, false);
    code = queue_start_all(queue, now_us);
    watermark_write(&queue->watermark, queue_low_water(queue, NULL), now_us, false);
    atomic_store(&queue->counters.sending, queue_sending(queue));
    atomic_store(&queue->counters.resting, now_us < queue->breaker.rests_until_us);
    return code;
}

void queue_flush(struct queue *queue)
{
    int64_t now_us = clock_mono_us();

    queue_record_again(queue, now_us, true);
    watermark_write(&queue->watermark, queue_low_water(queue, NULL), now_us, true);
}

static int64_t queue_min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t queue_max_us(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When something may be started that is there, or INT64_MAX. */
static int64_t queue_wait_to_start_us(const struct queue *queue, int64_t now_us)
{
    const struct destination *d = queue->destination;
    unsigned sending = queue_sending(queue);
    int64_t wait_us = schedule_wait_us(&queue->schedule);

    if (queue->stopping || queue->retired || sending >= d->concurrency ||
        slots_unused(&queue->slots) == NULL)
        return INT64_MAX;
    if (now_us >= queue->breaker.rests_until_us &&
        sending >= breaker_allows(&queue->breaker, d->concurrency, now_us))
        return INT64_MAX;
    if (d->ordered && slots_in(&queue->slots, ATTEMPT_NONE) < queue->slots.count)
        return INT64_MAX;
    if (wait_us == INT64_MAX)
        return INT64_MAX;
    wait_us = queue_max_us(wait_us, queue->breaker.rests_until_us - now_us);
    return queue_max_us(wait_us, queue->broken_until_us - now_us);
}

int64_t queue_wait_us(const struct queue *queue, int64_t now_us)
{
    int64_t wait_us = queue_wait_to_start_us(queue, now_us);

    if (queue->waiters.first != NULL)
        wait_us = queue_min_us(wait_us, queue->waiters.first->until_us - now_us);
    wait_us = queue_min_us(
        wait_us, watermark_wait_us(&queue->watermark, queue_low_water(queue, NULL), now_us));
    wait_us = queue_min_us(wait_us, slots_record_at_us(&queue->slots) - now_us);
    return wait_us < 0 ? 0 : wait_us;
}

void queue_notify(struct queue *queue)
{
    queue->schedule.news = true;
}

void queue_stop(struct queue *queue)
{
    queue->stopping = true;
    while (queue->waiters.first != NULL)
        answer_wait_finish(answer_wait_list_take(&queue->waiters), ANSWER_WAIT_FAILED);
}

void queue_cancel(struct queue *queue)
{
    slots_cancel(&queue->slots);
}

void queue_kick(struct queue *queue)
{
    atomic_store(&queue->kicked, true);
}

void queue_stats(const struct queue *queue, struct queue_stats *stats)
{
    *stats = (struct queue_stats){
        .forwarded = atomic_load(&queue->counters.forwarded),
        .retried = atomic_load(&queue->counters.retried),
        .parked = atomic_load(&queue->counters.parked),
        .took_us = atomic_load(&queue->counters.took_us),
        .sending = atomic_load(&queue->counters.sending),
        .success_us = atomic_load(&queue->counters.success_us),
        .resting = atomic_load(&queue->counters.resting),
    };
    snprintf(stats->destination, sizeof(stats->destination), "%s", queue->name);
}

const char *queue_name(const struct queue *queue)
{
    return queue->name;
}

int64_t queue_destination(const struct queue *queue)
{
    return queue->destination->number;
}

/* ---- its life */

/* They take part in it from the next turn on. Without memory it makes do with what there is. */
static bool queue_reserve(struct queue *queue, unsigned slots)
{
    const struct attempt like = {
        .tools = queue->options.tools,
        .data = queue,
        .answered = queue_on_answered,
        .recorded = queue_on_recorded,
    };

    if (slots <= queue->slots.count)
        return true;
    return schedule_reserve(&queue->schedule, slots) && slots_grow(&queue->slots, slots, &like);
}

struct queue *queue_new(const struct queue_options *options)
{
    struct queue *queue = calloc(1, sizeof(*queue));

    if (queue == NULL)
        return NULL;
    queue->options = *options;
    queue->schedule.reader = options->reader;
    queue->schedule.newest = options->newest;
    if ((queue->name = strdup(options->name)) == NULL || !queue_reserve(queue, SLOTS_PER_SENDER))
        queue_free(&queue);
    return queue;
}

void queue_free(struct queue **queue)
{
    if (*queue != NULL) {
        slots_free(&(*queue)->slots);
        policy_release_forwarding(&(*queue)->policy);
        schedule_free(&(*queue)->schedule);
        free((*queue)->name);
    }
    free(*queue);
    *queue = NULL;
}

void queue_follow(struct queue *queue, struct policy *policy, const struct destination *d)
{
    const struct destination *before = queue->destination;
    struct policy *old = queue->policy;

    queue->policy = policy_hold_forwarding(policy);
    queue->destination = d;
    queue->retired = false;
    queue_reserve(queue, SLOTS_PER_SENDER * d->concurrency);
    schedule_follow(&queue->schedule, d);
    if (before == NULL)
        watermark_init(&queue->watermark, queue->options.tools, d->number, d->cursor);
    else if (destination_url_changed(before, d))
        breaker_success(&queue->breaker);
    policy_release_forwarding(&old);
}

void queue_retire(struct queue *queue)
{
    queue->retired = true;
    schedule_doubt_rows(&queue->schedule);
}

bool queue_has_ended(const struct queue *queue)
{
    return queue->retired && slots_in(&queue->slots, ATTEMPT_NONE) == queue->slots.count &&
           queue->waiters.first == NULL && !queue->watermark.under_way &&
           watermark_wait_us(&queue->watermark, queue_low_water(queue, NULL), 0) == INT64_MAX &&
           policy_is_only_forwarding(queue->policy);
}
