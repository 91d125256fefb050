/* SPDX-License-Identifier: MIT */
#include "cli/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/client.h"
#include "daemon/base/clock.h"
#include "cli/answer.h"
#include "cli/sink_address.h"
#include "cli/record.h"
#include "cli/sse.h"
#include "cli/target.h"

enum {
    JSON_MAX = 16 << 20, /* bytes; a body of 1 MiB in JSON may have six times as many */
    BYTES_MAX = 600 << 20,
    REFUSAL_MAX = 16 << 10, /* of an answer that is no stream of events */
    WAIT_MS_MAX = 1000,
    EVENTS_MAX = 100000,   /* that nobody takes */
    SILENCE_US = 45000000, /* three times as long as a sink that has nothing to say is silent */
};

struct sink_event {
    struct sink_event *next;
    cJSON *json;
};

struct sink {
    struct client_calls *calls, *own;
    struct sink_address address;
    /* The events. */
    struct sink_answer watch; /* its bytes are those of a refusal */
    struct sse_parser stream;
    bool begun, confirmed; /* something has come; it is the sink's greeting */
    int64_t heard_us;
    char problem[SINK_WHY_SIZE];
    struct sink_event *first, **last;
    size_t events;
    uint64_t lost;
};

/* ---- open and close */

struct sink *sink_open(struct client_calls *calls, const struct sink_options *options,
                       char why[SINK_WHY_SIZE])
{
    struct sink *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        snprintf(why, SINK_WHY_SIZE, "out of memory");
        return NULL;
    }
    s->last = &s->first;
    s->own = calls == NULL ? client_calls_new() : NULL;
    s->calls = calls == NULL ? s->own : calls;
    if (s->calls == NULL)
        snprintf(why, SINK_WHY_SIZE, "out of memory");
    else if (sink_address_open(&s->address, options, why))
        return s;
    client_calls_free(&s->own);
    free(s);
    return NULL;
}

static void sink_end_watch(struct sink *s)
{
    sink_answer_end(&s->watch);
    sse_free(&s->stream);
    s->begun = s->confirmed = false;
}

void sink_close(struct sink **sink)
{
    struct sink *s = *sink;
    cJSON *event;

    if (s == NULL)
        return;
    sink_end_watch(s);
    while ((event = sink_next_event(s)) != NULL)
        cJSON_Delete(event);
    sink_address_close(&s->address);
    client_calls_free(&s->own);
    free(s);
    *sink = NULL;
}

void sink_poll(struct sink *s, int wait_ms)
{
    client_calls_poll(s->calls, wait_ms);
}

const char *sink_name(const struct sink *s)
{
    return s->address.shown;
}

/* ---- asking */

/* False if the time is over. */
static bool sink_poll_until(struct sink *s, int64_t deadline_us)
{
    int64_t left_ms = (deadline_us - clock_mono_us() + 999) / 1000;

    if (left_ms <= 0)
        return false;
    client_calls_poll(s->calls, left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms);
    return true;
}

static enum outcome sink_exchange(struct sink *s, struct sink_answer *a, const char *method,
                                  const char *target, int64_t deadline_us, cJSON **json, char *why)
{
    sink_answer_start(a, s->calls, method, target);
    while (a->call != NULL && sink_poll_until(s, deadline_us))
        ;
    if (a->call == NULL)
        return sink_answer_conclude(a, json, why);
    *json = NULL;
    snprintf(why, SINK_WHY_SIZE, "%s: no answer in time", s->address.shown);
    return OUTCOME_TIMEOUT;
}

enum outcome sink_ask(struct sink *s, const char *method, const char *target, int64_t deadline_us,
                      int *status, cJSON **json, char why[SINK_WHY_SIZE])
{
    struct sink_answer a = {.address = &s->address, .max = JSON_MAX};
    enum outcome outcome = sink_exchange(s, &a, method, target, deadline_us, json, why);

    *status = a.status;
    sink_answer_end(&a);
    return outcome;
}

enum outcome sink_fetch(struct sink *s, const char *target, int64_t deadline_us, char **bytes,
                        size_t *len, char why[SINK_WHY_SIZE])
{
    struct sink_answer a = {.address = &s->address, .max = BYTES_MAX, .any = true};
    enum outcome outcome;
    cJSON *json;

    *bytes = NULL;
    *len = 0;
    sink_answer_append(&a, "", 0); /* so that even nothing is a text */
    outcome = sink_exchange(s, &a, "GET", target, deadline_us, &json, why);
    if (outcome == OUTCOME_GOOD) {
        *bytes = a.bytes;
        *len = a.len;
        a.bytes = NULL;
    }
    cJSON_Delete(json);
    sink_answer_end(&a);
    return outcome;
}

/* ---- events */

static bool sink_queue_event(struct sink *s, cJSON *json)
{
    struct sink_event *event = s->events < EVENTS_MAX ? malloc(sizeof(*event)) : NULL;

    if (event == NULL) {
        cJSON_Delete(json);
        s->lost++;
        return true;
    }
    *event = (struct sink_event){NULL, json};
    *s->last = event;
    s->last = &event->next;
    s->events++;
    return true;
}

static bool sink_take_comment(struct sink *s, const struct sse_event *event)
{
    static const char greeting[] = "hooklined";

    s->confirmed |= strncmp(event->data, greeting, sizeof(greeting) - 1) == 0;
    return s->confirmed;
}

static bool sink_take_event(void *data, const struct sse_event *event)
{
    struct sink *s = data;
    cJSON *json;

    if (event->is_comment)
        return sink_take_comment(s, event);
    if (!s->confirmed)
        return false;
    json = cJSON_ParseWithLength(event->data, event->len);
    if (strcmp(event->name, "message") == 0 && cJSON_IsObject(json))
        return sink_queue_event(s, json);
    if (strcmp(event->name, "lost") == 0) {
        int64_t lost = record_number(json, "lost_lines", 1);

        s->lost += lost > 0 ? (uint64_t)lost : 1;
    }
    cJSON_Delete(json);
    /* Other kinds may be known to a later version. */
    return strcmp(event->name, "message") != 0;
}

/* A stream begins with a comment, a refusal with its JSON. */
static bool sink_receive_events(void *data, const char *bytes, size_t len)
{
    struct sink *s = data;
    struct sink_answer *a = &s->watch;

    if (len == 0)
        return true;
    s->heard_us = clock_mono_us();
    if (a->len > 0 || (!s->begun && bytes[0] != ':'))
        return sink_answer_append(a, bytes, len);
    s->begun = true;
    a->odd = !sse_parse(&s->stream, bytes, len, sink_take_event, s);
    return !a->odd;
}

static void sink_set_problem(struct sink *s)
{
    cJSON *json;

    if (s->watch.odd || s->watch.outcome != CLIENT_ANSWERED) {
        sink_answer_conclude(&s->watch, &json, s->problem);
        cJSON_Delete(json);
    } else {
        snprintf(s->problem, sizeof(s->problem), "%s: the sink has ended the stream of its events",
                 s->address.shown);
    }
}

enum outcome sink_watch(struct sink *s, const char *source, int64_t deadline_us,
                        char why[SINK_WHY_SIZE])
{
    struct sink_target target;
    enum outcome outcome;
    cJSON *json;

    sink_end_watch(s);
    s->problem[0] = '\0';
    s->lost = 0;
    s->heard_us = clock_mono_us();
    s->watch = (struct sink_answer){
        .address = &s->address,
        .max = REFUSAL_MAX,
        .hear = sink_receive_events,
        .data = s,
    };
    sink_target_begin(&target, "/events");
    sink_target_add(&target, "source", source);
    sink_answer_start(&s->watch, s->calls, "GET", target.text);
    while (s->watch.call != NULL && !s->confirmed && sink_poll_until(s, deadline_us))
        ;
    if (s->confirmed)
        return OUTCOME_GOOD;
    if (s->watch.call != NULL) {
        outcome = OUTCOME_TIMEOUT;
        snprintf(why, SINK_WHY_SIZE, "%s: no answer in time", s->address.shown);
    } else {
        outcome = sink_answer_conclude(&s->watch, &json, why);
        cJSON_Delete(json);
        /* An answer 200 that is JSON, and no stream. */
        if (outcome == OUTCOME_GOOD)
            outcome = sink_answer_unexpected(&s->watch, why);
    }
    sink_end_watch(s);
    snprintf(s->problem, sizeof(s->problem), "%s", why);
    return outcome;
}

static void sink_check_silence(struct sink *s)
{
    if (s->watch.call == NULL || clock_mono_us() < s->heard_us + SILENCE_US)
        return;
    client_call_cancel(s->watch.call);
    snprintf(s->problem, sizeof(s->problem), "%s: nothing came for %d s, not even a sign of life",
             s->address.shown, SILENCE_US / 1000000);
}

cJSON *sink_next_event(struct sink *s)
{
    struct sink_event *event = s->first;
    cJSON *json;

    if (event == NULL) {
        sink_check_silence(s);
        if (s->confirmed && s->watch.call == NULL && s->problem[0] == '\0')
            sink_set_problem(s);
        return NULL;
    }
    s->first = event->next;
    if (s->first == NULL)
        s->last = &s->first;
    s->events--;
    json = event->json;
    free(event);
    return json;
}

const char *sink_watch_problem(const struct sink *s)
{
    return s->problem[0] == '\0' ? NULL : s->problem;
}

uint64_t sink_lost_events(const struct sink *s)
{
    return s->lost;
}
