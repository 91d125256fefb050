/* SPDX-License-Identifier: MIT */
#include "daemon/receive/delivery.h"

#include <string.h>

#include "daemon/log/feed.h"
#include "daemon/log/log.h"
#include "daemon/log/metrics.h"
#include "daemon/base/offenders.h"
#include "daemon/http/sender.h"
#include "daemon/policy/source.h"

bool delivery_is_accepted(const struct delivery *d)
{
    return d->answer.status == 200;
}

const char *delivery_source_name(const struct delivery *d)
{
    return d->source == NULL ? "" : d->source->name;
}

static enum metrics_verdict verdict(const struct delivery *d)
{
    if (delivery_is_accepted(d))
        return d->duplicate ? METRICS_DUPLICATE : METRICS_STORED;
    return d->answer.status < 500 ? METRICS_REFUSED : METRICS_FAILED;
}

/* The sender is not told which fault of ours it was; the administrator is. */
static const char *reason(const struct delivery *d)
{
    return d->code <= HOOKLINE_BAD_CALL ? hookline_code_name(d->code) : d->answer.code;
}

static void write_hint(struct json_line *line, const struct mistake *mistake)
{
    if (mistake->kind != MISTAKE_NONE)
        json_line_string(line, "hint", mistake_name(mistake->kind));
    if (mistake->other != NULL)
        json_line_string(line, "hint_source", mistake->other);
}

/* What the signature vouches for; nothing else of a refused request is written. */
static void write_signed_facts(struct json_line *line, const struct delivery *d)
{
    const hookline_result *r = &d->result;
    const hookline_event *event = d->event;

    json_line_text(line, "id", r->id.len == 0 ? NULL : r->id.base, r->id.len);
    json_line_string(line, "type", event == NULL ? NULL : event->type);
    json_line_bool(line, "test", event != NULL && event->test);
    json_line_known(line, "signed_at", r->signed_at);
    json_line_bool(line, "fresh", r->fresh);
    json_line_known(line, "secret", r->secret);
    json_line_string(line, "secret_label", r->secret < 0 ? NULL : d->source->labels[r->secret]);
}

static void write_line(struct delivery_recorder *recorder, const struct delivery *d, int64_t now_us,
                       uint64_t dropped)
{
    struct json_line *line = &recorder->line;

    json_line_begin(line);
    json_line_time(line, "time", d->received_us);
    json_line_string(line, "source", d->source == NULL ? NULL : d->source->name);
    json_line_string(line, "scheme", d->source == NULL ? NULL : d->source->scheme);
    json_line_string(line, "verdict", metrics_verdict_name(verdict(d)));
    json_line_string(line, "reason", reason(d));
    json_line_number(line, "status", d->answer.status);
    json_line_string(line, "receipt", d->receipt);
    write_hint(line, &d->mistake);
    if (d->seq > 0)
        json_line_number(line, "seq", d->seq);
    write_signed_facts(line, d);
    json_line_number(line, "bytes", (int64_t)d->bytes);
    json_line_string(line, "remote", d->sender.text);
    json_line_number(line, "duration_us", now_us - d->begun_us);
    if (dropped > 0)
        json_line_number(line, "refusals_not_logged", (int64_t)dropped);
    if (recorder->body && delivery_is_accepted(d))
        json_line_body(line, d->result.payload.base, d->result.payload.len);
    json_line_end(line);
}

static struct metrics_secret *secret_used(const struct delivery *d)
{
    return d->result.secret < 0 ? NULL : d->source->secret_counters[d->result.secret];
}

static void count(struct metrics *metrics, const struct delivery *d, int64_t now_us)
{
    metrics_count(metrics, &(struct metrics_delivery){
                               .source = d->source == NULL ? NULL : d->source->counters,
                               .secret = secret_used(d),
                               .verdict = verdict(d),
                               .reason = reason(d),
                               .bytes = d->bytes,
                               .duration_us = now_us - d->begun_us,
                           });
}

static void publish(const struct delivery_recorder *recorder, const struct delivery *d)
{
    const char *source = delivery_source_name(d);

    feed_publish(recorder->feed, &(struct feed_line){
                                     .source = source,
                                     .source_len = strlen(source),
                                     .verdict = metrics_verdict_name(verdict(d)),
                                     .text = recorder->line.base,
                                     .len = recorder->line.len,
                                 });
}

/* Who had the secret is none, however late; and who is not heard does not make it worse. */
static bool is_offence(const struct delivery *d)
{
    return verdict(d) == METRICS_REFUSED && d->answer.status != 429 && d->result.secret < 0;
}

void delivery_record(struct delivery_recorder *recorder, const struct delivery *d, int64_t now_us)
{
    bool logged = delivery_is_accepted(d) ||
                  throttle_pass(&recorder->throttle, DELIVERY_REFUSALS_PER_SECOND, now_us);

    count(recorder->metrics, d, now_us);
    if (recorder->refused_per_minute > 0 && is_offence(d) && sender_is_known(&d->sender))
        offenders_add(recorder->offenders, &d->sender.host, delivery_source_name(d), now_us);
    if (!logged && !feed_is_watched(recorder->feed))
        return;
    write_line(recorder, d, now_us, logged ? throttle_take_dropped(&recorder->throttle) : 0);
    if (recorder->line.failed)
        return;
    if (logged)
        log_write(recorder->log, recorder->line.base, recorder->line.len);
    publish(recorder, d);
}
