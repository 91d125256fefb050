/* SPDX-License-Identifier: MIT */
#include "cli/ping/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "daemon/base/iso_time.h"
#include "daemon/base/printable.h"
#include "cli/ping/provider.h"
#include "cli/terminal.h"
#include "cli/ping/timeline.h"

static bool is_good(int status)
{
    return status >= 200 && status < 300;
}

/* ---- rows */

static void add_trigger(struct timeline *t, const struct findings *f)
{
    timeline_add(t, "triggered", f->triggered_us, TERMINAL_PLAIN, "%s at %s", f->endpoint,
                 f->base_url);
}

static void add_answer(struct timeline *t, const struct findings *f)
{
    const struct provider_answer *a = &f->answer;
    char event[PROVIDER_ID_SIZE + 16] = "", delivery[PROVIDER_ID_SIZE + 16] = "";

    if (!f->answered)
        return;
    if (a->kind != PROVIDER_TRIGGERED) {
        timeline_add(t, "answered", f->answered_us, TERMINAL_BAD, "by %s: %d, %s",
                     f->provider->title, a->status, a->said);
        return;
    }
    if (a->event_id[0] != '\0')
        snprintf(event, sizeof(event), ", event %s", a->event_id);
    if (a->delivery_id[0] != '\0')
        snprintf(delivery, sizeof(delivery), ", delivery %s", a->delivery_id);
    timeline_add(t, "answered", f->answered_us, TERMINAL_PLAIN, "by %s: %d%s%s", f->provider->title,
                 a->status, event, a->event_id[0] != '\0' ? "" : delivery);
}

/* How old it was when it came. */
static void describe_age(const struct sighting *s, char text[64])
{
    int64_t age = s->time_us / 1000000 - s->signed_at;

    if (s->signed_at < 0)
        snprintf(text, 64, "no time is signed");
    else if (age < 0)
        snprintf(text, 64, "signed %" PRId64 " s ahead of the sink's clock", -age);
    else
        snprintf(text, 64, "signed %" PRId64 " s before", age);
}

/* The judgement takes microseconds: the time in between is that of the disk. */
static void add_arrival(struct timeline *t, const struct findings *f)
{
    const struct sighting *s = &f->seen;
    int64_t received_us = findings_received_us(f), settled_us = findings_settled_us(f);
    char age[64];

    if (f->match == SIGHTING_NONE)
        return;
    describe_age(s, age);
    timeline_add(t, "received", received_us, TERMINAL_PLAIN, "%s%s, %" PRId64 " bytes from %s",
                 s->source[0] == '\0' ? "at a path of no source" : "by source ", s->source,
                 s->bytes, s->remote);
    if (sighting_is_accepted(s)) {
        timeline_add(t, "verified", received_us, TERMINAL_GOOD, "%s, secret %d, %s",
                     s->type[0] == '\0' ? "no type" : s->type, s->secret, age);
        timeline_add(t, s->verdict == SIGHTING_STORED ? "stored" : "duplicate", settled_us,
                     TERMINAL_GOOD, "%s %" PRId64 ", answered %d",
                     s->verdict == SIGHTING_STORED ? "as" : "of", s->seq, s->status);
    } else {
        timeline_add(t, s->verdict == SIGHTING_REFUSED ? "refused" : "failed", settled_us,
                     TERMINAL_BAD, "%s, answered %d%s%s%s%s", s->reason, s->status,
                     s->signed_at < 0 ? "" : ", ", s->signed_at < 0 ? "" : age,
                     s->hint[0] == '\0' ? "" : ", hint: ", s->hint);
    }
}

static void add_destinations(struct timeline *t, const struct findings *f)
{
    static const struct {
        const char *what, *text;
        enum terminal_tone tone;
    } states[] = {
        [FINDINGS_WAITING] = {"waiting", "has not been tried yet", TERMINAL_FAINT},
        [FINDINGS_TAKEN] = {"forwarded", "has taken it", TERMINAL_GOOD},
        [FINDINGS_RETRYING] = {"retrying", "has not taken it", TERMINAL_BAD},
        [FINDINGS_PARKED] = {"parked", "has not taken it", TERMINAL_BAD},
    };

    for (size_t i = 0; i < f->destinations_count; i++) {
        const struct findings_destination *d = &f->destinations[i];
        int64_t settled_us = findings_settled_us(f), at_us = d->at_us;
        char status[24] = "";

        if (d->status > 0)
            snprintf(status, sizeof(status), ", status %d", d->status);
        timeline_add(t, states[d->state].what, at_us > settled_us ? at_us : settled_us,
                     states[d->state].tone, "%s %s%s%s%s", d->name, states[d->state].text, status,
                     d->status > 0 || d->reason[0] == '\0' ? "" : ": ",
                     d->status > 0 ? "" : d->reason);
    }
}

/* Beside what we answered. */
static void add_view(struct timeline *t, const struct findings *f)
{
    const struct provider_view *v = &f->view;
    char word[48] = "", got[64] = "", ours[48] = "", tries[40] = "";
    bool agrees = f->match != SIGHTING_NONE && v->status == f->seen.status;

    if (f->view_problem[0] != '\0') {
        timeline_add(t, "provider", f->view_us, TERMINAL_FAINT, "does not tell: %s",
                     f->view_problem);
        return;
    }
    if (f->view_us == 0)
        return;
    if (v->word[0] != '\0')
        snprintf(word, sizeof(word), "says %s, ", v->word);
    if (v->attempts > 1)
        snprintf(tries, sizeof(tries), " at attempt %d", v->attempts);
    if (v->status > 0)
        snprintf(got, sizeof(got), "got %d%s", v->status, tries);
    else
        snprintf(got, sizeof(got), v->status == 0 ? "got no answer%s" : "tells no more%s", tries);
    if (f->match != SIGHTING_NONE && f->seen.status > 0)
        snprintf(ours, sizeof(ours), agrees ? ", as we answered" : "; we answered %d",
                 f->seen.status);
    timeline_add(t, "provider", f->view_us,
                 is_good(v->status)                             ? TERMINAL_GOOD
                 : v->status < 0 && v->state != PROVIDER_FAILED ? TERMINAL_FAINT
                                                                : TERMINAL_BAD,
                 "%s%s%s%s%s", word, got, ours, v->error[0] == '\0' ? "" : ": ", v->error);
}

static void lay_out(struct timeline *t, const struct findings *f)
{
    t->count = 0;
    if (f->triggered_us == 0)
        return;
    add_trigger(t, f);
    add_arrival(t, f);
    add_destinations(t, f);
    add_answer(t, f);
    add_view(t, f);
}

/* ---- for people */

void report_print(const struct findings *f, const struct diagnosis *d, FILE *stream)
{
    struct timeline *t = malloc(sizeof(*t));

    if (t != NULL) {
        lay_out(t, f);
        timeline_print(t, stream);
    }
    free(t);
    if (d->outcome == OUTCOME_GOOD)
        fprintf(stream, "%s%s%s\n", terminal_tone(stream, TERMINAL_GOOD), d->text,
                terminal_tone(stream, TERMINAL_PLAIN));
}

/* ---- for scripts */

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(object, name, text);
}

static void add_number(cJSON *object, const char *name, int64_t number)
{
    if (number >= 0)
        cJSON_AddNumberToObject(object, name, (double)number);
}

static void add_sink_view(cJSON *json, const struct findings *f)
{
    static const char *const verdicts[] = {"stored", "duplicate", "refused", "failed"};
    static const char *const matches[] = {"none", "time", "time", "id", "receipt"};
    const struct sighting *s = &f->seen;
    cJSON *sink = cJSON_AddObjectToObject(json, "sink");
    char time[ISO_TIME_SIZE];

    if (f->match == SIGHTING_NONE)
        return;
    iso_time_write(time, s->time_us);
    cJSON_AddStringToObject(sink, "found_by", matches[f->match]);
    cJSON_AddStringToObject(sink, "verdict", verdicts[s->verdict]);
    add_text(sink, "time", time);
    add_text(sink, "source", s->source);
    add_text(sink, "reason", s->reason);
    add_number(sink, "status", s->status);
    add_text(sink, "receipt", s->receipt);
    add_text(sink, "hint", s->hint);
    add_text(sink, "hint_source", s->hint_source);
    add_number(sink, "seq", s->seq);
    add_text(sink, "id", s->id);
    add_text(sink, "type", s->type);
    add_number(sink, "signed_at", s->signed_at);
    add_number(sink, "bytes", s->bytes);
}

static void add_provider_view(cJSON *json, const struct findings *f)
{
    static const char *const states[] = {"unknown",   "pending", "retrying",
                                         "delivered", "failed",  "skipped"};
    const struct provider_view *v = &f->view;
    cJSON *view = cJSON_AddObjectToObject(json, "provider_says");

    if (f->answered) {
        add_number(view, "answer", f->answer.status);
        add_text(view, "said", f->answer.said);
        add_text(view, "event_id", f->answer.event_id);
        add_text(view, "delivery_id", f->answer.delivery_id);
    }
    if (f->view_us == 0)
        return;
    cJSON_AddStringToObject(view, "state", states[v->state]);
    add_number(view, "status", v->status);
    add_number(view, "attempts", v->attempts);
    add_text(view, "error", v->error);
    add_text(view, "body", v->body);
    add_text(view, "problem", f->view_problem);
}

static void add_destination_states(cJSON *json, const struct findings *f)
{
    static const char *const states[] = {"waiting", "done", "retrying", "parked"};
    cJSON *list = cJSON_AddArrayToObject(json, "destinations");

    for (size_t i = 0; i < f->destinations_count; i++) {
        const struct findings_destination *d = &f->destinations[i];
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "name", d->name);
        cJSON_AddStringToObject(item, "state", states[d->state]);
        add_number(item, "tries", d->tries);
        if (d->status > 0)
            add_number(item, "status", d->status);
        if (d->state != FINDINGS_TAKEN)
            add_text(item, "reason", d->reason);
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *make_json(const struct findings *f, const struct diagnosis *d)
{
    struct timeline *t = malloc(sizeof(*t));
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "confirmed", d->outcome == OUTCOME_GOOD);
    cJSON_AddNumberToObject(json, "exit_status", d->outcome);
    cJSON_AddStringToObject(json, "diagnosis", d->name);
    cJSON_AddStringToObject(json, "text", d->text);
    cJSON_AddBoolToObject(json, "exact", findings_is_exact(f));
    cJSON_AddStringToObject(json, "provider", f->provider->name);
    add_text(json, "endpoint", f->endpoint);
    add_text(json, "source", f->source);
    add_sink_view(json, f);
    add_provider_view(json, f);
    add_destination_states(json, f);
    if (t != NULL) {
        lay_out(t, f);
        cJSON_AddItemToObject(json, "timeline", timeline_json(t));
    }
    free(t);
    return json;
}

void report_print_json(const struct findings *f, const struct diagnosis *d, FILE *stream)
{
    cJSON *json = make_json(f, d);
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    if (text != NULL)
        printable_write_json(stream, text, strlen(text));
    free(text);
    cJSON_Delete(json);
}
