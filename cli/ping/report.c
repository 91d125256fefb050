/* SPDX-License-Identifier: MIT */
#include "cli/ping/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping/provider.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

void timeline_add(struct timeline *t, const char *what, int64_t at_us, enum terminal_tone tone,
                  const char *format, ...)
{
    struct timeline_row row = {.what = what, .at_us = at_us, .tone = tone};
    size_t at = t->count;
    va_list args;

    if (t->count == TIMELINE_ROWS_MAX)
        return;
    va_start(args, format);
    vsnprintf(row.text, sizeof(row.text), format, args);
    va_end(args);
    if (t->count > 0 && row.at_us < t->rows[0].at_us)
        row.at_us = t->rows[0].at_us;
    while (at > 0 && t->rows[at - 1].at_us > row.at_us)
        at--;
    memmove(&t->rows[at + 1], &t->rows[at], (t->count - at) * sizeof(row));
    t->rows[at] = row;
    t->count++;
}

static int64_t timeline_offset_us(const struct timeline *t, size_t i)
{
    return t->rows[i].at_us - t->rows[0].at_us;
}

/* Rounds down, so that no row shows a time that had not come. */
static int64_t timeline_round_ms(int64_t us)
{
    return us / 1000;
}

void timeline_print(const struct timeline *t, FILE *stream)
{
    int what_width = 0, ms_width = 1;
    char ms[24];

    for (size_t i = 0; i < t->count; i++) {
        int len = (int)strlen(t->rows[i].what);
        int digits =
            snprintf(ms, sizeof(ms), "%" PRId64, timeline_round_ms(timeline_offset_us(t, i)));

        what_width = len > what_width ? len : what_width;
        ms_width = digits > ms_width ? digits : ms_width;
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_row *row = &t->rows[i];

        fprintf(stream, "%s%-*s%s  %s%*" PRId64 " ms%s  %s\n", terminal_tone(stream, row->tone),
                what_width, row->what,
                row->tone == TERMINAL_PLAIN ? "" : terminal_tone(stream, TERMINAL_PLAIN),
                terminal_tone(stream, TERMINAL_FAINT), ms_width,
                timeline_round_ms(timeline_offset_us(t, i)), terminal_tone(stream, TERMINAL_PLAIN),
                row->text);
    }
}

cJSON *timeline_json(const struct timeline *t)
{
    cJSON *list = cJSON_CreateArray();
    char time[RFC3339_SIZE];

    for (size_t i = 0; list != NULL && i < t->count; i++) {
        cJSON *row = cJSON_CreateObject();

        rfc3339_write(time, t->rows[i].at_us);
        cJSON_AddStringToObject(row, "what", t->rows[i].what);
        cJSON_AddStringToObject(row, "time", time);
        cJSON_AddNumberToObject(row, "ms", (double)timeline_offset_us(t, i) / 1000);
        cJSON_AddStringToObject(row, "text", t->rows[i].text);
        cJSON_AddItemToArray(list, row);
    }
    return list;
}

/* ---- report */

/* ---- rows */

static void report_add_trigger(struct timeline *t, const struct observed *f)
{
    timeline_add(t, "triggered", f->triggered_us, TERMINAL_PLAIN, "%s at %s", f->endpoint,
                 f->base_url);
}

static void report_add_answer(struct timeline *t, const struct observed *f)
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

/* Writes the age of the signature at arrival. */
static void report_describe_age(const struct observed_event *s, char text[64])
{
    int64_t age = s->time_us / 1000000 - s->signed_at;

    if (s->signed_at < 0)
        snprintf(text, 64, "no signed time");
    else if (age < 0)
        snprintf(text, 64, "signed %" PRId64 " s ahead of the sink's clock", -age);
    else
        snprintf(text, 64, "signed %" PRId64 " s earlier", age);
}

/* Verification takes microseconds, so its row has the time of arrival. The disk takes the rest. */
static void report_add_arrival(struct timeline *t, const struct observed *f)
{
    const struct observed_event *s = &f->seen;
    int64_t received_us = observed_received_us(f), settled_us = observed_settled_us(f);
    char age[64];

    if (f->match == OBSERVED_MATCH_NONE)
        return;
    report_describe_age(s, age);
    timeline_add(t, "received", received_us, TERMINAL_PLAIN, "%s%s, %" PRId64 " bytes from %s",
                 s->source[0] == '\0' ? "at a path of no source" : "by source ", s->source,
                 s->bytes, s->remote);
    if (observed_event_is_accepted(s)) {
        timeline_add(t, "verified", received_us, TERMINAL_GOOD, "%s, secret %d, %s",
                     s->type[0] == '\0' ? "no type" : s->type, s->secret, age);
        timeline_add(t, verdict_word(s->verdict), settled_us, TERMINAL_GOOD,
                     "%s %" PRId64 ", answered %d", s->verdict == VERDICT_STORED ? "as" : "of",
                     s->seq, s->status);
    } else {
        timeline_add(t, verdict_word(s->verdict), settled_us, TERMINAL_BAD,
                     "%s, answered %d%s%s%s%s", s->reason, s->status, s->signed_at < 0 ? "" : ", ",
                     s->signed_at < 0 ? "" : age, s->hint[0] == '\0' ? "" : ", hint: ", s->hint);
    }
}

static void report_add_destinations(struct timeline *t, const struct observed *f)
{
    const struct {
        const char *what, *text;
        enum terminal_tone tone;
    } states[] = {
        [OBSERVED_WAITING] = {"waiting", "has not been attempted yet", TERMINAL_FAINT},
        [OBSERVED_TAKEN] = {verdict_word(VERDICT_FORWARDED), "accepted it", TERMINAL_GOOD},
        [OBSERVED_RETRYING] = {"retrying", "has not taken it", TERMINAL_BAD},
        [OBSERVED_PARKED] = {"parked", "has not taken it", TERMINAL_BAD},
    };

    for (size_t i = 0; i < f->destinations_count; i++) {
        const struct observed_destination *d = &f->destinations[i];
        int64_t settled_us = observed_settled_us(f), at_us = d->at_us;
        char status[24] = "";

        if (d->status > 0)
            snprintf(status, sizeof(status), ", status %d", d->status);
        timeline_add(t, states[d->state].what, at_us > settled_us ? at_us : settled_us,
                     states[d->state].tone, "%s %s%s%s%s", d->name, states[d->state].text, status,
                     d->status > 0 || d->reason[0] == '\0' ? "" : ": ",
                     d->status > 0 ? "" : d->reason);
    }
}

/* Compares the provider's report with the sink's answer. */
static void report_add_view(struct timeline *t, const struct observed *f)
{
    const struct provider_view *v = &f->view;
    char word[48] = "", got[64] = "", ours[48] = "", tries[40] = "";
    bool agrees = f->match != OBSERVED_MATCH_NONE && v->status == f->seen.status;

    if (f->view_problem[0] != '\0') {
        timeline_add(t, "provider", f->view_us, TERMINAL_FAINT, "reports nothing: %s",
                     f->view_problem);
        return;
    }
    if (f->view_us == 0)
        return;
    if (v->word[0] != '\0')
        snprintf(word, sizeof(word), "reports %s, ", v->word);
    if (v->attempts > 1)
        snprintf(tries, sizeof(tries), " at attempt %d", v->attempts);
    if (v->status > 0)
        snprintf(got, sizeof(got), "got %d%s", v->status, tries);
    else
        snprintf(got, sizeof(got), v->status == 0 ? "got no answer%s" : "reports no status%s",
                 tries);
    if (f->match != OBSERVED_MATCH_NONE && f->seen.status > 0)
        snprintf(ours, sizeof(ours), agrees ? ", as the sink answered" : "; the sink answered %d",
                 f->seen.status);
    timeline_add(t, "provider", f->view_us,
                 provider_status_is_2xx(v->status)              ? TERMINAL_GOOD
                 : v->status < 0 && v->state != PROVIDER_FAILED ? TERMINAL_FAINT
                                                                : TERMINAL_BAD,
                 "%s%s%s%s%s", word, got, ours, v->error[0] == '\0' ? "" : ": ", v->error);
}

static void report_fill_timeline(struct timeline *t, const struct observed *f)
{
    t->count = 0;
    if (f->triggered_us == 0)
        return;
    report_add_trigger(t, f);
    report_add_arrival(t, f);
    report_add_destinations(t, f);
    report_add_answer(t, f);
    report_add_view(t, f);
}

/* ---- text */

void report_print(const struct observed *f, const struct diagnosis *d, FILE *stream)
{
    struct timeline *t = malloc(sizeof(*t));

    if (t != NULL) {
        report_fill_timeline(t, f);
        timeline_print(t, stream);
    }
    free(t);
    if (d->outcome == OUTCOME_GOOD)
        fprintf(stream, "%s%s%s\n", terminal_tone(stream, TERMINAL_GOOD), d->text,
                terminal_tone(stream, TERMINAL_PLAIN));
}

/* ---- JSON */

static void report_json_text(cJSON *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(object, name, text);
}

static void report_json_number(cJSON *object, const char *name, int64_t number)
{
    if (number >= 0)
        cJSON_AddNumberToObject(object, name, (double)number);
}

static void report_json_sink(cJSON *json, const struct observed *f)
{
    static const char *const matches[] = {"none", "time", "time", "id", "receipt"};
    const struct observed_event *s = &f->seen;
    cJSON *sink = cJSON_AddObjectToObject(json, "sink");
    char time[RFC3339_SIZE];

    if (f->match == OBSERVED_MATCH_NONE)
        return;
    rfc3339_write(time, s->time_us);
    cJSON_AddStringToObject(sink, "found_by", matches[f->match]);
    cJSON_AddStringToObject(sink, "verdict", verdict_word(s->verdict));
    report_json_text(sink, "time", time);
    report_json_text(sink, "source", s->source);
    report_json_text(sink, "reason", s->reason);
    report_json_number(sink, "status", s->status);
    report_json_text(sink, "receipt", s->receipt);
    report_json_text(sink, "hint", s->hint);
    report_json_text(sink, "hint_source", s->hint_source);
    report_json_number(sink, "seq", s->seq);
    report_json_text(sink, "id", s->id);
    report_json_text(sink, "type", s->type);
    report_json_number(sink, "signed_at", s->signed_at);
    report_json_number(sink, "bytes", s->bytes);
}

static void report_json_provider(cJSON *json, const struct observed *f)
{
    static const char *const states[] = {"unknown",   "pending", "retrying",
                                         "delivered", "failed",  "skipped"};
    const struct provider_view *v = &f->view;
    cJSON *view = cJSON_AddObjectToObject(json, "provider_says");

    if (f->answered) {
        report_json_number(view, "answer", f->answer.status);
        report_json_text(view, "said", f->answer.said);
        report_json_text(view, "event_id", f->answer.event_id);
        report_json_text(view, "delivery_id", f->answer.delivery_id);
    }
    if (f->view_us == 0)
        return;
    cJSON_AddStringToObject(view, "state", states[v->state]);
    report_json_number(view, "status", v->status);
    report_json_number(view, "attempts", v->attempts);
    report_json_text(view, "error", v->error);
    report_json_text(view, "body", v->body);
    report_json_text(view, "problem", f->view_problem);
}

static void report_json_destinations(cJSON *json, const struct observed *f)
{
    static const char *const states[] = {"waiting", "done", "retrying", "parked"};
    cJSON *list = cJSON_AddArrayToObject(json, "destinations");

    for (size_t i = 0; i < f->destinations_count; i++) {
        const struct observed_destination *d = &f->destinations[i];
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "name", d->name);
        cJSON_AddStringToObject(item, "state", states[d->state]);
        report_json_number(item, "tries", d->tries);
        if (d->status > 0)
            report_json_number(item, "status", d->status);
        if (d->state != OBSERVED_TAKEN)
            report_json_text(item, "reason", d->reason);
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *report_json(const struct observed *f, const struct diagnosis *d)
{
    struct timeline *t = malloc(sizeof(*t));
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "confirmed", d->outcome == OUTCOME_GOOD);
    cJSON_AddNumberToObject(json, "exit_status", d->outcome);
    cJSON_AddStringToObject(json, "diagnosis", d->name);
    cJSON_AddStringToObject(json, "text", d->text);
    cJSON_AddBoolToObject(json, "exact", observed_is_exact(f));
    cJSON_AddStringToObject(json, "provider", f->provider->name);
    report_json_text(json, "endpoint", f->endpoint);
    report_json_text(json, "source", f->source);
    report_json_sink(json, f);
    report_json_provider(json, f);
    report_json_destinations(json, f);
    if (t != NULL) {
        report_fill_timeline(t, f);
        cJSON_AddItemToObject(json, "timeline", timeline_json(t));
    }
    free(t);
    return json;
}

void report_print_json(const struct observed *f, const struct diagnosis *d, FILE *stream)
{
    cJSON *json = report_json(f, d);
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    if (text != NULL)
        text_write_json(stream, text, strlen(text));
    free(text);
    cJSON_Delete(json);
}
