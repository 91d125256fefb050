/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "attempt.h"
#include "breaker.h"
#include "clock.h"
#include "cursor.h"
#include "destination.h"
#include "entry.h"
#include "relay.h"

enum {
    PLACES_PER_SENDER = 4, /* outcomes may wait for the disk while others are sent */
    BROKEN_US = 1000000,   /* until a store that cannot be read is tried again */
};

struct lane {
    struct lane_options options;
    struct attempt *attempts;
    unsigned places;
    struct outbox_due *due;
    struct breaker breaker;
    struct relay_line relays;
    int64_t position; /* everything up to it was started, or is none of ours */
    struct cursor cursor;
    int64_t due_us;    /* nothing is due before; 0: look */
    bool news;         /* there may be something beyond the position */
    bool due_was_last; /* of the two kinds */
    bool stopping;
    int64_t broken_until_us;
    atomic_bool kicked;
    struct {
        atomic_uint_fast64_t forwarded, retried, parked, took_us;
        atomic_int_fast64_t success_us;
        atomic_uint sending;
        atomic_bool resting;
    } stats;
};

static unsigned count(const struct lane *lane, enum attempt_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lane->places; i++)
        n += lane->attempts[i].state == state;
    return n;
}

unsigned lane_sending(const struct lane *lane)
{
    return count(lane, ATTEMPT_SENDING);
}

unsigned lane_recording(const struct lane *lane)
{
    return count(lane, ATTEMPT_RECORDING) + lane->cursor.under_way;
}

static struct attempt *find_attempt(const struct lane *lane, int64_t seq)
{
    for (unsigned i = 0; i < lane->places; i++)
        if (lane->attempts[i].state != ATTEMPT_NONE && lane->attempts[i].facts.seq == seq)
            return &lane->attempts[i];
    return NULL;
}

static struct attempt *find_place(const struct lane *lane)
{
    for (unsigned i = 0; i < lane->places; i++)
        if (lane->attempts[i].state == ATTEMPT_NONE)
            return &lane->attempts[i];
    return NULL;
}

/* ---- the cursor */

/* Up to where all is taken up once `but` is recorded. */
static int64_t cursor_after(const struct lane *lane, const struct attempt *but)
{
    int64_t cursor = lane->position;

    for (unsigned i = 0; i < lane->places; i++) {
        const struct attempt *a = &lane->attempts[i];

        if (a != but && a->state != ATTEMPT_NONE && a->facts.first && a->facts.seq <= cursor)
            cursor = a->facts.seq - 1;
    }
    return cursor;
}

/* ---- what becomes of attempts */

static void on_answered(struct attempt *a)
{
    struct lane *lane = a->data;

    if (a->reached)
        breaker_success(&lane->breaker);
    else
        breaker_failure(&lane->breaker, a->asked_us, clock_mono_us());
    attempt_record(a, cursor_after(lane, a));
}

static void on_recorded(struct attempt *a)
{
    struct lane *lane = a->data;

    cursor_carried(&lane->cursor, a->cursor);
    lane->stats.took_us += (uint64_t)a->facts.took_us;
    if (a->facts.state == OUTBOX_DONE) {
        lane->stats.forwarded++;
        lane->stats.success_us = a->facts.at_us + a->facts.took_us;
    } else if (a->facts.state == OUTBOX_PARKED) {
        lane->stats.parked++;
    } else {
        lane->stats.retried++;
        if (a->facts.due_us < lane->due_us)
            lane->due_us = a->facts.due_us;
    }
}

static void record_again(struct lane *lane, bool now)
{
    for (unsigned i = 0; i < lane->places; i++) {
        struct attempt *a = &lane->attempts[i];

        if (a->state == ATTEMPT_UNRECORDED && (now || a->retry_us <= clock_mono_us()))
            attempt_record(a, cursor_after(lane, a));
    }
}

/* ---- those who wait for an answer */

void lane_relay(struct lane *lane, struct relay *relay)
{
    struct attempt *a = find_attempt(lane, relay->seq);

    relay->until_us =
        clock_mono_us() + (int64_t)lane->options.destination->target.timeout_s * 1000000;
    if (a != NULL && a->state == ATTEMPT_SENDING)
        attempt_join(a, relay);
    else if (lane->stopping)
        relay_dismiss(relay, RELAY_FAILED);
    else
        relay_line_put(&lane->relays, relay);
}

/* They stand in the order of their deadlines. */
static void dismiss_late(struct lane *lane)
{
    while (lane->relays.first != NULL && lane->relays.first->until_us <= clock_mono_us())
        relay_dismiss(relay_line_take(&lane->relays), RELAY_TIMEOUT);
}

/* ---- what is next */

static bool wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    const struct lane *lane = data;
    const struct destination *d = lane->options.destination;

    /* Where a sender waits there is a row in `unsent` from the start. Whether it was so for those
     * that were there before us is looked up. */
    if (lane->position >= lane->options.newest && destination_answers(d, source))
        return false;
    return destination_takes(d, source, type);
}

/* SQLITE_ROW if an attempt was started, SQLITE_DONE if there is nothing to start. */
static int start_new(struct lane *lane)
{
    const struct lane_options *o = &lane->options;
    enum outbox_state state = OUTBOX_WAITING;
    struct entry *entry;
    int code;

    if (!lane->news)
        return SQLITE_DONE;
    code = outbox_next(o->reader, &lane->position, wants, lane, &entry, &lane->news);
    if (code != SQLITE_ROW) {
        lane->news |= code != SQLITE_DONE;
        return code;
    }
    if (entry->seq <= o->newest)
        code = outbox_state(o->reader, o->destination->number, entry->seq, &state, NULL);
    else if (destination_answers(o->destination, entry->source))
        state = OUTBOX_RETRY;
    if (code != SQLITE_ROW && code != SQLITE_OK) {
        lane->position = entry->seq - 1;
        lane->news = true;
        free(entry);
        return code;
    }
    if (state != OUTBOX_WAITING) {
        free(entry);
        return SQLITE_DONE;
    }
    attempt_start(find_place(lane), entry, entry->seq, 1, true);
    return SQLITE_ROW;
}

/* Perhaps for the relay that is the first in line. */
static int start_again(struct lane *lane, const struct outbox_due *due, bool for_relay)
{
    struct attempt *a = find_place(lane);
    struct entry *entry;
    int code = outbox_entry(lane->options.reader, due->seq, &entry);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return code;
    if (for_relay)
        attempt_join(a, relay_line_take(&lane->relays));
    attempt_start(a, entry, due->seq, due->tries + 1, false);
    return SQLITE_ROW;
}

static int start_due(struct lane *lane)
{
    const struct lane_options *o = &lane->options;
    int64_t now_us = clock_steady_us();
    size_t found;
    int code;

    if (now_us < lane->due_us)
        return SQLITE_DONE;
    code =
        outbox_due(o->reader, o->destination->number, now_us, lane->due, lane->places + 1, &found);
    for (size_t i = 0; code == SQLITE_OK && i < found; i++)
        if (find_attempt(lane, lane->due[i].seq) == NULL)
            return start_again(lane, &lane->due[i], false);
    if (code == SQLITE_OK)
        code = outbox_next_due(o->reader, o->destination->number, now_us, &lane->due_us);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

/* One at a time, and what has to be tried again before what is new. */
static int start_in_order(struct lane *lane)
{
    const struct lane_options *o = &lane->options;
    struct outbox_due due;
    bool found;
    int code;

    if (count(lane, ATTEMPT_NONE) < lane->places)
        return SQLITE_DONE;
    if (clock_steady_us() < lane->due_us && lane->due_us != INT64_MAX)
        return SQLITE_DONE;
    code = outbox_first(o->reader, o->destination->number, &due, &found);
    if (code != SQLITE_OK)
        return code;
    lane->due_us = found ? due.due_us : INT64_MAX;
    if (!found)
        return start_new(lane);
    return due.due_us <= clock_steady_us() ? start_again(lane, &due, false) : SQLITE_DONE;
}

static unsigned retries_under_way(const struct lane *lane)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lane->places; i++)
        n += lane->attempts[i].state == ATTEMPT_SENDING && !lane->attempts[i].facts.first;
    return n;
}

/* Also where one attempt is to find out whether the destination is back: what fails again and again
 * must not be all that is tried. */
static int start_either(struct lane *lane, unsigned allowed)
{
    unsigned most = allowed / 2;
    bool due_first = most == 0 ? !lane->due_was_last : retries_under_way(lane) < most;
    int code = due_first ? start_due(lane) : start_new(lane);

    lane->due_was_last = due_first == (code == SQLITE_ROW);
    /* There may be more new ones behind those that nobody wants. */
    if (code == SQLITE_DONE && (due_first || !lane->news))
        code = due_first ? start_new(lane) : start_due(lane);
    return code;
}

static int start_relay(struct lane *lane)
{
    const struct lane_options *o = &lane->options;
    struct outbox_due due = {.seq = lane->relays.first->seq};
    enum outbox_state state;
    int code;

    if (find_attempt(lane, due.seq) != NULL)
        return SQLITE_DONE; /* its outcome is being recorded */
    code = outbox_state(o->reader, o->destination->number, due.seq, &state, &due.tries);
    if (code == SQLITE_OK && state == OUTBOX_DONE) {
        relay_dismiss(relay_line_take(&lane->relays), RELAY_DONE);
        return SQLITE_ROW;
    }
    return code == SQLITE_OK ? start_again(lane, &due, true) : code;
}

/* ---- all of it */

static int start_one(struct lane *lane)
{
    unsigned sending = lane_sending(lane);
    unsigned most = lane->options.destination->concurrency, allowed;
    int code = SQLITE_DONE;

    if (sending >= most || find_place(lane) == NULL)
        return SQLITE_DONE;
    if (lane->relays.first != NULL)
        code = start_relay(lane);
    allowed = breaker_allows(&lane->breaker, most, clock_mono_us());
    if (code != SQLITE_DONE || sending >= allowed)
        return code;
    return lane->options.destination->ordered ? start_in_order(lane) : start_either(lane, allowed);
}

static void look_at_kick(struct lane *lane)
{
    if (!atomic_exchange(&lane->kicked, false))
        return;
    lane->due_us = 0;
    breaker_probe(&lane->breaker);
}

static int start_all(struct lane *lane)
{
    int code = SQLITE_DONE;

    if (lane->stopping || clock_mono_us() < lane->broken_until_us)
        return SQLITE_OK;
    while ((code = start_one(lane)) == SQLITE_ROW)
        ;
    if (code == SQLITE_DONE)
        return SQLITE_OK;
    lane->broken_until_us = clock_mono_us() + BROKEN_US;
    return code;
}

int lane_run(struct lane *lane)
{
    int code;

    look_at_kick(lane);
    dismiss_late(lane);
    record_again(lane, false);
    code = start_all(lane);
    cursor_write(&lane->cursor, cursor_after(lane, NULL), false);
    atomic_store(&lane->stats.sending, lane_sending(lane));
    atomic_store(&lane->stats.resting, clock_mono_us() < lane->breaker.rests_until_us);
    return code;
}

void lane_flush(struct lane *lane)
{
    record_again(lane, true);
    cursor_write(&lane->cursor, cursor_after(lane, NULL), true);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When something may be started that is there, or INT64_MAX. */
static int64_t wait_to_start_us(const struct lane *lane, int64_t now_us)
{
    const struct destination *d = lane->options.destination;
    unsigned sending = lane_sending(lane);
    int64_t wait_us = INT64_MAX;

    if (lane->stopping || sending >= d->concurrency || find_place(lane) == NULL)
        return INT64_MAX;
    if (now_us >= lane->breaker.rests_until_us &&
        sending >= breaker_allows(&lane->breaker, d->concurrency, now_us))
        return INT64_MAX;
    if (lane->due_us != INT64_MAX)
        wait_us = lane->due_us - clock_steady_us();
    if (lane->news && (!d->ordered || lane->due_us == INT64_MAX))
        wait_us = 0;
    if (d->ordered && count(lane, ATTEMPT_NONE) < lane->places)
        return INT64_MAX;
    if (wait_us == INT64_MAX)
        return INT64_MAX;
    wait_us = later(wait_us, lane->breaker.rests_until_us - now_us);
    return later(wait_us, lane->broken_until_us - now_us);
}

int64_t lane_wait_us(const struct lane *lane)
{
    int64_t now_us = clock_mono_us(), wait_us = wait_to_start_us(lane, now_us);

    if (lane->relays.first != NULL)
        wait_us = earlier(wait_us, lane->relays.first->until_us - now_us);
    wait_us = earlier(wait_us, cursor_wait_us(&lane->cursor, cursor_after(lane, NULL)));
    for (unsigned i = 0; i < lane->places; i++)
        if (lane->attempts[i].state == ATTEMPT_UNRECORDED)
            wait_us = earlier(wait_us, lane->attempts[i].retry_us - now_us);
    return wait_us < 0 ? 0 : wait_us;
}

void lane_news(struct lane *lane)
{
    lane->news = true;
}

void lane_stop(struct lane *lane)
{
    lane->stopping = true;
    while (lane->relays.first != NULL)
        relay_dismiss(relay_line_take(&lane->relays), RELAY_FAILED);
}

void lane_cancel(struct lane *lane)
{
    for (unsigned i = 0; i < lane->places; i++)
        if (lane->attempts[i].state == ATTEMPT_SENDING)
            attempt_cancel(&lane->attempts[i]);
}

void lane_kick(struct lane *lane)
{
    atomic_store(&lane->kicked, true);
}

void lane_stats(const struct lane *lane, struct lane_stats *stats)
{
    *stats = (struct lane_stats){
        .destination = lane->options.destination->name,
        .forwarded = atomic_load(&lane->stats.forwarded),
        .retried = atomic_load(&lane->stats.retried),
        .parked = atomic_load(&lane->stats.parked),
        .took_us = atomic_load(&lane->stats.took_us),
        .sending = atomic_load(&lane->stats.sending),
        .success_us = atomic_load(&lane->stats.success_us),
        .resting = atomic_load(&lane->stats.resting),
    };
}

struct lane *lane_new(const struct lane_options *options)
{
    struct lane *lane = calloc(1, sizeof(*lane));

    if (lane == NULL)
        return NULL;
    lane->options = *options;
    lane->places = PLACES_PER_SENDER * options->destination->concurrency;
    lane->position = options->destination->cursor;
    cursor_init(&lane->cursor, options->tools, options->destination->number, lane->position);
    lane->news = true;
    lane->attempts = calloc(lane->places, sizeof(*lane->attempts));
    lane->due = calloc(lane->places + 1, sizeof(*lane->due));
    if (lane->attempts == NULL || lane->due == NULL) {
        lane_free(&lane);
        return NULL;
    }
    for (unsigned i = 0; i < lane->places; i++) {
        struct attempt *a = &lane->attempts[i];

        a->tools = options->tools;
        a->destination = options->destination;
        a->data = lane;
        a->answered = on_answered;
        a->recorded = on_recorded;
    }
    return lane;
}

void lane_free(struct lane **lane)
{
    for (unsigned i = 0; *lane != NULL && (*lane)->attempts != NULL && i < (*lane)->places; i++)
        free((*lane)->attempts[i].entry);
    if (*lane != NULL) {
        free((*lane)->attempts);
        free((*lane)->due);
    }
    free(*lane);
    *lane = NULL;
}
