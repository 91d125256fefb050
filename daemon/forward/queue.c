/* SPDX-License-Identifier: MIT
 *
 * The parts of a queue, each one section below:
 *
 *   counters   totals of the attempts' outcomes, readable from any thread
 *   slots      running attempts, and free ones for more
 *   watermark  low-water mark: the first attempt of every delivery up to this seq is recorded, or
 *              the delivery is filtered; stored as `cursor` of `destination`
 *   schedule   deliveries not yet tried, in order of arrival, and deliveries due for a retry
 *   queue      takes the next delivery of the schedule, asks the breaker, fills a slot
 */
#include "daemon/forward/queue.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/limit.h"
#include "daemon/base/mailbox.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/forward/attempt.h"
#include "daemon/base/backoff.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/writer.h"

/* ---- counters */

struct queue_counters {
    atomic_uint_fast64_t forwarded, retried, parked, refused, took_us;
    atomic_int_fast64_t success_us; /* time of the last success; 0: none */
    atomic_uint sending;            /* attempts being sent; set by queue_run() */
    atomic_bool resting;            /* the breaker is open; set by queue_run() */
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

/* ---- slots */

struct slots {
    struct attempt **all;
    unsigned count;
};

/* Grows to `count` slots, each a copy of `like`; never shrinks. Returns false on ENOMEM;
 * existing slots stay usable. A slot never moves in memory, because the writer and libcurl keep
 * its address. */
static bool slots_grow(struct slots *slots, unsigned count, const struct attempt *like)
{
    struct attempt **all;

    if (count <= slots->count)
        return true;
    if ((all = realloc(slots->all, count * sizeof(struct attempt *))) == NULL)
        return false;
    slots->all = all;
    while (slots->count < count && (all[slots->count] = malloc(sizeof(struct attempt))) != NULL)
        *all[slots->count++] = *like;
    return slots->count == count;
}

static void slots_free(struct slots *slots)
{
    for (unsigned i = 0; i < slots->count; i++) {
        policy_release_forwarding(&slots->all[i]->policy);
        free(slots->all[i]->delivery);
        free(slots->all[i]);
    }
    free(slots->all);
}

static unsigned slots_in(const struct slots *slots, enum attempt_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < slots->count; i++)
        n += slots->all[i]->state == state;
    return n;
}

static unsigned slots_sending_again(const struct slots *slots)
{
    unsigned n = 0;

    for (unsigned i = 0; i < slots->count; i++)
        n += slots->all[i]->state == ATTEMPT_SENDING && !slots->all[i]->facts.first;
    return n;
}

/* Returns NULL if no attempt has that seq. */
static struct attempt *slots_find(const struct slots *slots, int64_t seq)
{
    for (unsigned i = 0; i < slots->count; i++)
        if (slots->all[i]->state != ATTEMPT_NONE && slots->all[i]->facts.seq == seq)
            return slots->all[i];
    return NULL;
}

static struct attempt *slots_unused(const struct slots *slots)
{
    for (unsigned i = 0; i < slots->count; i++)
        if (slots->all[i]->state == ATTEMPT_NONE)
            return slots->all[i];
    return NULL;
}

/* Returns when the next rejected record is due for the writer; INT64_MAX: none. */
static int64_t slots_record_at_us(const struct slots *slots)
{
    int64_t at_us = INT64_MAX;

    for (unsigned i = 0; i < slots->count; i++)
        if (slots->all[i]->state == ATTEMPT_UNRECORDED && slots->all[i]->retry_us < at_us)
            at_us = slots->all[i]->retry_us;
    return at_us;
}

static void slots_cancel(const struct slots *slots)
{
    for (unsigned i = 0; i < slots->count; i++)
        if (slots->all[i]->state == ATTEMPT_SENDING)
            attempt_cancel(slots->all[i]);
}

/* Returns the low-water mark: `position`, or the seq before the first running first attempt.
 * Ignores the attempt `but`. */
static int64_t slots_low_water(const struct slots *slots, int64_t position,
                               const struct attempt *but)
{
    int64_t low = position;

    for (unsigned i = 0; i < slots->count; i++) {
        const struct attempt *attempt = slots->all[i];

        if (attempt != but && attempt->state != ATTEMPT_NONE && attempt->facts.first &&
            attempt->facts.seq <= low)
            low = attempt->facts.seq - 1;
    }
    return low;
}

/* ---- watermark */

struct watermark {
    struct writer_task task;
    struct mailbox_message message;
    const struct attempt_tools *tools;
    int64_t destination; /* number in the store */
    int64_t stored;
    int64_t writing;
    enum writer_outcome outcome;
    bool under_way;
    int64_t again_us; /* earliest time of the next write */
};

enum {
    WATERMARK_EVERY_US = 500000,
};

static void watermark_init(struct watermark *watermark, const struct attempt_tools *tools,
                           int64_t destination, int64_t stored)
{
    *watermark = (struct watermark){.tools = tools, .destination = destination, .stored = stored};
}

/* An attempt's record has written the mark, too. */
static void watermark_carried(struct watermark *watermark, int64_t stored)
{
    if (stored > watermark->stored)
        watermark->stored = stored;
}

static void watermark_on_recorded(struct mailbox_message *message)
{
    struct watermark *watermark =
        (struct watermark *)((char *)message - offsetof(struct watermark, message));

    watermark->under_way = false;
    if (watermark->outcome == WRITER_DURABLE)
        watermark_carried(watermark, watermark->writing);
}

/* Runs on the writer thread, as does watermark_on_task_done(). */
static int watermark_run_task(struct writer_task *task)
{
    const struct watermark *watermark = (const struct watermark *)task;

    return outbox_set_cursor(watermark->tools->outbox, watermark->destination, watermark->writing);
}

static void watermark_on_task_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct watermark *watermark = (struct watermark *)task;

    watermark->outcome = outcome;
    mailbox_post(watermark->tools->mailbox, &watermark->message);
}

/* Writes the mark on its own, at most every 500 ms unless `now`. Needed if no attempt's record
 * carries the mark: after filtered deliveries, and after attempts that end out of order. */
static void watermark_write(struct watermark *watermark, int64_t position, int64_t now_us, bool now)
{
    if (watermark->under_way || position <= watermark->stored ||
        (now_us < watermark->again_us && !now))
        return;
    watermark->again_us = now_us + WATERMARK_EVERY_US;
    watermark->writing = position;
    watermark->task = (struct writer_task){
        .bytes = sizeof(*watermark),
        .run = watermark_run_task,
        .done = watermark_on_task_done,
    };
    watermark->message.take = watermark_on_recorded;
    watermark->under_way = writer_post(watermark->tools->writer, &watermark->task);
}

/* Returns the time until the next write; INT64_MAX: nothing to write. */
static int64_t watermark_wait_us(const struct watermark *watermark, int64_t position,
                                 int64_t now_us)
{
    if (watermark->under_way || position <= watermark->stored)
        return INT64_MAX;
    return watermark->again_us - now_us;
}

/* ---- schedule */

struct schedule {
    struct outbox *reader;
    const struct destination *destination; /* owned by the queue's policy */
    int64_t newest;                        /* seqs up to here may have been attempted before */
    int64_t position;                      /* seqs up to here were started or filtered */
    bool news;                             /* deliveries may exist beyond `position` */
    int64_t due_us;                        /* earliest due time; 0: unknown; INT64_MAX: none */
    struct outbox_due *due;                /* buffer for due rows */
};

/* Reserves `count` due rows; on ENOMEM the old capacity remains. */
static bool schedule_reserve(struct schedule *schedule, unsigned count)
{
    struct outbox_due *due = realloc(schedule->due, (count + 1) * sizeof(*due));

    if (due != NULL)
        schedule->due = due;
    return due != NULL;
}

static void schedule_free(struct schedule *schedule)
{
    free(schedule->due);
}

/* Looks up the state of every new delivery from now on. A row in `unsent` exists before the first
 * attempt if the destination answered for the source under the policy of the request, which may
 * differ from ours. */
static void schedule_doubt_rows(struct schedule *schedule)
{
    schedule->newest = INT64_MAX;
}

/* Switches to a new policy's destination. The first one sets the start position. */
static void schedule_follow(struct schedule *schedule, const struct destination *destination)
{
    const struct destination *before = schedule->destination;

    schedule->destination = destination;
    schedule->news = true;
    schedule->due_us = 0;
    if (before == NULL)
        schedule->position = destination->cursor;
    else if (!destination_same_answers(before, destination))
        schedule_doubt_rows(schedule);
}

/* A delivery may be due earlier than known. */
static void schedule_expect(struct schedule *schedule, int64_t due_us)
{
    if (due_us < schedule->due_us)
        schedule->due_us = due_us;
}

static bool schedule_wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    const struct schedule *schedule = data;

    /* If the destination answers for the source, a row in `unsent` exists, and the delivery is due,
     * not new. Deliveries before `newest` are looked up. */
    if (schedule->position >= schedule->newest &&
        destination_answers(schedule->destination, source))
        return false;
    return destination_matches(schedule->destination, source, type);
}

/* Finds the next delivery not tried yet; the caller frees it. Returns SQLITE_ROW, SQLITE_DONE if
 * there is none, or SQLite's error; likewise schedule_next_due() and schedule_oldest(). */
static int schedule_next_new(struct schedule *schedule, struct delivery_row **delivery)
{
    enum outbox_state state = OUTBOX_WAITING;
    int code;

    if (!schedule->news)
        return SQLITE_DONE;
    code = outbox_next(schedule->reader, &schedule->position, schedule_wants, schedule, delivery,
                       &schedule->news);
    if (code != SQLITE_ROW) {
        schedule->news |= code != SQLITE_DONE;
        return code;
    }
    if ((*delivery)->seq <= schedule->newest || (*delivery)->damaged)
        code = outbox_state(schedule->reader, schedule->destination->number, (*delivery)->seq,
                            &state, NULL);
    else if (destination_answers(schedule->destination, (*delivery)->source))
        state = OUTBOX_RETRY;
    if (code != SQLITE_ROW && code != SQLITE_OK) {
        schedule->position = (*delivery)->seq - 1;
        schedule->news = true;
        free(*delivery);
        return code;
    }
    if (state == OUTBOX_WAITING)
        return SQLITE_ROW;
    free(*delivery);
    return SQLITE_DONE;
}

/* Finds the next due delivery that has no slot yet. */
static int schedule_next_due(struct schedule *schedule, const struct slots *slots,
                             struct outbox_due *due)
{
    int64_t now_us = clock_steady_us();
    size_t found;
    int code;

    if (now_us < schedule->due_us)
        return SQLITE_DONE;
    code = outbox_due(schedule->reader, schedule->destination->number, now_us, schedule->due,
                      slots->count + 1, &found);
    for (size_t i = 0; code == SQLITE_OK && i < found; i++) {
        if (slots_find(slots, schedule->due[i].seq) == NULL) {
            *due = schedule->due[i];
            return SQLITE_ROW;
        }
    }
    if (code == SQLITE_OK)
        code = outbox_next_due(schedule->reader, schedule->destination->number, now_us,
                               &schedule->due_us);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

/* Finds the oldest delivery waiting for a retry, for ordered destinations. *none: there is none, so
 * a new delivery may start. */
static int schedule_oldest(struct schedule *schedule, struct outbox_due *due, bool *none)
{
    bool found;
    int code;

    *none = false;
    if (clock_steady_us() < schedule->due_us && schedule->due_us != INT64_MAX)
        return SQLITE_DONE;
    code = outbox_lowest_due(schedule->reader, schedule->destination->number, due, &found);
    if (code != SQLITE_OK)
        return code;
    schedule->due_us = found ? due->due_us : INT64_MAX;
    *none = !found;
    return found && due->due_us <= clock_steady_us() ? SQLITE_ROW : SQLITE_DONE;
}

/* Returns the time until the next start; INT64_MAX: none known. */
static int64_t schedule_wait_us(const struct schedule *schedule)
{
    if (schedule->news && (!schedule->destination->ordered || schedule->due_us == INT64_MAX))
        return 0;
    return schedule->due_us == INT64_MAX ? INT64_MAX : schedule->due_us - clock_steady_us();
}

/* ---- queue */

enum {
    SLOTS_PER_SENDER = 4,     /* spare slots hold outcomes until they are recorded */
    STORE_RETRY_US = 1000000, /* pause after a failed read of the store */
};

struct queue {
    struct queue_options options;
    char *name;
    struct policy *policy; /* held */
    const struct destination *destination;
    struct slots slots;
    struct schedule schedule;
    struct breaker breaker;
    struct rate rate; /* unused unless the destination has one */
    struct answer_wait_list waiters;
    struct watermark watermark;
    bool due_was_last; /* queue_start_either() alternates */
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

/* The attempt keeps the current policy, even if the queue switches to another one. */
static void queue_start_attempt(struct queue *queue, struct attempt *attempt,
                                struct delivery_row *delivery, int64_t seq, unsigned tries,
                                int64_t refusals, bool first)
{
    int64_t now_us = clock_mono_us();

    if (queue->destination->per_second > 0)
        rate_take(&queue->rate, now_us);
    breaker_start(&queue->breaker, now_us);
    attempt->refusals = (unsigned)refusals;
    attempt->policy = policy_hold_forwarding(queue->policy);
    attempt->destination = queue->destination;
    attempt_start(attempt, delivery, seq, tries, first);
}

/* ---- queue: ends of attempts */

static void queue_on_answered(struct attempt *attempt)
{
    struct queue *queue = attempt->data;
    bool moved = destination_moved(attempt->destination, queue->destination);
    int64_t now_us = clock_mono_us();

    /* The URL has changed: the result says nothing about the new one, so retry at once. */
    if (moved && attempt->facts.state == OUTBOX_RETRY)
        attempt->facts.due_us = clock_steady_us();
    else if (!moved && attempt->reached)
        breaker_success(&queue->breaker, now_us);
    else if (!moved && attempt->refused)
        breaker_refusal(&queue->breaker, attempt->retry_after_us, attempt->refusals > 0, now_us);
    else if (!moved)
        breaker_failure(&queue->breaker, attempt->retry_after_us, now_us);
    attempt_record(attempt, queue_low_water(queue, attempt));
}

static void queue_on_recorded(struct attempt *attempt)
{
    struct queue *queue = attempt->data;

    policy_release_forwarding(&attempt->policy);
    watermark_carried(&queue->watermark, attempt->cursor);
    queue_counters_add(&queue->counters, &attempt->facts);
    queue->counters.refused += attempt->refused;
    if (attempt->facts.state == OUTBOX_RETRY)
        schedule_expect(&queue->schedule, attempt->facts.due_us);
}

static void queue_record_again(struct queue *queue, int64_t now_us, bool now)
{
    for (unsigned i = 0; i < queue->slots.count; i++) {
        struct attempt *attempt = queue->slots.all[i];

        if (attempt->state == ATTEMPT_UNRECORDED && (now || attempt->retry_us <= now_us))
            attempt_record(attempt, queue_low_water(queue, attempt));
    }
}

/* ---- queue: waiting senders */

void queue_add_waiter(struct queue *queue, struct answer_wait *waiter)
{
    struct attempt *attempt = slots_find(&queue->slots, waiter->seq);

    waiter->until_us = clock_mono_us() + (int64_t)queue->destination->target.timeout_s * 1000000;
    if (attempt != NULL && attempt->state == ATTEMPT_SENDING && attempt->keeps_answer)
        attempt_add_waiter(attempt, waiter);
    else if (queue->stopping)
        answer_wait_finish(waiter, ANSWER_WAIT_FAILED);
    else
        answer_wait_list_put(&queue->waiters, waiter);
}

/* ---- queue: next delivery */

/* Returns SQLITE_ROW if an attempt started, SQLITE_DONE if none can, or SQLite's error. */
static int queue_start_new(struct queue *queue)
{
    struct delivery_row *delivery;
    int code = schedule_next_new(&queue->schedule, &delivery);

    if (code == SQLITE_ROW)
        queue_start_attempt(queue, slots_unused(&queue->slots), delivery, delivery->seq, 1, 0,
                            true);
    return code;
}

/* Starts a retry, or the attempt for the first waiting sender. */
static int queue_start_again(struct queue *queue, const struct outbox_due *due, bool for_waiter)
{
    struct attempt *attempt = slots_unused(&queue->slots);
    struct delivery_row *delivery;
    int64_t refusals;
    int code = outbox_count_attempts(queue->options.reader, queue->destination->number, due->seq,
                                     due->tries + 1, &refusals);

    if (code == SQLITE_OK)
        code = outbox_read_delivery(queue->options.reader, due->seq, &delivery);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return code;
    if (for_waiter)
        attempt_add_waiter(attempt, answer_wait_list_take(&queue->waiters));
    queue_start_attempt(queue, attempt, delivery, due->seq, due->tries + 1, refusals, false);
    return SQLITE_ROW;
}

static int queue_start_due(struct queue *queue)
{
    struct outbox_due due;
    int code = schedule_next_due(&queue->schedule, &queue->slots, &due);

    return code == SQLITE_ROW ? queue_start_again(queue, &due, false) : code;
}

/* Starts one delivery at a time, retries before new ones. */
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

/* Gives retries at most half of the concurrency while new deliveries wait. Retries and new
 * deliveries alternate, so that a failing delivery blocks no other. */
static int queue_start_either(struct queue *queue, unsigned allowed)
{
    unsigned most = allowed / 2;
    bool due_first =
        !queue->due_was_last && (most == 0 || slots_sending_again(&queue->slots) < most);
    int code = due_first ? queue_start_due(queue) : queue_start_new(queue);

    queue->due_was_last = due_first == (code == SQLITE_ROW);
    /* News left: the scan stopped at its limit of filtered deliveries. */
    if (code == SQLITE_DONE && (due_first || !queue->schedule.news))
        code = due_first ? queue_start_new(queue) : queue_start_due(queue);
    return code;
}

static int queue_start_waiter(struct queue *queue)
{
    const struct queue_options *options = &queue->options;
    struct outbox_due due = {.seq = queue->waiters.first->seq};
    enum outbox_state state;
    int code;

    if (slots_find(&queue->slots, due.seq) != NULL)
        return SQLITE_DONE; /* its outcome is being recorded */
    code = outbox_state(options->reader, queue->destination->number, due.seq, &state, &due.tries);
    if (code == SQLITE_OK && state == OUTBOX_DONE) {
        answer_wait_finish(answer_wait_list_take(&queue->waiters), ANSWER_WAIT_DELIVERED);
        return SQLITE_ROW;
    }
    return code == SQLITE_OK ? queue_start_again(queue, &due, true) : code;
}

/* ---- queue: run */

/* Returns the time until the destination's rate admits another attempt. */
static int64_t queue_rate_us(const struct queue *queue, int64_t now_us)
{
    return queue->destination->per_second == 0 ? 0 : rate_wait_us(&queue->rate, now_us);
}

static int queue_start_one(struct queue *queue, int64_t now_us)
{
    unsigned sending = queue_sending(queue);
    unsigned most = queue->destination->concurrency, allowed;
    int code = SQLITE_DONE;

    if (sending >= most || slots_unused(&queue->slots) == NULL || queue_rate_us(queue, now_us) > 0)
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
    atomic_store(&queue->counters.resting, breaker_rests(&queue->breaker, now_us));
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

/* Returns the time until a known delivery may start; INT64_MAX: none. */
static int64_t queue_wait_to_start_us(const struct queue *queue, int64_t now_us)
{
    const struct destination *destination = queue->destination;
    unsigned sending = queue_sending(queue);
    int64_t wait_us = schedule_wait_us(&queue->schedule);

    if (queue->stopping || queue->retired || sending >= destination->concurrency ||
        slots_unused(&queue->slots) == NULL)
        return INT64_MAX;
    if (now_us >= breaker_until_us(&queue->breaker) &&
        sending >= breaker_allows(&queue->breaker, destination->concurrency, now_us))
        return INT64_MAX;
    if (destination->ordered && slots_in(&queue->slots, ATTEMPT_NONE) < queue->slots.count)
        return INT64_MAX;
    if (wait_us == INT64_MAX)
        return INT64_MAX;
    wait_us = queue_max_us(wait_us, breaker_until_us(&queue->breaker) - now_us);
    wait_us = queue_max_us(wait_us, queue_rate_us(queue, now_us));
    return queue_max_us(wait_us, queue->broken_until_us - now_us);
}

int64_t queue_wait_us(const struct queue *queue, int64_t now_us)
{
    int64_t wait_us = queue_wait_to_start_us(queue, now_us);

    if (queue->waiters.first != NULL)
        wait_us = queue_min_us(wait_us, queue->waiters.first->until_us - now_us);
    if (queue->waiters.first != NULL && queue_rate_us(queue, now_us) > 0)
        wait_us = queue_min_us(wait_us, queue_rate_us(queue, now_us));
    wait_us = queue_min_us(
        wait_us, watermark_wait_us(&queue->watermark, queue_low_water(queue, NULL), now_us));
    wait_us = queue_min_us(wait_us, slots_record_at_us(&queue->slots) - now_us);
    return wait_us < 0 ? 0 : wait_us;
}

void queue_notify(struct queue *queue)
{
    queue->schedule.news = true;
}

static void queue_end_idle_waits(struct queue *queue)
{
    while (queue->waiters.first != NULL)
        answer_wait_finish(answer_wait_list_take(&queue->waiters), ANSWER_WAIT_FAILED);
}

void queue_end_waits(struct queue *queue)
{
    queue_end_idle_waits(queue);
    for (unsigned i = 0; i < queue->slots.count; i++)
        attempt_end_waits(queue->slots.all[i]);
}

void queue_stop(struct queue *queue)
{
    queue->stopping = true;
    queue_end_idle_waits(queue);
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
        .refused = atomic_load(&queue->counters.refused),
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

/* ---- queue: start and stop */

/* Grows the slots; they are used from the next run on. On ENOMEM the old number remains. */
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

static void queue_follow_rate(struct queue *queue, const struct destination *destination)
{
    struct rate rate;

    if (destination->per_second == 0)
        return;
    rate_init(&rate, destination->per_second, destination->burst);
    rate_carry_over(&rate, &queue->rate);
    queue->rate = rate;
}

void queue_follow(struct queue *queue, struct policy *policy, const struct destination *destination)
{
    const struct destination *before = queue->destination;
    struct policy *old = queue->policy;

    queue->policy = policy_hold_forwarding(policy);
    queue->destination = destination;
    queue->retired = false;
    queue_reserve(queue, SLOTS_PER_SENDER * destination->concurrency);
    queue_follow_rate(queue, destination);
    schedule_follow(&queue->schedule, destination);
    if (before == NULL)
        watermark_init(&queue->watermark, queue->options.tools, destination->number,
                       destination->cursor);
    else if (destination_moved(before, destination))
        queue->breaker = (struct breaker){0};
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
