/* SPDX-License-Identifier: MIT */
#include "cli/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json_line.h"
#include "daemon/base/iso_time.h"

/* What a body is made of. */
struct making {
    struct json_line *line;
    const struct payload_ids *ids;
    const char *type;
    char time[ISO_TIME_SIZE];
    int64_t seconds;
};

struct sender {
    const char *scheme, *id_prefix, *type;
    void (*write)(const struct making *m);
    const char *type_header, *id_header; /* or NULL */
};

static void write_foil(const struct making *m)
{
    json_line_string(m->line, "id", m->ids->event);
    json_line_string(m->line, "object", "webhook_event");
    json_line_string(m->line, "type", m->type);
    json_line_string(m->line, "created", m->time);
    json_line_open(m->line, "data");
    json_line_string(m->line, "object", "webhook_test");
    json_line_open(m->line, "endpoint");
    json_line_string(m->line, "id", m->ids->endpoint);
    json_line_close(m->line);
    json_line_close(m->line);
}

static void write_shodai(const struct making *m)
{
    json_line_string(m->line, "id", m->ids->event);
    json_line_string(m->line, "type", m->type);
    json_line_string(m->line, "apiVersion", "2026-06-01");
    json_line_string(m->line, "createdAt", m->time);
    json_line_open(m->line, "data");
    json_line_close(m->line);
}

static void write_trulayer(const struct making *m)
{
    json_line_string(m->line, "type", m->type);
    json_line_string(m->line, "webhook_id", m->ids->endpoint);
    json_line_string(m->line, "sent_at", m->time);
}

/* Also that of senders of whom nothing is known. */
static void write_standard(const struct making *m)
{
    json_line_string(m->line, "type", m->type);
    json_line_string(m->line, "timestamp", m->time);
    json_line_open(m->line, "data");
    json_line_string(m->line, "id", m->ids->event);
    json_line_close(m->line);
}

static void write_stripe(const struct making *m)
{
    json_line_string(m->line, "id", m->ids->event);
    json_line_string(m->line, "object", "event");
    json_line_number(m->line, "created", m->seconds);
    json_line_string(m->line, "type", m->type);
    json_line_bool(m->line, "livemode", false);
    json_line_open(m->line, "data");
    json_line_open(m->line, "object");
    json_line_close(m->line);
    json_line_close(m->line);
}

static void write_github(const struct making *m)
{
    json_line_string(m->line, "zen", "Keep it logically awesome.");
    json_line_number(m->line, "hook_id", 1);
    json_line_open(m->line, "hook");
    json_line_string(m->line, "type", "Repository");
    json_line_bool(m->line, "active", true);
    json_line_string(m->line, "updated_at", m->time); /* else every ping would be the same */
    json_line_close(m->line);
}

static void write_slack(const struct making *m)
{
    json_line_string(m->line, "type", m->type);
    json_line_string(m->line, "event_id", m->ids->event);
    json_line_number(m->line, "event_time", m->seconds);
    json_line_open(m->line, "event");
    json_line_string(m->line, "type", "app_mention");
    json_line_string(m->line, "text", "This is a test.");
    json_line_close(m->line);
}

static const struct sender senders[] = {
    {"foil", "wevt_", "webhook.test", write_foil, NULL, NULL},
    {"tripwire", "wevt_", "webhook.test", write_foil, NULL, NULL},
    {"shodai", "evt_", "webhook.test", write_shodai, NULL, NULL},
    {"trulayer", "ping_", "ping", write_trulayer, NULL, NULL},
    {"stripe", "evt_", "ping", write_stripe, NULL, NULL},
    {"github", "", "ping", write_github, "X-GitHub-Event", "X-GitHub-Delivery"},
    {"slack", "Ev", "event_callback", write_slack, NULL, NULL},
};

static const struct sender plain = {"", "msg_", "webhook.test", write_standard, NULL, NULL};

static const struct sender *find(const char *scheme)
{
    for (size_t i = 0; scheme != NULL && i < sizeof(senders) / sizeof(senders[0]); i++)
        if (strcmp(senders[i].scheme, scheme) == 0)
            return &senders[i];
    return &plain;
}

const char *payload_id_prefix(const char *scheme)
{
    return find(scheme)->id_prefix;
}

static void write_header(char out[96], const char *name, const char *value)
{
    out[0] = '\0';
    if (name != NULL)
        snprintf(out, 96, "%s: %s", name, value);
}

bool payload_test(struct payload *payload, const char *scheme, const struct payload_ids *ids,
                  int64_t now_us)
{
    const struct sender *sender = find(scheme);
    struct json_line line = {0};
    struct making making = {
        .line = &line, .ids = ids, .type = sender->type, .seconds = now_us / 1000000};

    *payload = (struct payload){.type = sender->type};
    iso_time_write(making.time, now_us);
    json_line_begin(&line);
    sender->write(&making);
    if (!json_line_end(&line)) {
        json_line_free(&line);
        return false;
    }
    /* The buffer is the payload's from here on; its line end is not. */
    payload->body = line.base;
    payload->len = line.len - 1;
    payload->body[payload->len] = '\0';
    write_header(payload->headers[0], sender->type_header, sender->type);
    write_header(payload->headers[1], sender->id_header, ids->event);
    return true;
}

void payload_free(struct payload *payload)
{
    free(payload->body);
    *payload = (struct payload){0};
}
