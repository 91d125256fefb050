/* SPDX-License-Identifier: MIT */
#include "cli/ping/round_trip.h"

#include <errno.h>
#include <hookline.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "cli/ping/ping_lock.h"
#include "cli/ping/progress.h"
#include "cli/ping/provider.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"

/* ---- API call
 *
 * Ownership  A zeroed struct is idle; round_trip_call_end() releases its contents.
 * Threads    The thread that polls the calls. */

struct round_trip_call {
    struct client_call *call; /* NULL: idle */
    bool ended;
    enum client_outcome outcome;
    int status;
    bool cut; /* the answer exceeds the read limit */
    char error[256];
    int64_t date_us; /* since 1970, of the Date header; 0: none */
    char *bytes;     /* of the answer; NULL on ENOMEM */
    size_t len;
};

static int64_t round_trip_call_date(const char *text)
{
    struct tm tm = {0};

    if (text == NULL || strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
        return 0;
    return (int64_t)timegm(&tm) * 1000000;
}

static void round_trip_call_on_done(void *data, const struct client_result *result)
{
    struct round_trip_call *c = data;

    c->call = NULL;
    c->ended = true;
    c->outcome = result->outcome;
    c->status = result->status;
    c->cut = result->cut;
    c->date_us = round_trip_call_date(result->date);
    snprintf(c->error, sizeof(c->error), "%s", result->error == NULL ? "" : result->error);
    free(c->bytes);
    c->len = result->len;
    c->bytes = malloc(c->len + 1);
    if (c->bytes == NULL)
        c->len = 0;
    else if (c->len > 0)
        memcpy(c->bytes, result->answer, c->len);
}

/* Starts a call; `headers` as for client_call_start(). A call that cannot start has ended and
 * failed. */
static void round_trip_call_start(struct round_trip_call *c, struct client_calls *calls,
                                  const struct client_target *target, const char *method,
                                  const char *const *headers)
{
    const struct client_request request = {
        .target = target, .method = method, .headers = headers, .keep_answer = true};

    c->ended = false;
    c->call = client_call_start(calls, &request, round_trip_call_on_done, c);
    if (c->call == NULL) {
        c->ended = true;
        c->outcome = CLIENT_FAILED;
        snprintf(c->error, sizeof(c->error), "out of memory");
    }
}

static void round_trip_call_end(struct round_trip_call *c)
{
    if (c->call != NULL)
        client_call_cancel(c->call);
    free(c->bytes);
    *c = (struct round_trip_call){0};
}

/* ---- round trip */

enum {
    CHECK_US = 100000,
    POLL_FIRST_US = 10000, /* to the first query of the provider; doubles each time */
    POLL_MAX_US = 1000000,
    GRACE_US = 2000000,        /* for the sink's event after the provider's final report */
    VIEW_US = 5000000,         /* for the provider's report after the sink's event */
    FORWARD_US = 500000,       /* for first attempts to forward, without --forwarded */
    EVENT_TIME_STEP_US = 1000, /* resolution of the sink's times */
    CLOCK_SKEW_US = 250000,    /* between two machines with synchronised clocks */
};

enum {
    REQUEST_HEAD_FIELDS_MAX = 6
};

/* Members with `mono` use clock_mono_us(), struct observed uses clock_steady_us(). */
struct round_trip_state {
    const struct round_trip *trip;
    struct observed *f;
    char *key_header, *fault_header, *agent_header;
    const char *headers[REQUEST_HEAD_FIELDS_MAX];
    struct round_trip_call trigger, poll;
    int64_t deadline_mono, arrived_mono, final_mono, next_poll_mono, poll_us;
    struct progress progress;
    bool caught_up;
};

/* ---- calls to the provider */

static void round_trip_ask(struct round_trip_state *state, struct round_trip_call *c,
                           const char *method, const char *url)
{
    const struct client_target target = {
        .url = url,
        .ca_file = state->trip->ca_file,
        .timeout_s = (unsigned)((state->deadline_mono - clock_mono_us()) / 1000000 + 2),
    };

    round_trip_call_start(c, state->trip->calls, &target, method, state->headers);
}

static struct provider_bytes round_trip_answer_bytes(const struct round_trip_state *state,
                                                     const struct round_trip_call *c)
{
    return (struct provider_bytes){c->status, c->bytes, c->len, c->cut, state->trip->key};
}

static bool round_trip_make_headers(struct round_trip_state *state)
{
    const struct round_trip *trip = state->trip;
    size_t count = 0;

    if (trip->key != NULL &&
        asprintf(&state->key_header, "%s%s", state->f->provider->key_header, trip->key) < 0)
        state->key_header = NULL;
    if (trip->faults != NULL &&
        asprintf(&state->fault_header, "Hookline-Fault: %s", trip->faults) < 0)
        state->fault_header = NULL;
    if (asprintf(&state->agent_header, "User-Agent: hookline/%s", hookline_version()) < 0)
        state->agent_header = NULL;
    if (state->agent_header == NULL || (trip->key != NULL && state->key_header == NULL) ||
        (trip->faults != NULL && state->fault_header == NULL))
        return false;
    state->headers[count++] = "Accept: application/json";
    state->headers[count++] = state->agent_header;
    if (state->key_header != NULL)
        state->headers[count++] = state->key_header;
    if (state->fault_header != NULL)
        state->headers[count++] = state->fault_header;
    return true;
}

static void round_trip_free_state(struct round_trip_state *state)
{
    round_trip_call_end(&state->trigger);
    round_trip_call_end(&state->poll);
    if (state->key_header != NULL)
        sodium_memzero(state->key_header, strlen(state->key_header));
    free(state->key_header);
    free(state->fault_header);
    free(state->agent_header);
}

/* ---- provider's report */

static bool round_trip_view_is_final(const struct provider_view *v)
{
    return v->state != PROVIDER_PENDING && (v->state != PROVIDER_UNKNOWN || v->status >= 0);
}

static void round_trip_take_view(struct round_trip_state *state, const struct provider_view *view)
{
    state->f->view = *view;
    state->f->view_us = clock_steady_us();
    if (round_trip_view_is_final(view) && state->final_mono == 0)
        state->final_mono = clock_mono_us();
}

static void round_trip_take_answer(struct round_trip_state *state)
{
    struct round_trip_call *c = &state->trigger;
    struct provider_bytes bytes = round_trip_answer_bytes(state, c);
    struct observed *f = state->f;

    if (!c->ended || f->answered || f->no_answer[0] != '\0')
        return;
    if (c->outcome == CLIENT_TIMEOUT && clock_mono_us() >= state->deadline_mono)
        return; /* this process stalled, else the deadline had ended the ping */
    if (c->outcome != CLIENT_ANSWERED) {
        text_copy_redacted(f->no_answer, sizeof(f->no_answer), c->error, strlen(c->error),
                           state->trip->key);
        return;
    }
    f->answered = true;
    f->answered_us = clock_steady_us();
    f->date_us = c->date_us;
    provider_answer_read(f->provider, &bytes, &f->answer);
    if (f->answer.kind == PROVIDER_TRIGGERED)
        round_trip_take_view(state, &f->answer.view);
    state->poll_us = POLL_FIRST_US;
    state->next_poll_mono = clock_mono_us() + state->poll_us;
}

static void round_trip_take_poll(struct round_trip_state *state)
{
    struct round_trip_call *c = &state->poll;
    struct provider_bytes bytes = round_trip_answer_bytes(state, c);
    struct provider_view view;

    if (!c->ended)
        return;
    c->ended = false;
    state->poll_us = state->poll_us > POLL_MAX_US / 2 ? POLL_MAX_US : 2 * state->poll_us;
    state->next_poll_mono = clock_mono_us() + state->poll_us;
    if (c->outcome != CLIENT_ANSWERED)
        return;
    if (provider_answer_read_event(&bytes, state->f->endpoint, &view))
        round_trip_take_view(state, &view);
    else if (c->status >= 400 && c->status < 500 && c->status != 404 && c->status != 429)
        snprintf(state->f->view_problem, sizeof(state->f->view_problem), "%s", view.error);
}

static bool round_trip_wants_poll(const struct round_trip_state *state)
{
    const struct observed *f = state->f;

    return f->provider->remembers && f->answered && f->answer.kind == PROVIDER_TRIGGERED &&
           !round_trip_view_is_final(&f->view) && f->view_problem[0] == '\0';
}

static void round_trip_poll(struct round_trip_state *state)
{
    char url[PROVIDER_URL_SIZE];

    if (!round_trip_wants_poll(state) || state->poll.call != NULL ||
        clock_mono_us() < state->next_poll_mono)
        return;
    if (provider_event_url(state->f->provider, state->f->base_url, state->trip->organization,
                           state->f->answer.event_id, url))
        round_trip_ask(state, &state->poll, "GET", url);
    else
        snprintf(state->f->view_problem, sizeof(state->f->view_problem),
                 "the provider sent an invalid event id");
}

/* ---- sink's events */

static void round_trip_take_events(struct round_trip_state *state)
{
    struct observed *f = state->f;
    const char *problem;
    cJSON *event;

    while ((event = sink_next_event(state->trip->sink)) != NULL) {
        struct observed_event seen;

        if (observed_event_read(&seen, event, clock_steady_us()))
            f->lost += !observed_events_add(&f->events, &seen);
        else
            progress_on_event(&state->progress, event);
        cJSON_Delete(event);
    }
    problem = sink_watch_problem(state->trip->sink);
    if (problem != NULL)
        snprintf(f->sink_problem, sizeof(f->sink_problem), "%s", problem);
}

/* Returns true if only the arrival time can identify the delivery: the provider has reported its
 * outcome, or never will. */
static bool round_trip_goes_by_time(const struct round_trip_state *state, bool last)
{
    const struct observed *f = state->f;

    if (!f->answered)
        return last && f->provider->at_once;
    if (f->answer.kind != PROVIDER_TRIGGERED)
        return false;
    return f->provider->at_once || f->view.status > 0 ||
           (f->view_problem[0] != '\0' && (last || clock_steady_us() > f->answered_us + GRACE_US));
}

/* Returns true if the delivery may come after the answer, and the provider will report nothing
 * more about it. */
static bool round_trip_is_pending(const struct observed *f)
{
    return f->provider->at_once && f->answered && f->answer.kind == PROVIDER_TRIGGERED &&
           !round_trip_view_is_final(&f->view);
}

static void round_trip_match(struct round_trip_state *state, bool last)
{
    struct observed *f = state->f;
    bool is_pending = round_trip_is_pending(f);
    int64_t slack_us = state->trip->same_machine ? EVENT_TIME_STEP_US : CLOCK_SKEW_US;
    struct observed_query wanted = {
        .source = f->source,
        .receipt = f->view.receipt,
        .event_id = f->answer.event_id,
        .delivery_id = f->answer.delivery_id,
        .by_time = round_trip_goes_by_time(state, last),
        .any_type = f->provider->kind == PROVIDER_EMULATED,
        .elsewhere = is_pending && last,
        .status = f->answered ? f->view.status : -1,
        .from_us = f->triggered_us - slack_us,
        .until_us =
            f->answered && f->provider->at_once && !is_pending ? f->answered_us + slack_us : 0,
    };
    enum observed_match before = f->match;
    size_t at;

    f->match = observed_events_find(&f->events, &wanted, &at, &f->rivals);
    if (f->match == OBSERVED_MATCH_NONE)
        return;
    f->seen = f->events.at[at];
    if (before == OBSERVED_MATCH_NONE) {
        state->arrived_mono = clock_mono_us();
        state->poll_us = POLL_FIRST_US;
        state->next_poll_mono = state->arrived_mono;
    }
}

/* ---- loop */

static bool round_trip_is_interrupted(void *data)
{
    const struct round_trip_state *state = data;

    return state->trip->interrupted != NULL && state->trip->interrupted(state->trip->data);
}

static bool round_trip_waits_for_view(const struct round_trip_state *state, int64_t now_mono)
{
    return round_trip_wants_poll(state) && now_mono < state->arrived_mono + VIEW_US;
}

static bool round_trip_waits_for_dests(const struct round_trip_state *state, int64_t now_mono)
{
    if (state->f->sink_problem[0] != '\0')
        return false;
    if (state->f->forwarded)
        return !state->f->destinations_known || progress_is_open(state->f, true);
    return progress_is_open(state->f, false) && now_mono < state->arrived_mono + FORWARD_US;
}

/* Returns the time until which a better match may come: after the provider's final report, or
 * after a refusal while the delivery is pending, which may be another sender's. */
static int64_t round_trip_doubt_mono(const struct round_trip_state *state)
{
    if (state->final_mono != 0)
        return state->final_mono + GRACE_US;
    return observed_event_is_accepted(&state->f->seen) ? 0 : state->arrived_mono + GRACE_US;
}

static bool round_trip_is_over(struct round_trip_state *state)
{
    const struct observed *f = state->f;
    int64_t now_mono = clock_mono_us();

    if (now_mono >= state->deadline_mono || f->no_answer[0] != '\0' ||
        round_trip_is_interrupted(state))
        return true;
    if (!f->answered)
        return false;
    if (f->answer.kind != PROVIDER_TRIGGERED)
        return true;
    if (f->match == OBSERVED_MATCH_NONE ||
        (f->match == OBSERVED_MATCH_TIME_ONLY && now_mono < round_trip_doubt_mono(state)))
        return f->sink_problem[0] != '\0' ||
               (state->final_mono != 0 && now_mono >= state->final_mono + GRACE_US);
    return !round_trip_waits_for_view(state, now_mono) &&
           !(observed_event_is_accepted(&f->seen) && round_trip_waits_for_dests(state, now_mono));
}

static void round_trip_show_progress(const struct round_trip_state *state)
{
    const struct observed *f = state->f;
    int64_t s = (clock_steady_us() - f->triggered_us) / 1000000;
    char text[160];

    if (!state->trip->show_progress || clock_steady_us() - f->triggered_us < 2 * CHECK_US)
        return;
    if (!f->answered)
        snprintf(text, sizeof(text), "waiting for %s to answer ... %" PRId64 " s",
                 f->provider->title, s);
    else if (f->match == OBSERVED_MATCH_NONE)
        snprintf(text, sizeof(text), "waiting for the delivery at source %.64s ... %" PRId64 " s",
                 f->source, s);
    else
        snprintf(text, sizeof(text), "stored; waiting for the outcome ... %" PRId64 " s", s);
    terminal_progress(text);
}

static int round_trip_wait_ms(const struct round_trip_state *state)
{
    int64_t now_mono = clock_mono_us(), until = now_mono + CHECK_US;

    if (round_trip_wants_poll(state) && state->poll.call == NULL && state->next_poll_mono < until)
        until = state->next_poll_mono;
    if (state->deadline_mono < until)
        until = state->deadline_mono;
    return until <= now_mono ? 0 : (int)((until - now_mono + 999) / 1000);
}

/* Before reporting that nothing arrived: a busy sink may hold events back. Returns true if one
 * of them is the delivery. */
static bool round_trip_catch_up(struct round_trip_state *state)
{
    const struct observed *f = state->f;

    if (state->caught_up || f->match != OBSERVED_MATCH_NONE ||
        f->answer.kind != PROVIDER_TRIGGERED || f->sink_problem[0] != '\0' ||
        clock_mono_us() >= state->deadline_mono || round_trip_is_interrupted(state))
        return false;
    state->caught_up = true;
    progress_catch_up(state->trip->sink, state->deadline_mono);
    round_trip_take_events(state);
    round_trip_match(state, false);
    return f->match != OBSERVED_MATCH_NONE;
}

static void round_trip_loop(struct round_trip_state *state)
{
    while (!round_trip_is_over(state) || round_trip_catch_up(state)) {
        round_trip_show_progress(state);
        client_calls_poll(state->trip->calls, round_trip_wait_ms(state));
        round_trip_take_answer(state);
        round_trip_take_poll(state);
        round_trip_take_events(state);
        round_trip_match(state, false);
        if (state->f->match != OBSERVED_MATCH_NONE &&
            progress_update(&state->progress, state->trip->sink, state->deadline_mono, state->f)) {
            /* All earlier events are here now, rivals included. */
            round_trip_take_events(state);
            round_trip_match(state, false);
        }
        round_trip_poll(state);
    }
    if (state->f->match == OBSERVED_MATCH_NONE &&
        (state->f->lost > 0 || state->f->sink_problem[0] != '\0'))
        progress_find_stored(state->trip->sink, state->f);
    round_trip_match(state, true);
    if (state->trip->show_progress)
        terminal_progress(NULL);
}

/* ---- start */

static void round_trip_on_lock_waiting(void *data)
{
    const struct round_trip_state *state = data;

    if (state->trip->show_progress)
        terminal_progress("waiting for another ping of this source to end");
}

/* Matching by arrival time needs exclusive access to the source. */
static enum outcome round_trip_take_lock(struct round_trip_state *state, struct ping_lock **lock,
                                         char *why)
{
    const struct observed *f = state->f;
    const struct ping_lock_request request = {
        .sink = f->sink,
        .source = f->source,
        .deadline_us = state->deadline_mono,
        .interrupted = round_trip_is_interrupted,
        .waiting = round_trip_on_lock_waiting,
        .data = state,
    };
    int holder;

    switch (ping_lock_take(lock, &request, &holder)) {
    case PING_LOCK_TAKEN:
    case PING_LOCK_INTERRUPTED:
        return OUTCOME_GOOD;
    case PING_LOCK_BUSY:
        snprintf(why, ROUND_TRIP_WHY_SIZE,
                 "nothing was sent: another ping of source %s (process %d) was still running after "
                 "%" PRId64 " s",
                 f->source, holder, f->timeout_us / 1000000);
        return OUTCOME_TIMEOUT;
    case PING_LOCK_FAILED:
        snprintf(why, ROUND_TRIP_WHY_SIZE, "cannot wait for other pings: %s", strerror(errno));
        return OUTCOME_TRANSPORT;
    }
    return OUTCOME_TRANSPORT;
}

static enum outcome round_trip_start(struct round_trip_state *state, char *why)
{
    struct observed *f = state->f;
    char url[PROVIDER_URL_SIZE];
    enum outcome outcome;

    outcome = sink_watch(state->trip->sink, NULL, state->deadline_mono, why);
    if (outcome != OUTCOME_GOOD)
        return outcome == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_TRANSPORT;
    if (!round_trip_make_headers(state)) {
        snprintf(why, ROUND_TRIP_WHY_SIZE, "out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (!provider_test_url(f->provider, f->base_url, state->trip->organization, f->endpoint, url)) {
        snprintf(why, ROUND_TRIP_WHY_SIZE, "--base-url is too long");
        return OUTCOME_USAGE;
    }
    f->triggered_us = clock_steady_us();
    round_trip_ask(state, &state->trigger, "POST", url);
    return OUTCOME_GOOD;
}

enum outcome round_trip_run(const struct round_trip *trip, struct observed *f,
                            char why[ROUND_TRIP_WHY_SIZE])
{
    struct round_trip_state state = {
        .trip = trip, .f = f, .deadline_mono = clock_mono_us() + f->timeout_us};
    struct ping_lock *lock = NULL;
    enum outcome outcome = OUTCOME_GOOD;

    f->view = (struct provider_view){.status = -1, .attempts = -1};
    if (f->provider->at_once)
        outcome = round_trip_take_lock(&state, &lock, why);
    f->alone = lock != NULL;
    if (outcome == OUTCOME_GOOD && !round_trip_is_interrupted(&state))
        outcome = round_trip_start(&state, why);
    if (outcome == OUTCOME_GOOD && f->triggered_us != 0)
        round_trip_loop(&state);
    round_trip_free_state(&state);
    ping_lock_release(&lock);
    return outcome;
}
