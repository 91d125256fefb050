/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../daemon/call.h"
#include "../daemon/clock.h"
#include "place.h"
#include "printable.h"
#include "stream.h"
#include "target.h"

enum {
    JSON_MAX = 16 << 20, /* bytes; a body of 1 MiB in JSON may have six times as many */
    BYTES_MAX = 600 << 20,
    REFUSAL_MAX = 16 << 10, /* of an answer that is no stream of events */
    WAIT_MS_MAX = 1000,
    EVENTS_MAX = 100000,   /* that nobody takes */
    SILENCE_US = 45000000, /* three times as long as a sink that has nothing to say is silent */
    SAID_SIZE = 300,
};

/* What has come of one answer. */
struct answer {
    struct sink *sink;
    struct call *call; /* NULL when it has ended */
    enum call_outcome outcome;
    int status;
    char error[CALL_WHY_SIZE];
    bool is_json, is_bytes; /* its content type */
    char *bytes;
    size_t len, size, max;
    bool any;    /* it need not be JSON */
    bool odd;    /* it is nothing of hooklined's */
    bool failed; /* memory was short */
};

struct event {
    struct event *next;
    cJSON *json;
};

struct sink {
    struct call_set *calls, *own;
    struct place place;
    /* The events. */
    struct answer watch; /* its bytes are those of a refusal */
    struct stream stream;
    bool begun, confirmed; /* something has come; it is the sink's greeting */
    int64_t heard_us;
    char problem[SINK_WHY_SIZE];
    struct event *first, **last;
    size_t events;
    uint64_t lost;
};

/* ---- open and close */

struct sink *sink_open(struct call_set *calls, const struct sink_options *options,
                       char why[SINK_WHY_SIZE])
{
    struct sink *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        snprintf(why, SINK_WHY_SIZE, "out of memory");
        return NULL;
    }
    s->last = &s->first;
    s->own = calls == NULL ? call_set_new() : NULL;
    s->calls = calls == NULL ? s->own : calls;
    if (s->calls == NULL)
        snprintf(why, SINK_WHY_SIZE, "out of memory");
    else if (place_open(&s->place, options, why))
        return s;
    call_set_free(&s->own);
    free(s);
    return NULL;
}

static void end_watch(struct sink *s)
{
    if (s->watch.call != NULL)
        call_cancel(s->watch.call);
    free(s->watch.bytes);
    s->watch = (struct answer){.sink = s};
    stream_free(&s->stream);
    s->begun = s->confirmed = false;
}

void sink_close(struct sink **sink)
{
    struct sink *s = *sink;
    cJSON *event;

    if (s == NULL)
        return;
    end_watch(s);
    while ((event = sink_next_event(s)) != NULL)
        cJSON_Delete(event);
    place_close(&s->place);
    call_set_free(&s->own);
    free(s);
    *sink = NULL;
}

void sink_poll(struct sink *s, int wait_ms)
{
    call_poll(s->calls, wait_ms);
}

const char *sink_address(const struct sink *s)
{
    return s->place.address;
}

/* ---- a call */

static bool keep(struct answer *a, const char *bytes, size_t len)
{
    if (len > a->max - a->len)
        return false;
    if (a->size - a->len < len + 1) {
        size_t size = 2 * (a->len + len) + 1024;
        char *base = realloc(a->bytes, size);

        if (base == NULL) {
            a->failed = true;
            return false;
        }
        a->bytes = base;
        a->size = size;
    }
    memcpy(a->bytes + a->len, bytes, len);
    a->len += len;
    a->bytes[a->len] = '\0';
    return true;
}

/* No more is read of what begins like no answer of hooklined's, however long it is. */
static bool hear(void *data, const char *bytes, size_t len)
{
    struct answer *a = data;

    if (!a->any && a->len == 0 && len > 0 && bytes[0] != '{')
        a->odd = true;
    else if (!keep(a, bytes, len))
        a->odd = !a->failed;
    return !a->odd && !a->failed;
}

static bool is_type(const char *type, const char *wanted)
{
    size_t len = strlen(wanted);

    return type != NULL && strncasecmp(type, wanted, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static void on_done(void *data, const struct call_result *result)
{
    struct answer *a = data;

    a->call = NULL;
    a->outcome = result->outcome;
    a->status = result->status;
    a->is_json = is_type(result->content_type, "application/json");
    a->is_bytes = is_type(result->content_type, "application/octet-stream");
    snprintf(a->error, sizeof(a->error), "%s", result->error == NULL ? "" : result->error);
}

static bool start(struct answer *a, const char *method, const char *target,
                  bool (*hear_it)(void *data, const char *bytes, size_t len))
{
    const struct place *place = &a->sink->place;
    char *url = NULL;

    if (asprintf(&url, "%s%s", place->url, target) >= 0) {
        const struct call_target there = {url, place->ca_file, place->unix_path, 0};
        const struct call_request request = {
            .target = &there,
            .method = method,
            .headers = place->headers,
            .hear = hear_it,
        };

        /* libcurl copies the URL. */
        a->call = call_start(a->sink->calls, &request, on_done, a);
        free(url);
    }
    if (a->call == NULL) {
        a->outcome = CALL_FAILED;
        snprintf(a->error, sizeof(a->error), "out of memory");
    }
    return a->call != NULL;
}

/* False if the time is over. */
static bool poll_until(struct sink *s, int64_t deadline_us)
{
    int64_t left_ms = (deadline_us - clock_mono_us() + 999) / 1000;

    if (left_ms <= 0)
        return false;
    call_poll(s->calls, left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms);
    return true;
}

/* ---- what an answer means */

static enum outcome complain(const struct sink *s, enum outcome outcome, const char *sentence,
                             char *why)
{
    place_explain(&s->place, sentence, why, SINK_WHY_SIZE);
    return outcome;
}

static enum outcome complain_odd(const struct answer *a, char *why)
{
    char sentence[200];

    if (a->status >= 300 && a->status < 400)
        snprintf(sentence, sizeof(sentence),
                 "it redirects (%d), which hooklined never does; is it the admin address?",
                 a->status);
    else if (a->odd && a->len > 0)
        snprintf(sentence, sizeof(sentence), "its answer is longer than any of hooklined's");
    else
        snprintf(sentence, sizeof(sentence),
                 "its answer (status %d) is none of hooklined's; is it the admin address?",
                 a->status);
    snprintf(why, SINK_WHY_SIZE, "%s: %s", a->sink->place.address, sentence);
    return OUTCOME_TRANSPORT;
}

/* Its other address is easily taken for the administrator's, who knows all of our paths. */
static bool is_for_senders(const cJSON *error)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));

    return code != NULL && strcmp(code, "not_found") == 0 && message != NULL &&
           strstr(message, "source") != NULL;
}

/* hooklined says in each refusal what was wrong. */
static enum outcome complain_refused(const struct answer *a, const cJSON *json, char *why)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    bool with_token = a->sink->place.authorization != NULL;
    char said[SAID_SIZE];

    if (message == NULL || is_for_senders(error))
        return complain_odd(a, why);
    printable_copy(said, sizeof(said), message, strlen(message));
    snprintf(why, SINK_WHY_SIZE, "%s: %s%s", a->sink->place.address, said,
             a->status != 401 ? ""
             : with_token     ? " (the one of --sink-token is not it)"
                              : " (see --sink-token)");
    return a->status < 500 ? OUTCOME_REFUSED : OUTCOME_TRANSPORT;
}

/* Of one that has ended; *json is what it holds, or NULL. */
static enum outcome conclude(const struct answer *a, cJSON **json, char *why)
{
    char error[CALL_WHY_SIZE];

    *json = NULL;
    if (a->failed)
        return complain(a->sink, OUTCOME_TRANSPORT, "out of memory", why);
    if (a->odd)
        return complain_odd(a, why);
    if (a->outcome != CALL_ANSWERED) {
        printable_copy(error, sizeof(error), a->error, strlen(a->error));
        if (a->status == 0)
            return complain(a->sink, OUTCOME_TRANSPORT, error, why);
        snprintf(why, SINK_WHY_SIZE, "%s: its answer broke off: %s", a->sink->place.address, error);
        return OUTCOME_TRANSPORT;
    }
    if (a->status == 200 && a->any && (a->is_bytes || a->is_json))
        return OUTCOME_GOOD;
    if (a->is_json && a->len > 0)
        *json = cJSON_ParseWithLength(a->bytes, a->len);
    if (!cJSON_IsObject(*json)) {
        cJSON_Delete(*json);
        *json = NULL;
        return complain_odd(a, why);
    }
    if (a->status >= 400)
        return complain_refused(a, *json, why);
    return a->status == 200 ? OUTCOME_GOOD : complain_odd(a, why);
}

static enum outcome ask(struct answer *a, const char *method, const char *target,
                        int64_t deadline_us, cJSON **json, char *why)
{
    start(a, method, target, hear);
    while (a->call != NULL && poll_until(a->sink, deadline_us))
        ;
    if (a->call == NULL)
        return conclude(a, json, why);
    call_cancel(a->call);
    *json = NULL;
    snprintf(why, SINK_WHY_SIZE, "%s: no answer in time", a->sink->place.address);
    return OUTCOME_TIMEOUT;
}

enum outcome sink_ask(struct sink *s, const char *method, const char *target, int64_t deadline_us,
                      int *status, cJSON **json, char why[SINK_WHY_SIZE])
{
    struct answer a = {.sink = s, .max = JSON_MAX};
    enum outcome outcome = ask(&a, method, target, deadline_us, json, why);

    *status = a.status;
    free(a.bytes);
    return outcome;
}

enum outcome sink_fetch(struct sink *s, const char *target, int64_t deadline_us, char **bytes,
                        size_t *len, char why[SINK_WHY_SIZE])
{
    struct answer a = {.sink = s, .max = BYTES_MAX, .any = true};
    cJSON *json;
    enum outcome outcome;

    /* So that even nothing is a text. */
    keep(&a, "", 0);
    outcome = ask(&a, "GET", target, deadline_us, &json, why);
    cJSON_Delete(json);
    *bytes = outcome == OUTCOME_GOOD ? a.bytes : NULL;
    *len = outcome == OUTCOME_GOOD ? a.len : 0;
    if (outcome != OUTCOME_GOOD)
        free(a.bytes);
    return outcome;
}

/* ---- events */

static bool queue(struct sink *s, cJSON *json)
{
    struct event *event = s->events < EVENTS_MAX ? malloc(sizeof(*event)) : NULL;

    if (event == NULL) {
        cJSON_Delete(json);
        s->lost++;
        return true;
    }
    *event = (struct event){NULL, json};
    *s->last = event;
    s->last = &event->next;
    s->events++;
    return true;
}

static bool take_comment(struct sink *s, const struct stream_event *event)
{
    static const char greeting[] = "hooklined";

    s->confirmed |= strncmp(event->data, greeting, sizeof(greeting) - 1) == 0;
    return s->confirmed;
}

static bool take_event(void *data, const struct stream_event *event)
{
    struct sink *s = data;
    cJSON *json;

    if (event->is_comment)
        return take_comment(s, event);
    json = s->confirmed ? cJSON_ParseWithLength(event->data, event->len) : NULL;
    if (cJSON_IsObject(json) && strcmp(event->name, "message") == 0)
        return queue(s, json);
    if (cJSON_IsObject(json) && strcmp(event->name, "lost") == 0) {
        double lost = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "lost_lines"));

        s->lost += lost >= 1 && lost < 1e15 ? (uint64_t)lost : 1;
    }
    cJSON_Delete(json);
    return json != NULL;
}

/* A stream begins with a comment, a refusal with its JSON. */
static bool hear_events(void *data, const char *bytes, size_t len)
{
    struct answer *a = data;
    struct sink *s = a->sink;

    if (len == 0)
        return true;
    s->heard_us = clock_mono_us();
    if (a->len > 0 || (!s->begun && bytes[0] != ':'))
        return hear(data, bytes, len);
    s->begun = true;
    a->odd = !stream_take(&s->stream, bytes, len, take_event, s);
    return !a->odd;
}

static void set_problem(struct sink *s)
{
    cJSON *json;

    if (s->watch.odd || s->watch.outcome != CALL_ANSWERED) {
        conclude(&s->watch, &json, s->problem);
        cJSON_Delete(json);
    } else {
        snprintf(s->problem, sizeof(s->problem), "%s: the sink has ended the stream of its events",
                 s->place.address);
    }
}

enum outcome sink_watch(struct sink *s, const char *source, int64_t deadline_us,
                        char why[SINK_WHY_SIZE])
{
    struct target target;
    enum outcome outcome;
    cJSON *json;

    end_watch(s);
    s->problem[0] = '\0';
    s->lost = 0;
    s->heard_us = clock_mono_us();
    s->watch.max = REFUSAL_MAX;
    target_begin(&target, "/events");
    target_add(&target, "source", source);
    start(&s->watch, "GET", target.text, hear_events);
    while (s->watch.call != NULL && !s->confirmed && poll_until(s, deadline_us))
        ;
    if (s->confirmed)
        return OUTCOME_GOOD;
    if (s->watch.call != NULL) {
        outcome = OUTCOME_TIMEOUT;
        snprintf(why, SINK_WHY_SIZE, "%s: no answer in time", s->place.address);
    } else {
        outcome = conclude(&s->watch, &json, why);
        cJSON_Delete(json);
        /* An answer 200 that is JSON, and no stream. */
        if (outcome == OUTCOME_GOOD)
            outcome = complain_odd(&s->watch, why);
    }
    end_watch(s);
    snprintf(s->problem, sizeof(s->problem), "%s", why);
    return outcome;
}

static void look_for_silence(struct sink *s)
{
    if (s->watch.call == NULL || clock_mono_us() < s->heard_us + SILENCE_US)
        return;
    call_cancel(s->watch.call);
    snprintf(s->problem, sizeof(s->problem), "%s: nothing came for %d s, not even a sign of life",
             s->place.address, SILENCE_US / 1000000);
}

cJSON *sink_next_event(struct sink *s)
{
    struct event *event = s->first;
    cJSON *json;

    if (event == NULL) {
        look_for_silence(s);
        if (s->confirmed && s->watch.call == NULL && s->problem[0] == '\0')
            set_problem(s);
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
