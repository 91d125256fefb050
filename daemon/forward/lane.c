/* SPDX-License-Identifier: MIT */
#include "daemon/forward/lane.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/forward/agenda.h"
#include "daemon/forward/attempt.h"
#include "daemon/forward/breaker.h"
#include "daemon/base/clock.h"
#include "daemon/forward/cursor.h"
#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"
#include "daemon/forward/places.h"
#include "daemon/forward/relay.h"
#include "daemon/policy/rules.h"
#include "daemon/forward/tally.h"

enum {
    PLACES_PER_SENDER = 4, /* outcomes may wait for the disk while others are sent */
    BROKEN_US = 1000000,   /* until a store that cannot be read is tried again */
};

struct lane {
    struct lane_options options;
    char *name;
    struct rules *rules; /* held */
    const struct destination *destination;
    struct places places;
    struct agenda agenda;
    struct breaker breaker;
    struct relay_line relays;
    struct cursor cursor;
    bool due_was_last; /* of the two kinds on the agenda */
    bool stopping;
    bool retired;
    int64_t broken_until_us;
    atomic_bool kicked;
    struct tally tally;
};

unsigned lane_sending(const struct lane *lane)
{
    return places_in(&lane->places, ATTEMPT_SENDING);
}

unsigned lane_recording(const struct lane *lane)
{
    return places_in(&lane->places, ATTEMPT_RECORDING) + lane->cursor.under_way;
}

static int64_t cursor_after(const struct lane *lane, const struct attempt *but)
{
    return places_cursor(&lane->places, lane->agenda.position, but);
}

/* Whatever becomes of the lane's rules meanwhile, the attempt keeps these. */
static void start_attempt(struct lane *lane, struct attempt *a, struct entry *entry, int64_t seq,
                          unsigned tries, bool first)
{
    a->rules = rules_hold_forwarding(lane->rules);
    a->destination = lane->destination;
    attempt_start(a, entry, seq, tries, first);
}

/* ---- what becomes of attempts */

static void on_answered(struct attempt *a)
{
    struct lane *lane = a->data;
    bool moved = destination_has_moved(a->destination, lane->destination);

    /* If so, it says nothing about where deliveries go now, nor when to try there. */
    if (moved && a->facts.state == OUTBOX_RETRY)
        a->facts.due_us = clock_steady_us();
    else if (!moved && a->reached)
        breaker_success(&lane->breaker);
    else if (!moved)
        breaker_failure(&lane->breaker, a->asked_us, clock_mono_us());
    attempt_record(a, cursor_after(lane, a));
}

static void on_recorded(struct attempt *a)
{
    struct lane *lane = a->data;

    rules_release_forwarding(&a->rules);
    cursor_carried(&lane->cursor, a->cursor);
    tally_add(&lane->tally, &a->facts);
    if (a->facts.state == OUTBOX_RETRY)
        agenda_expect(&lane->agenda, a->facts.due_us);
}

static void record_again(struct lane *lane, bool now)
{
    for (unsigned i = 0; i < lane->places.count; i++) {
        struct attempt *a = lane->places.all[i];

        if (a->state == ATTEMPT_UNRECORDED && (now || a->retry_us <= clock_mono_us()))
            attempt_record(a, cursor_after(lane, a));
    }
}

/* ---- those who wait for an answer */

void lane_relay(struct lane *lane, struct relay *relay)
{
    struct attempt *a = places_find(&lane->places, relay->seq);

    relay->until_us = clock_mono_us() + (int64_t)lane->destination->target.timeout_s * 1000000;
    if (a != NULL && a->state == ATTEMPT_SENDING && a->keeps_answer)
        attempt_join(a, relay);
    else if (lane->stopping)
        relay_dismiss(relay, RELAY_FAILED);
    else
        relay_line_put(&lane->relays, relay);
}

/* ---- what is next */

/* SQLITE_ROW if an attempt was started, SQLITE_DONE if there is nothing to start. */
static int start_new(struct lane *lane)
{
    struct entry *entry;
    int code = agenda_new(&lane->agenda, &entry);

    if (code == SQLITE_ROW)
        start_attempt(lane, places_unused(&lane->places), entry, entry->seq, 1, true);
    return code;
}

/* Perhaps for the relay that is the first in line. */
static int start_again(struct lane *lane, const struct outbox_due *due, bool for_relay)
{
    struct attempt *a = places_unused(&lane->places);
    struct entry *entry;
    int code = outbox_entry(lane->options.reader, due->seq, &entry);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return code;
    if (for_relay)
        attempt_join(a, relay_line_take(&lane->relays));
    start_attempt(lane, a, entry, due->seq, due->tries + 1, false);
    return SQLITE_ROW;
}

static int start_due(struct lane *lane)
{
    struct outbox_due due;
    int code = agenda_due(&lane->agenda, &lane->places, &due);

    return code == SQLITE_ROW ? start_again(lane, &due, false) : code;
}

/* One at a time, and what has to be tried again before what is new. */
static int start_in_order(struct lane *lane)
{
    struct outbox_due due;
    bool none;
    int code;

    if (places_in(&lane->places, ATTEMPT_NONE) < lane->places.count)
        return SQLITE_DONE;
    code = agenda_oldest(&lane->agenda, &due, &none);
    if (code == SQLITE_ROW)
        return start_again(lane, &due, false);
    return none ? start_new(lane) : code;
}

/* Also where one attempt is to find out whether the destination is back: what fails again and again
 * must not be all that is tried. */
static int start_either(struct lane *lane, unsigned allowed)
{
    unsigned most = allowed / 2;
    bool due_first = most == 0 ? !lane->due_was_last : places_sending_again(&lane->places) < most;
    int code = due_first ? start_due(lane) : start_new(lane);

    lane->due_was_last = due_first == (code == SQLITE_ROW);
    /* There may be more new ones behind those that nobody wants. */
    if (code == SQLITE_DONE && (due_first || !lane->agenda.news))
        code = due_first ? start_new(lane) : start_due(lane);
    return code;
}

static int start_relay(struct lane *lane)
{
    const struct lane_options *o = &lane->options;
    struct outbox_due due = {.seq = lane->relays.first->seq};
    enum outbox_state state;
    int code;

    if (places_find(&lane->places, due.seq) != NULL)
        return SQLITE_DONE; /* its outcome is being recorded */
    code = outbox_state(o->reader, lane->destination->number, due.seq, &state, &due.tries);
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
    unsigned most = lane->destination->concurrency, allowed;
    int code = SQLITE_DONE;

    if (sending >= most || places_unused(&lane->places) == NULL)
        return SQLITE_DONE;
    if (lane->relays.first != NULL)
        code = start_relay(lane);
    if (lane->retired)
        return code;
    allowed = breaker_allows(&lane->breaker, most, clock_mono_us());
    if (code != SQLITE_DONE || sending >= allowed)
        return code;
    return lane->destination->ordered ? start_in_order(lane) : start_either(lane, allowed);
}

static void look_at_kick(struct lane *lane)
{
    if (!atomic_exchange(&lane->kicked, false))
        return;
    lane->agenda.due_us = 0;
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
    relay_line_dismiss_late(&lane->relays, clock_mono_us());
    record_again(lane, false);
    code = start_all(lane);
    cursor_write(&lane->cursor, cursor_after(lane, NULL), false);
    atomic_store(&lane->tally.sending, lane_sending(lane));
    atomic_store(&lane->tally.resting, clock_mono_us() < lane->breaker.rests_until_us);
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
    const struct destination *d = lane->destination;
    unsigned sending = lane_sending(lane);
    int64_t wait_us = agenda_wait_us(&lane->agenda);

    if (lane->stopping || lane->retired || sending >= d->concurrency ||
        places_unused(&lane->places) == NULL)
        return INT64_MAX;
    if (now_us >= lane->breaker.rests_until_us &&
        sending >= breaker_allows(&lane->breaker, d->concurrency, now_us))
        return INT64_MAX;
    if (d->ordered && places_in(&lane->places, ATTEMPT_NONE) < lane->places.count)
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
    wait_us = earlier(wait_us, places_record_at_us(&lane->places) - now_us);
    return wait_us < 0 ? 0 : wait_us;
}

void lane_news(struct lane *lane)
{
    lane->agenda.news = true;
}

void lane_stop(struct lane *lane)
{
    lane->stopping = true;
    while (lane->relays.first != NULL)
        relay_dismiss(relay_line_take(&lane->relays), RELAY_FAILED);
}

void lane_cancel(struct lane *lane)
{
    places_cancel(&lane->places);
}

void lane_kick(struct lane *lane)
{
    atomic_store(&lane->kicked, true);
}

void lane_stats(const struct lane *lane, struct lane_stats *stats)
{
    *stats = (struct lane_stats){
        .forwarded = atomic_load(&lane->tally.forwarded),
        .retried = atomic_load(&lane->tally.retried),
        .parked = atomic_load(&lane->tally.parked),
        .took_us = atomic_load(&lane->tally.took_us),
        .sending = atomic_load(&lane->tally.sending),
        .success_us = atomic_load(&lane->tally.success_us),
        .resting = atomic_load(&lane->tally.resting),
    };
    snprintf(stats->destination, sizeof(stats->destination), "%s", lane->name);
}

const char *lane_name(const struct lane *lane)
{
    return lane->name;
}

int64_t lane_destination(const struct lane *lane)
{
    return lane->destination->number;
}

/* ---- its life */

/* They take part in it from the next turn on. Without memory it makes do with what there is. */
static bool make_room(struct lane *lane, unsigned places)
{
    const struct attempt like = {
        .tools = lane->options.tools,
        .data = lane,
        .answered = on_answered,
        .recorded = on_recorded,
    };

    if (places <= lane->places.count)
        return true;
    return agenda_make_room(&lane->agenda, places) && places_grow(&lane->places, places, &like);
}

struct lane *lane_new(const struct lane_options *options)
{
    struct lane *lane = calloc(1, sizeof(*lane));

    if (lane == NULL)
        return NULL;
    lane->options = *options;
    lane->agenda.reader = options->reader;
    lane->agenda.newest = options->newest;
    if ((lane->name = strdup(options->name)) == NULL || !make_room(lane, PLACES_PER_SENDER))
        lane_free(&lane);
    return lane;
}

void lane_free(struct lane **lane)
{
    if (*lane != NULL) {
        places_free(&(*lane)->places);
        rules_release_forwarding(&(*lane)->rules);
        agenda_free(&(*lane)->agenda);
        free((*lane)->name);
    }
    free(*lane);
    *lane = NULL;
}

void lane_follow(struct lane *lane, struct rules *rules, const struct destination *d)
{
    const struct destination *before = lane->destination;
    struct rules *old = lane->rules;

    lane->rules = rules_hold_forwarding(rules);
    lane->destination = d;
    lane->retired = false;
    make_room(lane, PLACES_PER_SENDER * d->concurrency);
    agenda_follow(&lane->agenda, d);
    if (before == NULL)
        cursor_init(&lane->cursor, lane->options.tools, d->number, d->cursor);
    else if (destination_has_moved(before, d))
        breaker_success(&lane->breaker);
    rules_release_forwarding(&old);
}

void lane_retire(struct lane *lane)
{
    lane->retired = true;
    agenda_doubt_rows(&lane->agenda);
}

bool lane_has_ended(const struct lane *lane)
{
    return lane->retired && places_in(&lane->places, ATTEMPT_NONE) == lane->places.count &&
           lane->relays.first == NULL && !lane->cursor.under_way &&
           cursor_wait_us(&lane->cursor, cursor_after(lane, NULL)) == INT64_MAX &&
           rules_are_only_forwarding(lane->rules);
}
