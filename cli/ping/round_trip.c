/* SPDX-License-Identifier: MIT */
#include "cli/ping/round_trip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>
#include <sodium.h>

#include "daemon/http/call.h"
#include "daemon/base/clock.h"
#include "cli/ping/aftermath.h"
#include "cli/ping/asking.h"
#include "daemon/base/plain_text.h"
#include "cli/ping/provider.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "cli/ping/turn.h"

enum {
    LOOK_AROUND_US = 100000,
    FIRST_LOOK_US = 10000, /* until the provider is asked what became of it, each time doubled */
    LAST_LOOK_US = 1000000,
    GRACE_US = 2000000,        /* for the sink's line, once the provider says that it is over */
    VIEW_US = 5000000,         /* for the provider's word, once the sink has its line */
    FORWARD_US = 500000,       /* for the first attempts to forward, if nobody insists on them */
    LINES_COUNT_US = 1000,     /* the times of the sink's lines are full milliseconds */
    CLOCKS_DIFFER_US = 250000, /* of two machines, if they are set well */
};

enum {
    HEADERS_MAX = 6
};

/* Times with `mono` are those of clock_mono_us(), the findings' of clock_steady_us(). */
struct journey {
    const struct round_trip *trip;
    struct findings *f;
    char *key_header, *fault_header, *agent_header;
    const char *headers[HEADERS_MAX];
    struct asking trigger, look;
    int64_t deadline_mono, arrived_mono, final_mono, next_look_mono, look_us;
    struct aftermath aftermath;
    bool caught_up;
};

/* ---- calls to the provider */

static void ask(struct journey *j, struct asking *a, const char *method, const char *url)
{
    const struct call_target target = {
        .url = url,
        .ca_file = j->trip->ca_file,
        .timeout_s = (unsigned)((j->deadline_mono - clock_mono_us()) / 1000000 + 2),
    };

    asking_begin(a, j->trip->calls, &target, method, j->headers);
}

static struct provider_bytes bytes_of(const struct journey *j, const struct asking *a)
{
    return (struct provider_bytes){a->status, a->bytes, a->len, a->cut, j->trip->key};
}

static bool make_headers(struct journey *j)
{
    const struct round_trip *trip = j->trip;
    size_t count = 0;

    if (trip->key != NULL &&
        asprintf(&j->key_header, "%s%s", j->f->provider->key_header, trip->key) < 0)
        j->key_header = NULL;
    if (trip->faults != NULL && asprintf(&j->fault_header, "Hookline-Fault: %s", trip->faults) < 0)
        j->fault_header = NULL;
    if (asprintf(&j->agent_header, "User-Agent: hookline/%s", hookline_version()) < 0)
        j->agent_header = NULL;
    if (j->agent_header == NULL || (trip->key != NULL && j->key_header == NULL) ||
        (trip->faults != NULL && j->fault_header == NULL))
        return false;
    j->headers[count++] = "Accept: application/json";
    j->headers[count++] = j->agent_header;
    if (j->key_header != NULL)
        j->headers[count++] = j->key_header;
    if (j->fault_header != NULL)
        j->headers[count++] = j->fault_header;
    return true;
}

static void release(struct journey *j)
{
    asking_end(&j->trigger);
    asking_end(&j->look);
    if (j->key_header != NULL)
        sodium_memzero(j->key_header, strlen(j->key_header));
    free(j->key_header);
    free(j->fault_header);
    free(j->agent_header);
}

/* ---- what the provider says */

static bool is_final(const struct provider_view *v)
{
    return v->state != PROVIDER_PENDING && (v->state != PROVIDER_UNKNOWN || v->status >= 0);
}

static void take_view(struct journey *j, const struct provider_view *view)
{
    j->f->view = *view;
    j->f->view_us = clock_steady_us();
    if (is_final(view) && j->final_mono == 0)
        j->final_mono = clock_mono_us();
}

static void take_answer(struct journey *j)
{
    struct asking *a = &j->trigger;
    struct provider_bytes bytes = bytes_of(j, a);
    struct findings *f = j->f;

    if (!a->ended || f->answered || f->no_answer[0] != '\0')
        return;
    if (a->outcome == CALL_TIMEOUT && clock_mono_us() >= j->deadline_mono)
        return; /* this process stood still, else that would be over by now */
    if (a->outcome != CALL_ANSWERED) {
        plain_text_copy(f->no_answer, sizeof(f->no_answer), a->error, strlen(a->error),
                        j->trip->key);
        return;
    }
    f->answered = true;
    f->answered_us = clock_steady_us();
    f->date_us = a->date_us;
    provider_answer_read(f->provider, &bytes, &f->answer);
    if (f->answer.kind == PROVIDER_TRIGGERED)
        take_view(j, &f->answer.view);
    j->look_us = FIRST_LOOK_US;
    j->next_look_mono = clock_mono_us() + j->look_us;
}

static void take_look(struct journey *j)
{
    struct asking *a = &j->look;
    struct provider_bytes bytes = bytes_of(j, a);
    struct provider_view view;

    if (!a->ended)
        return;
    a->ended = false;
    j->look_us = j->look_us > LAST_LOOK_US / 2 ? LAST_LOOK_US : 2 * j->look_us;
    j->next_look_mono = clock_mono_us() + j->look_us;
    if (a->outcome != CALL_ANSWERED)
        return;
    if (provider_answer_read_event(&bytes, j->f->endpoint, &view))
        take_view(j, &view);
    else if (a->status >= 400 && a->status < 500 && a->status != 404 && a->status != 429)
        snprintf(j->f->view_problem, sizeof(j->f->view_problem), "%s", view.error);
}

static bool wants_to_look(const struct journey *j)
{
    const struct findings *f = j->f;

    return f->provider->remembers && f->answered && f->answer.kind == PROVIDER_TRIGGERED &&
           !is_final(&f->view) && f->view_problem[0] == '\0';
}

static void look(struct journey *j)
{
    char url[PROVIDER_URL_SIZE];

    if (!wants_to_look(j) || j->look.call != NULL || clock_mono_us() < j->next_look_mono)
        return;
    if (provider_event_url(j->f->provider, j->f->base_url, j->trip->organization,
                           j->f->answer.event_id, url))
        ask(j, &j->look, "GET", url);
    else
        snprintf(j->f->view_problem, sizeof(j->f->view_problem), "its event's id is none");
}

/* ---- what the sink says */

static void take_events(struct journey *j)
{
    struct findings *f = j->f;
    const char *problem;
    cJSON *event;

    while ((event = sink_next_event(j->trip->sink)) != NULL) {
        struct sighting sighting;

        if (sighting_read(&sighting, event, clock_steady_us()))
            f->lost += !sightings_add(&f->sightings, &sighting);
        else
            aftermath_hear(&j->aftermath, event);
        cJSON_Delete(event);
    }
    problem = sink_watch_problem(j->trip->sink);
    if (problem != NULL)
        snprintf(f->sink_problem, sizeof(f->sink_problem), "%s", problem);
}

/* Whether there is nothing better than the time to find it by: the provider says what it got, or
 * will never say. */
static bool goes_by_time(const struct journey *j, bool last)
{
    const struct findings *f = j->f;

    if (!f->answered)
        return last && f->provider->at_once;
    if (f->answer.kind != PROVIDER_TRIGGERED)
        return false;
    return f->provider->at_once || f->view.status > 0 ||
           (f->view_problem[0] != '\0' && (last || clock_steady_us() > f->answered_us + GRACE_US));
}

static void match(struct journey *j, bool last)
{
    struct findings *f = j->f;
    int64_t slack_us = j->trip->same_machine ? LINES_COUNT_US : CLOCKS_DIFFER_US;
    struct sighting_wanted wanted = {
        .source = f->source,
        .receipt = f->view.receipt,
        .event_id = f->answer.event_id,
        .by_time = goes_by_time(j, last),
        .any_type = f->provider->kind == PROVIDER_EMULATED,
        .status = f->answered ? f->view.status : -1,
        .from_us = f->triggered_us - slack_us,
        .until_us = f->answered && f->provider->at_once ? f->answered_us + slack_us : 0,
    };
    enum sighting_match before = f->match;
    size_t at;

    f->match = sightings_find(&f->sightings, &wanted, &at, &f->rivals);
    if (f->match == SIGHTING_NONE)
        return;
    f->seen = f->sightings.at[at];
    if (before == SIGHTING_NONE) {
        j->arrived_mono = clock_mono_us();
        j->look_us = FIRST_LOOK_US;
        j->next_look_mono = j->arrived_mono;
    }
}

/* ---- until it is over */

static bool is_interrupted(void *data)
{
    const struct journey *j = data;

    return j->trip->interrupted != NULL && j->trip->interrupted(j->trip->data);
}

static bool waits_for_view(const struct journey *j, int64_t now_mono)
{
    return wants_to_look(j) && now_mono < j->arrived_mono + VIEW_US;
}

static bool waits_for_destinations(const struct journey *j, int64_t now_mono)
{
    if (j->f->sink_problem[0] != '\0')
        return false;
    if (j->f->forwarded)
        return !j->f->destinations_known || aftermath_is_open(j->f, true);
    return aftermath_is_open(j->f, false) && now_mono < j->arrived_mono + FORWARD_US;
}

static bool is_over(struct journey *j)
{
    const struct findings *f = j->f;
    int64_t now_mono = clock_mono_us();

    if (now_mono >= j->deadline_mono || f->no_answer[0] != '\0' || is_interrupted(j))
        return true;
    if (!f->answered)
        return false;
    if (f->answer.kind != PROVIDER_TRIGGERED)
        return true;
    if (f->match == SIGHTING_NONE ||
        (f->match == SIGHTING_BY_TIME_ONLY && now_mono < j->final_mono + GRACE_US))
        return f->sink_problem[0] != '\0' ||
               (j->final_mono != 0 && now_mono >= j->final_mono + GRACE_US);
    return !waits_for_view(j, now_mono) &&
           !(sighting_is_accepted(&f->seen) && waits_for_destinations(j, now_mono));
}

static void show_progress(const struct journey *j)
{
    const struct findings *f = j->f;
    int64_t s = (clock_steady_us() - f->triggered_us) / 1000000;
    char text[160];

    if (!j->trip->show_progress || clock_steady_us() - f->triggered_us < 2 * LOOK_AROUND_US)
        return;
    if (!f->answered)
        snprintf(text, sizeof(text), "waiting for the answer of %s ... %" PRId64 " s",
                 f->provider->title, s);
    else if (f->match == SIGHTING_NONE)
        snprintf(text, sizeof(text), "waiting for the delivery at source %.64s ... %" PRId64 " s",
                 f->source, s);
    else
        snprintf(text, sizeof(text), "stored; waiting for what becomes of it ... %" PRId64 " s", s);
    terminal_progress(text);
}

static int wait_ms(const struct journey *j)
{
    int64_t now_mono = clock_mono_us(), until = now_mono + LOOK_AROUND_US;

    if (wants_to_look(j) && j->look.call == NULL && j->next_look_mono < until)
        until = j->next_look_mono;
    if (j->deadline_mono < until)
        until = j->deadline_mono;
    return until <= now_mono ? 0 : (int)((until - now_mono + 999) / 1000);
}

/* That nothing came is no matter of the time: the sink may have been too busy to tell. True if it
 * has told now. */
static bool catches_up(struct journey *j)
{
    const struct findings *f = j->f;

    if (j->caught_up || f->match != SIGHTING_NONE || f->answer.kind != PROVIDER_TRIGGERED ||
        f->sink_problem[0] != '\0' || clock_mono_us() >= j->deadline_mono || is_interrupted(j))
        return false;
    j->caught_up = true;
    aftermath_catch_up(j->trip->sink, j->deadline_mono);
    take_events(j);
    match(j, false);
    return f->match != SIGHTING_NONE;
}

static void travel(struct journey *j)
{
    while (!is_over(j) || catches_up(j)) {
        show_progress(j);
        call_poll(j->trip->calls, wait_ms(j));
        take_answer(j);
        take_look(j);
        take_events(j);
        match(j, false);
        if (j->f->match != SIGHTING_NONE &&
            aftermath_learn(&j->aftermath, j->trip->sink, j->deadline_mono, j->f)) {
            /* All that the sink had told before is here now: others that it could be, too. */
            take_events(j);
            match(j, false);
        }
        look(j);
    }
    if (j->f->match == SIGHTING_NONE && (j->f->lost > 0 || j->f->sink_problem[0] != '\0'))
        aftermath_find(j->trip->sink, j->f);
    match(j, true);
    if (j->trip->show_progress)
        terminal_progress(NULL);
}

/* ---- before it begins */

static void on_waiting(void *data)
{
    const struct journey *j = data;

    if (j->trip->show_progress)
        terminal_progress("waiting for another ping of this source to end");
}

/* What can only be told by the time needs the time for itself. */
static enum outcome take_turn(struct journey *j, struct turn **turn, char *why)
{
    const struct findings *f = j->f;
    const struct turn_wish wish = {
        .sink = f->sink,
        .source = f->source,
        .deadline_us = j->deadline_mono,
        .interrupted = is_interrupted,
        .waiting = on_waiting,
        .data = j,
    };
    int holder;

    switch (turn_take(turn, &wish, &holder)) {
    case TURN_TAKEN:
    case TURN_INTERRUPTED:
        return OUTCOME_GOOD;
    case TURN_LATE:
        snprintf(why, ROUND_TRIP_WHY_SIZE,
                 "nothing was sent: another ping of source %s (process %d) has been under way for "
                 "all of %" PRId64 " s",
                 f->source, holder, f->timeout_us / 1000000);
        return OUTCOME_TIMEOUT;
    case TURN_FAILED:
        snprintf(why, ROUND_TRIP_WHY_SIZE, "cannot wait for other pings: %s", strerror(errno));
        return OUTCOME_TRANSPORT;
    }
    return OUTCOME_TRANSPORT;
}

static enum outcome begin(struct journey *j, char *why)
{
    struct findings *f = j->f;
    char url[PROVIDER_URL_SIZE];
    enum outcome outcome;

    outcome = sink_watch(j->trip->sink, NULL, j->deadline_mono, why);
    if (outcome != OUTCOME_GOOD)
        return outcome == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_TRANSPORT;
    if (!make_headers(j)) {
        snprintf(why, ROUND_TRIP_WHY_SIZE, "out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (!provider_test_url(f->provider, f->base_url, j->trip->organization, f->endpoint, url)) {
        snprintf(why, ROUND_TRIP_WHY_SIZE, "--base-url: it is too long");
        return OUTCOME_USAGE;
    }
    f->triggered_us = clock_steady_us();
    ask(j, &j->trigger, "POST", url);
    return OUTCOME_GOOD;
}

enum outcome round_trip_run(const struct round_trip *trip, struct findings *f,
                            char why[ROUND_TRIP_WHY_SIZE])
{
    struct journey j = {.trip = trip, .f = f, .deadline_mono = clock_mono_us() + f->timeout_us};
    struct turn *turn = NULL;
    enum outcome outcome = OUTCOME_GOOD;

    f->view = (struct provider_view){.status = -1, .attempts = -1};
    if (f->provider->at_once)
        outcome = take_turn(&j, &turn, why);
    f->alone = turn != NULL;
    if (outcome == OUTCOME_GOOD && !is_interrupted(&j))
        outcome = begin(&j, why);
    if (outcome == OUTCOME_GOOD && f->triggered_us != 0)
        travel(&j);
    release(&j);
    turn_end(&turn);
    return outcome;
}
