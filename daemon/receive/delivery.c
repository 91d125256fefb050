/* SPDX-License-Identifier: MIT */
#include "daemon/receive/delivery.h"

#include <string.h>

#include <h2o.h>
#include <sodium.h>

#include "daemon/base/clock.h"
#include "daemon/http/connection.h"
#include "daemon/log/feed.h"
#include "daemon/log/log.h"
#include "daemon/log/metrics.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/source.h"
#include "daemon/receive/request_head.h"

void receipt_make(struct receipts *r, char text[RECEIPT_SIZE])
{
    if (r->left == 0) {
        randombytes_buf(r->random, sizeof(r->random));
        r->left = sizeof(r->random);
    }
    r->left -= RECEIPT_BYTES;
    sodium_bin2hex(text, RECEIPT_SIZE, r->random + r->left, RECEIPT_BYTES);
}

void delivery_begin(struct delivery *d, h2o_req_t *req, const struct sources *sources,
                    struct receipts *receipts)
{
    hookline_bytes query, path = request_head_path(req, &query);

    *d = (struct delivery){
        .source = sources_find_path(sources, path.base, path.len),
        .path = path,
        .query = query,
        .result = {.secret = -1, .signed_at = -1},
        .received_us = clock_wall_us(),
        .begun_us = clock_mono_us(),
    };
    receipt_make(receipts, d->receipt);
    connection_client_addr(req, &d->sender);
}

/* ---- deliveries */

bool delivery_is_accepted(const struct delivery *d)
{
    return d->response.status == 200;
}

const char *delivery_source_name(const struct delivery *d)
{
    return d->source == NULL ? "" : d->source->name;
}

static enum verdict delivery_verdict(const struct delivery *d)
{
    if (delivery_is_accepted(d))
        return d->duplicate ? VERDICT_DUPLICATE : VERDICT_STORED;
    return d->response.status < 500 ? VERDICT_REFUSED : VERDICT_FAILED;
}

/* Internal errors appear by name in the log only; the sender gets "unavailable". */
static const char *delivery_reason(const struct delivery *d)
{
    if (d->code <= HOOKLINE_BAD_CALL || (d->looked_up && d->duplicate))
        return hookline_code_name(d->code);
    return d->response.code;
}

static void delivery_write_hint(struct json_writer *line, const struct diagnose_result *hint)
{
    if (hint->kind != DIAGNOSE_NONE)
        json_string(line, "hint", diagnose_cause_name(hint->kind));
    if (hint->other != NULL)
        json_string(line, "hint_source", hint->other);
}

/* Writes the path that no source has, which finds a wrong URL at the sender. */
static void delivery_write_path(struct json_writer *line, const struct delivery *d)
{
    if (d->source == NULL)
        json_text(line, "path", d->path.base,
                  d->path.len < DELIVERY_PATH_MAX ? d->path.len : DELIVERY_PATH_MAX);
}

/* Writes the signed facts, and those of an accepted payload. */
static void delivery_write_signed_facts(struct json_writer *line, const struct delivery *d)
{
    const hookline_result *r = &d->result;
    const hookline_event *event = d->event;

    json_text(line, "id", r->id.len == 0 ? NULL : r->id.base, r->id.len);
    if (d->delivery_id.len > 0 && delivery_is_accepted(d))
        json_text(line, "delivery_id", d->delivery_id.base, d->delivery_id.len);
    json_string(line, "type", event == NULL ? NULL : event->type);
    if (event != NULL && event->unreadable != NULL)
        json_string(line, "unreadable", event->unreadable);
    json_bool(line, "test", event != NULL && event->test);
    json_number_or_null(line, "signed_at", r->signed_at);
    json_bool(line, "fresh", r->fresh);
    json_number_or_null(line, "secret", r->secret);
    json_string(line, "secret_label", r->secret < 0 ? NULL : d->source->labels[r->secret]);
}

/* ---- destinations that pass it over */

static enum destination_pass delivery_passed_by(const struct delivery *d, size_t i)
{
    const char *type = d->event == NULL ? NULL : d->event->type;

    return destination_passes(&d->destinations->at[i],
                              (hookline_bytes){d->source->name, strlen(d->source->name)},
                              (hookline_bytes){type, type == NULL ? 0 : strlen(type)});
}

/* Returns true for a stored delivery that no destination takes, although there are some. */
static bool delivery_is_unwanted(const struct delivery *d)
{
    if (d->destinations == NULL || d->destinations->count == 0 ||
        delivery_verdict(d) != VERDICT_STORED)
        return false;
    for (size_t i = 0; i < d->destinations->count; i++)
        if (delivery_passed_by(d, i) == DESTINATION_TAKES)
            return false;
    return true;
}

/* Names the destinations that take deliveries of this source, but not this one; all of them if
 * none takes it. */
static void delivery_write_passed_over(struct json_writer *line, const struct delivery *d)
{
    bool unwanted = delivery_is_unwanted(d), open = false;

    if (d->destinations == NULL || delivery_verdict(d) != VERDICT_STORED)
        return;
    for (size_t i = 0; i < d->destinations->count; i++) {
        enum destination_pass pass = delivery_passed_by(d, i);

        if (pass == DESTINATION_TAKES || (pass == DESTINATION_PASSES_SOURCE && !unwanted))
            continue;
        if (!open)
            json_open_object(line, "passed_over");
        open = true;
        json_string(line, d->destinations->at[i].name, destination_pass_name(pass));
    }
    if (open)
        json_close_object(line);
}

static void delivery_count_passed_over(const struct delivery *d)
{
    if (d->destinations == NULL || delivery_verdict(d) != VERDICT_STORED)
        return;
    for (size_t i = 0; i < d->destinations->count; i++) {
        enum destination_pass pass = delivery_passed_by(d, i);

        if (pass != DESTINATION_TAKES)
            metrics_count_passed_over(d->destinations->at[i].counters, destination_pass_name(pass));
    }
}

static void delivery_write_rearmed(struct json_writer *line, const struct delivery *d)
{
    if (d->rearmed == 0)
        return;
    json_open_object(line, "rearmed");
    for (size_t i = 0; i < d->destinations->count; i++)
        if (d->rearmed >> i & 1)
            json_bool(line, d->destinations->at[i].name, true);
    json_close_object(line);
}

/* ---- line and counters */

static void delivery_write_line(struct delivery_recorder *recorder, const struct delivery *d,
                                int64_t now_us, uint64_t dropped)
{
    struct json_writer *line = &recorder->line;

    json_begin(line);
    json_time(line, "time", d->received_us);
    json_string(line, "source", d->source == NULL ? NULL : d->source->name);
    json_string(line, "scheme", d->source == NULL ? NULL : d->source->scheme);
    json_string(line, "verdict", verdict_word(delivery_verdict(d)));
    json_string(line, "reason", delivery_reason(d));
    json_number(line, "status", d->response.status);
    json_string(line, "receipt", d->receipt);
    if (!delivery_is_accepted(d))
        delivery_write_hint(line, &d->hint);
    delivery_write_path(line, d);
    if (d->seq > 0)
        json_number(line, "seq", d->seq);
    delivery_write_signed_facts(line, d);
    delivery_write_passed_over(line, d);
    delivery_write_rearmed(line, d);
    json_number(line, "bytes", (int64_t)d->bytes);
    json_string(line, "remote", d->sender.text);
    json_number(line, "duration_us", now_us - d->begun_us);
    if (dropped > 0)
        json_number(line, "refusals_not_logged", (int64_t)dropped);
    if (recorder->body && delivery_is_accepted(d))
        json_body(line, d->result.payload.base, d->result.payload.len);
    json_end(line);
}

static struct metrics_secret *delivery_secret_used(const struct delivery *d)
{
    return d->result.secret < 0 ? NULL : d->source->secret_counters[d->result.secret];
}

static void delivery_count(struct metrics *metrics, const struct delivery *d, int64_t now_us)
{
    metrics_count(metrics, &(struct metrics_delivery){
                               .source = d->source == NULL ? NULL : d->source->counters,
                               .secret = delivery_secret_used(d),
                               .verdict = delivery_verdict(d),
                               .reason = delivery_reason(d),
                               .unwanted = delivery_is_unwanted(d),
                               .unreadable = d->event != NULL && d->event->unreadable != NULL,
                               .bytes = d->bytes,
                               .duration_us = now_us - d->begun_us,
                           });
}

static void delivery_publish(const struct delivery_recorder *recorder, const struct delivery *d)
{
    const char *source = delivery_source_name(d);

    feed_post(recorder->feed, &(struct feed_line){
                                  .source = source,
                                  .source_len = strlen(source),
                                  .verdict = delivery_verdict(d),
                                  .text = recorder->line.text.base,
                                  .len = recorder->line.text.len,
                              });
}

/* A request with a valid signature is no offence, and neither is a slow one, nor a 429, because it
 * would prolong itself. */
static bool delivery_is_offence(const struct delivery *d)
{
    return delivery_verdict(d) == VERDICT_REFUSED && d->response.status != 408 &&
           d->response.status != 429 && d->result.secret < 0;
}

void delivery_record(struct delivery_recorder *recorder, const struct delivery *d, int64_t now_us)
{
    bool logged = delivery_is_accepted(d) ||
                  log_limit_pass(&recorder->log_limit, DELIVERY_REFUSALS_PER_SECOND, now_us);

    delivery_count(recorder->metrics, d, now_us);
    delivery_count_passed_over(d);
    if (recorder->refused_per_minute > 0 && delivery_is_offence(d) &&
        client_addr_is_known(&d->sender))
        refusal_limit_add(recorder->refusal_limit, &d->sender.host, delivery_source_name(d),
                          now_us);
    if (!logged && !feed_is_watched(recorder->feed))
        return;
    delivery_write_line(recorder, d, now_us,
                        logged ? log_limit_take_dropped(&recorder->log_limit) : 0);
    if (recorder->line.text.failure != BUFFER_NO_FAILURE)
        return;
    if (logged)
        log_write(recorder->log, recorder->line.text.base, recorder->line.text.len);
    delivery_publish(recorder, d);
}
