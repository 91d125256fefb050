/* SPDX-License-Identifier: MIT */
#include "cli/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/rfc3339.h"

struct payload_writer {
    struct json_writer *line;
    const struct payload_ids *ids;
    const char *type;
    char time[RFC3339_SIZE];
    int64_t seconds;
};

struct payload_sender {
    const char *scheme, *id_prefix, *type;
    void (*write)(const struct payload_writer *w);
    const char *type_header, *id_header; /* or NULL */
};

static void payload_write_foil(const struct payload_writer *w)
{
    json_string(w->line, "id", w->ids->event);
    json_string(w->line, "object", "webhook_event");
    json_string(w->line, "type", w->type);
    json_string(w->line, "created", w->time);
    json_open_object(w->line, "data");
    json_string(w->line, "object", "webhook_test");
    json_open_object(w->line, "endpoint");
    json_string(w->line, "id", w->ids->endpoint);
    json_close_object(w->line);
    json_close_object(w->line);
}

static void payload_write_shodai(const struct payload_writer *w)
{
    json_string(w->line, "id", w->ids->event);
    json_string(w->line, "type", w->type);
    json_string(w->line, "apiVersion", "2026-06-01");
    json_string(w->line, "createdAt", w->time);
    json_open_object(w->line, "data");
    json_close_object(w->line);
}

static void payload_write_trulayer(const struct payload_writer *w)
{
    json_string(w->line, "type", w->type);
    json_string(w->line, "webhook_id", w->ids->endpoint);
    json_string(w->line, "sent_at", w->time);
}

/* Default for unknown senders. */
static void payload_write_standard(const struct payload_writer *w)
{
    json_string(w->line, "type", w->type);
    json_string(w->line, "timestamp", w->time);
    json_open_object(w->line, "data");
    json_string(w->line, "id", w->ids->event);
    json_close_object(w->line);
}

static void payload_write_stripe(const struct payload_writer *w)
{
    json_string(w->line, "id", w->ids->event);
    json_string(w->line, "object", "event");
    json_number(w->line, "created", w->seconds);
    json_string(w->line, "type", w->type);
    json_bool(w->line, "livemode", false);
    json_open_object(w->line, "data");
    json_open_object(w->line, "object");
    json_close_object(w->line);
    json_close_object(w->line);
}

static void payload_write_github(const struct payload_writer *w)
{
    json_string(w->line, "zen", "Keep it logically awesome.");
    json_number(w->line, "hook_id", 1);
    json_open_object(w->line, "hook");
    json_string(w->line, "type", "Repository");
    json_bool(w->line, "active", true);
    json_string(w->line, "updated_at", w->time); /* makes each ping unique */
    json_close_object(w->line);
}

static void payload_write_slack(const struct payload_writer *w)
{
    json_string(w->line, "type", w->type);
    json_string(w->line, "event_id", w->ids->event);
    json_number(w->line, "event_time", w->seconds);
    json_open_object(w->line, "event");
    json_string(w->line, "type", "app_mention");
    json_string(w->line, "text", "This is a test.");
    json_close_object(w->line);
}

static const struct payload_sender senders[] = {
    {"foil", "wevt_", "webhook.test", payload_write_foil, NULL, NULL},
    {"tripwire", "wevt_", "webhook.test", payload_write_foil, NULL, NULL},
    {"shodai", "evt_", "webhook.test", payload_write_shodai, NULL, NULL},
    {"trulayer", "ping_", "ping", payload_write_trulayer, NULL, NULL},
    {"stripe", "evt_", "ping", payload_write_stripe, NULL, NULL},
    {"github", "", "ping", payload_write_github, "X-GitHub-Event", "X-GitHub-Delivery"},
    {"slack", "Ev", "event_callback", payload_write_slack, NULL, NULL},
};

static const struct payload_sender default_sender = {
    "", "msg_", "webhook.test", payload_write_standard, NULL, NULL};

static const struct payload_sender *payload_find_sender(const char *scheme)
{
    for (size_t i = 0; scheme != NULL && i < sizeof(senders) / sizeof(senders[0]); i++)
        if (strcmp(senders[i].scheme, scheme) == 0)
            return &senders[i];
    return &default_sender;
}

const char *payload_id_prefix(const char *scheme)
{
    return payload_find_sender(scheme)->id_prefix;
}

static void payload_write_header(char out[96], const char *name, const char *value)
{
    out[0] = '\0';
    if (name != NULL)
        snprintf(out, 96, "%s: %s", name, value);
}

bool payload_test(struct payload *payload, const char *scheme, const struct payload_ids *ids,
                  int64_t now_us)
{
    const struct payload_sender *sender = payload_find_sender(scheme);
    struct json_writer line = {0};
    struct payload_writer w = {
        .line = &line, .ids = ids, .type = sender->type, .seconds = now_us / 1000000};

    *payload = (struct payload){.type = sender->type};
    rfc3339_write(w.time, now_us);
    json_begin(&line);
    sender->write(&w);
    if (!json_end(&line)) {
        json_free(&line);
        return false;
    }
    /* The payload takes the buffer, without its trailing newline. */
    payload->body = line.text.base;
    payload->len = line.text.len - 1;
    payload->body[payload->len] = '\0';
    payload_write_header(payload->headers[0], sender->type_header, sender->type);
    payload_write_header(payload->headers[1], sender->id_header, ids->event);
    return true;
}

void payload_free(struct payload *payload)
{
    free(payload->body);
    *payload = (struct payload){0};
}
