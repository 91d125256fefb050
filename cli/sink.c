/* SPDX-License-Identifier: MIT */
#include "cli/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/record.h"
#include "cli/sink_address.h"
#include "cli/sse.h"
#include "daemon/base/buffer.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"

static void sink_target_append(struct sink_target *t, const char *text, size_t len)
{
    if (len >= sizeof(t->text) - t->len) {
        t->too_long = true;
        return;
    }
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len] = '\0';
}

void sink_target_begin(struct sink_target *t, const char *path)
{
    *t = (struct sink_target){.len = 0};
    sink_target_append(t, path, strlen(path));
}

static void sink_target_append_value(struct sink_target *t, const char *value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    for (; *value != '\0'; value++) {
        char escaped[4];

        if (strchr(plain, *value) != NULL) {
            sink_target_append(t, value, 1);
        } else {
            snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*value);
            sink_target_append(t, escaped, 3);
        }
    }
}

void sink_target_add(struct sink_target *t, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sink_target_append(t, t->asks ? "&" : "?", 1);
    t->asks = true;
    sink_target_append(t, name, strlen(name));
    sink_target_append(t, "=", 1);
    sink_target_append_value(t, value);
}

void sink_target_add_number(struct sink_target *t, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    sink_target_add(t, name, text);
}

/* ---- answer
 *
 * Ownership  The caller's; sink_answer_start() begins it, sink_answer_end() releases it. */

struct sink_answer {
    /* Set before the start. */
    const struct sink_address *address;
    bool any;                                                /* accept an answer that is not JSON */
    bool (*hear)(void *data, const char *bytes, size_t len); /* NULL: sink_answer_append() */
    void *data;                                              /* for hear() */
    /* Set from the start on. */
    struct client_call *call; /* NULL: ended */
    enum client_outcome outcome;
    int status;
    bool is_json, is_bytes; /* by content type */
    bool odd;               /* not an answer of hooklined */
    bool failed;            /* ENOMEM */
    char error[CLIENT_WHY_SIZE];
    struct buffer bytes; /* `max` is set before the start */
};

enum {
    SINK_QUOTE_SIZE = 300
};

/* ---- receiving */

/* Appends the bytes. Returns false to stop reading: on ENOMEM, past the limit, or at a first byte
 * that hooklined never sends. */
static bool sink_answer_append(struct sink_answer *a, const char *bytes, size_t len)
{
    if (!a->any && a->bytes.len == 0 && len > 0 && bytes[0] != '{')
        a->odd = true;
    else
        buffer_append(&a->bytes, bytes, len);
    a->odd |= a->bytes.failure == BUFFER_TOO_LONG;
    a->failed |= a->bytes.failure == BUFFER_NO_MEMORY;
    return !a->odd && !a->failed;
}

static bool sink_answer_receive(void *data, const char *bytes, size_t len)
{
    struct sink_answer *a = data;

    return a->hear == NULL ? sink_answer_append(a, bytes, len) : a->hear(a->data, bytes, len);
}

static bool sink_answer_is_type(const char *type, const char *wanted)
{
    size_t len = strlen(wanted);

    return type != NULL && strncasecmp(type, wanted, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static void sink_answer_on_done(void *data, const struct client_result *result)
{
    struct sink_answer *a = data;

    a->call = NULL;
    a->outcome = result->outcome;
    a->status = result->status;
    a->is_json = sink_answer_is_type(result->content_type, "application/json");
    a->is_bytes = sink_answer_is_type(result->content_type, "application/octet-stream");
    snprintf(a->error, sizeof(a->error), "%s", result->error == NULL ? "" : result->error);
}

/* An answer that cannot start counts as ended. */
static void sink_answer_start(struct sink_answer *a, struct client_calls *calls, const char *method,
                              const char *target)
{
    char *url = NULL;

    if (asprintf(&url, "%s%s", a->address->url, target) >= 0) {
        const struct client_target there = {
            .url = url,
            .ca_file = a->address->ca_file,
            .unix_socket = a->address->unix_path,
        };
        const struct client_request request = {
            .target = &there,
            .method = method,
            .headers = a->address->headers,
            .hear = sink_answer_receive,
        };

        /* libcurl copies the URL. */
        a->call = client_call_start(calls, &request, sink_answer_on_done, a);
        free(url);
    }
    if (a->call == NULL) {
        a->outcome = CLIENT_FAILED;
        a->failed = true;
    }
}

/* Cancels the call if it is still open. */
static void sink_answer_end(struct sink_answer *a)
{
    if (a->call != NULL)
        client_call_cancel(a->call);
    buffer_free(&a->bytes);
}

/* ---- meaning */

/* Explains an answer that hooklined never gives. */
static enum outcome sink_answer_unexpected(const struct sink_answer *a, char *why)
{
    char sentence[200];

    if (a->status >= 300 && a->status < 400)
        snprintf(sentence, sizeof(sentence),
                 "unexpected redirect (%d): is this a hooklined admin address?", a->status);
    else if (a->odd && a->bytes.len > 0)
        snprintf(sentence, sizeof(sentence),
                 "unexpectedly long answer: is this a hooklined admin address?");
    else
        snprintf(sentence, sizeof(sentence),
                 "unexpected answer (status %d): is this a hooklined admin address?", a->status);
    snprintf(why, SINK_WHY_SIZE, "%s: %s", a->address->shown, sentence);
    return OUTCOME_TRANSPORT;
}

/* Recognizes the 404 of hooklined's ingest address and of the emulator, which are easily mistaken
 * for the admin address. */
static bool sink_answer_is_foreign(const cJSON *error)
{
    const char *message = json_get_text(error, "message");

    return json_get_is(error, "code", "not_found") && message != NULL &&
           (strstr(message, "source") != NULL || strstr(message, "/emulator/") != NULL);
}

/* Quotes the reason that hooklined gives in each refusal. */
static enum outcome sink_answer_refused(const struct sink_answer *a, const cJSON *json, char *why)
{
    const cJSON *error = json_get(json, "error");
    const char *message = json_get_text(error, "message");
    bool with_token = a->address->authorization != NULL;
    char said[SINK_QUOTE_SIZE];

    if (message == NULL || sink_answer_is_foreign(error))
        return sink_answer_unexpected(a, why);
    text_copy_printable(said, sizeof(said), message, strlen(message));
    snprintf(why, SINK_WHY_SIZE, "%s: %s%s", a->address->shown, said,
             a->status != 401 ? ""
             : with_token     ? " (--sink-token gives another one)"
                              : " (pass it with --sink-token)");
    return a->status < 500 ? OUTCOME_REFUSED : OUTCOME_TRANSPORT;
}

/* Returns the outcome of an ended answer, its JSON or NULL in *json, and the reason in `why`, of
 * SINK_WHY_SIZE bytes. */
static enum outcome sink_answer_conclude(const struct sink_answer *a, cJSON **json, char *why)
{
    char error[CLIENT_WHY_SIZE];

    *json = NULL;
    if (a->failed) {
        snprintf(why, SINK_WHY_SIZE, "%s: out of memory", a->address->shown);
        return OUTCOME_TRANSPORT;
    }
    if (a->odd)
        return sink_answer_unexpected(a, why);
    if (a->outcome != CLIENT_ANSWERED) {
        text_copy_printable(error, sizeof(error), a->error, strlen(a->error));
        if (a->status == 0)
            sink_address_explain(a->address, error, why, SINK_WHY_SIZE);
        else
            snprintf(why, SINK_WHY_SIZE, "%s: the answer was cut off: %s", a->address->shown,
                     error);
        return OUTCOME_TRANSPORT;
    }
    if (a->status == 200 && a->any && (a->is_bytes || a->is_json))
        return OUTCOME_GOOD;
    if (a->is_json && a->bytes.len > 0)
        *json = cJSON_ParseWithLength(a->bytes.base, a->bytes.len);
    if (!cJSON_IsObject(*json)) {
        cJSON_Delete(*json);
        *json = NULL;
        return sink_answer_unexpected(a, why);
    }
    if (a->status >= 400)
        return sink_answer_refused(a, *json, why);
    return a->status == 200 ? OUTCOME_GOOD : sink_answer_unexpected(a, why);
}

/* ---- sink */

enum {
    JSON_MAX = 16 << 20, /* bytes; JSON escapes can make a body of 1 MiB six times longer */
    BYTES_MAX = 600 << 20,
    REFUSAL_MAX = 16 << 10, /* bytes of an answer other than an event stream */
    WAIT_MS_MAX = 1000,
    EVENTS_MAX = 100000,   /* queued */
    SILENCE_US = 45000000, /* three keep-alive intervals */
};

struct sink_event {
    struct sink_event *next;
    cJSON *json;
};

struct sink {
    struct client_calls *calls, *own;
    struct sink_address address;
    /* Event stream. */
    struct sink_answer watch; /* `bytes` holds a refusal */
    struct sse_parser stream;
    bool begun, confirmed; /* begun: a byte arrived; confirmed: the greeting arrived */
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

/* ---- requests */

/* Returns false at the deadline. */
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
    struct sink_answer a = {.address = &s->address, .bytes.max = JSON_MAX};
    enum outcome outcome = sink_exchange(s, &a, method, target, deadline_us, json, why);

    *status = a.status;
    sink_answer_end(&a);
    return outcome;
}

enum outcome sink_fetch(struct sink *s, const char *target, int64_t deadline_us, char **bytes,
                        size_t *len, char why[SINK_WHY_SIZE])
{
    struct sink_answer a = {.address = &s->address, .bytes.max = BYTES_MAX, .any = true};
    enum outcome outcome;
    cJSON *json;

    *bytes = NULL;
    *len = 0;
    a.failed = buffer_text(&a.bytes) == NULL; /* so that an empty body is not NULL */
    outcome = sink_exchange(s, &a, "GET", target, deadline_us, &json, why);
    if (outcome == OUTCOME_GOOD) {
        *len = a.bytes.len;
        *bytes = buffer_take(&a.bytes);
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
        int64_t lost = json_get_int64(json, "lost_lines", 1);

        s->lost += lost > 0 ? (uint64_t)lost : 1;
    }
    cJSON_Delete(json);
    /* Skip event names of later versions. */
    return strcmp(event->name, "message") != 0;
}

/* An event stream starts with a comment, a refusal with JSON. */
static bool sink_receive_events(void *data, const char *bytes, size_t len)
{
    struct sink *s = data;
    struct sink_answer *a = &s->watch;

    if (len == 0)
        return true;
    s->heard_us = clock_mono_us();
    if (a->bytes.len > 0 || (!s->begun && bytes[0] != ':'))
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
        snprintf(s->problem, sizeof(s->problem), "%s: the sink closed the event stream",
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
        .bytes.max = REFUSAL_MAX,
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
        /* Status 200 with JSON is not an event stream. */
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
    snprintf(s->problem, sizeof(s->problem), "%s: no event and no keep-alive for %d s",
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
