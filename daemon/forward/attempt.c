/* SPDX-License-Identifier: MIT */
#include "daemon/forward/attempt.h"

#include <hookline.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/backoff.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/http/client.h"
#include "daemon/log/feed.h"
#include "daemon/log/log.h"
#include "daemon/policy/destination.h"
#include "daemon/store/deliveries.h"

enum {
    HEADER_FACT_MAX = 256
};

/* Begins with it, whatever the case. */
static bool attempt_header_begins(hookline_bytes name, const char *with)
{
    size_t len = strlen(with);

    return name.len >= len && strncasecmp(name.base, with, len) == 0;
}

static bool attempt_header_is(hookline_bytes name, const char *other)
{
    return name.len == strlen(other) && attempt_header_begins(name, other);
}

/* What belongs to the connection that it came by, and what would be taken for ours. */
static bool attempt_header_passes(hookline_bytes name, const struct destination *d)
{
    static const char *const ours[] = {
        "host",    "connection", "content-length", "transfer-encoding", "te",
        "trailer", "upgrade",    "expect",         "user-agent",        "keep-alive",
    };
    static const char *const signed_anew[] = {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (attempt_header_is(name, ours[i]))
            return false;
    for (size_t i = 0; d->signer != NULL && i < sizeof(signed_anew) / sizeof(signed_anew[0]); i++)
        if (attempt_header_is(name, signed_anew[i]))
            return false;
    return !attempt_header_begins(name, "hookline-") && !attempt_header_begins(name, "proxy-");
}

/* A header without a value is "name;" for libcurl: "name:" would take one away. */
static void attempt_write_header(FILE *out, hookline_bytes name, hookline_bytes value)
{
    fwrite(name.base, 1, name.len, out);
    if (value.len == 0) {
        fputc(';', out);
    } else {
        fputs(": ", out);
        fwrite(value.base, 1, value.len, out);
    }
    fputc('\0', out);
}

static void attempt_write_received(FILE *out, const struct delivery_row *delivery,
                                   const struct destination *d)
{
    hookline_bytes rest = delivery->headers, name, value;

    while (delivery_row_next_header(&rest, &name, &value))
        if (attempt_header_passes(name, d))
            attempt_write_header(out, name, value);
}

static void attempt_write_fact(FILE *out, const char *name, hookline_bytes text)
{
    if (text.len == 0 || text.len > HEADER_FACT_MAX)
        return;
    fprintf(out, "Hookline-%s: ", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.base[i];

        if (c > ' ' && c < 0x7f && c != '%')
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
    fputc('\0', out);
}

static void attempt_write_number(FILE *out, const char *name, int64_t number)
{
    fprintf(out, "Hookline-%s: %" PRId64 "%c", name, number, '\0');
}

static void attempt_write_facts(FILE *out, const struct delivery_row *delivery, unsigned tries)
{
    fprintf(out, "User-Agent: hooklined/%s%c", hookline_version(), '\0');
    attempt_write_fact(out, "Source", delivery->source);
    attempt_write_fact(out, "Scheme", delivery->scheme);
    attempt_write_fact(out, "Id", delivery->id);
    attempt_write_fact(out, "Type", delivery->type);
    attempt_write_number(out, "Seq", delivery->seq);
    if (delivery->signed_at >= 0)
        attempt_write_number(out, "Signed-At", delivery->signed_at);
    attempt_write_number(out, "Received-At", delivery->received_us / 1000000);
    attempt_write_number(out, "Attempt", tries);
}

/* The id is the same at each attempt, and another one in another store, where seq begins anew. */
static bool attempt_write_signature(FILE *out, const struct delivery_row *delivery,
                                    const struct destination *d, int64_t now_s)
{
    hookline_request view = {.body = delivery->body};
    hookline_signature signature;
    char id[64];
    int len = snprintf(id, sizeof(id), "hl_%" PRId64 "_%" PRIx64, delivery->seq,
                       (uint64_t)delivery->received_us);

    if (d->signer == NULL)
        return true;
    if (hookline_sign(d->signer, &view, (hookline_bytes){id, (size_t)len}, now_s, &signature) < 0)
        return false;
    for (size_t i = 0; i < signature.headers.count; i++) {
        const hookline_header *h = &signature.headers.entries[i];

        attempt_write_header(out, (hookline_bytes){h->name, strlen(h->name)}, h->value);
    }
    return true;
}

/* A text of `len` bytes, each part of which ends with a NUL. */
static const char **attempt_split_headers(const char *text, size_t len)
{
    const char **parts;
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\0';
    if ((parts = calloc(count + 1, sizeof(*parts))) == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i] = text;
        text += strlen(text) + 1;
    }
    return parts;
}

struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *d, unsigned tries,
                                           int64_t now_s)
{
    struct attempt_headers outgoing = {0};
    size_t len = 0;
    FILE *out = open_memstream(&outgoing.text, &len);
    bool good;

    if (out == NULL)
        return outgoing;
    attempt_write_received(out, delivery, d);
    attempt_write_facts(out, delivery, tries);
    good = attempt_write_signature(out, delivery, d, now_s);
    if (fclose(out) == 0 && good)
        outgoing.headers = attempt_split_headers(outgoing.text, len);
    return outgoing;
}

void attempt_headers_free(struct attempt_headers *outgoing)
{
    free(outgoing->headers);
    free(outgoing->text);
    *outgoing = (struct attempt_headers){0};
}

/* ---- attempt */

enum {
    RECORD_RETRY_US = 250000,
};

/* ---- what follows of an answer */

enum attempt_outcome {
    ATTEMPT_OUTCOME_DONE,
    ATTEMPT_OUTCOME_RETRY,
    ATTEMPT_OUTCOME_PARKED,
};

/* Those that say "later" are tried again; of the others the next try would hear the same. */
static enum attempt_outcome attempt_outcome_of(const struct client_result *result)
{
    if (result->outcome != CLIENT_ANSWERED)
        return ATTEMPT_OUTCOME_RETRY;
    if (result->status >= 200 && result->status <= 299)
        return ATTEMPT_OUTCOME_DONE;
    if (result->status == 408 || result->status == 425 || result->status == 429 ||
        result->status >= 500)
        return ATTEMPT_OUTCOME_RETRY;
    return ATTEMPT_OUTCOME_PARKED;
}

static void attempt_set_error(struct attempt *a, const char *error)
{
    if (error == NULL)
        return;
    snprintf(a->error, sizeof(a->error), "%s", error);
    a->facts.error = a->error;
}

/* Or parks it, if it has been tried often enough. */
static void attempt_set_due(struct attempt *a, int64_t now_us)
{
    const struct destination *d = a->destination;
    int64_t delay_us = 0;

    if (!a->cancelled) {
        uint64_t random;

        randombytes_buf(&random, sizeof(random));
        delay_us = backoff_delay_us(d->retry_s, d->retries, a->facts.tries, random);
    }
    if (delay_us < 0) {
        a->facts.state = OUTBOX_PARKED;
        return;
    }
    a->facts.state = OUTBOX_RETRY;
    a->facts.due_us = now_us + (delay_us > a->retry_after_us ? delay_us : a->retry_after_us);
}

static int64_t attempt_asked_us(const struct client_result *result)
{
    int64_t seconds = -1;

    if (result->outcome == CLIENT_ANSWERED && result->retry_after != NULL)
        seconds =
            backoff_retry_after_s(result->retry_after, result->date, clock_wall_us() / 1000000);
    return seconds < 0 ? 0 : seconds * 1000000;
}

static void attempt_take_result(struct attempt *a, const struct client_result *result)
{
    enum attempt_outcome outcome = attempt_outcome_of(result);
    int64_t now_us = clock_steady_us();

    a->facts.status = result->status;
    a->facts.took_us = clock_mono_us() - a->begun_us;
    a->reached = outcome != ATTEMPT_OUTCOME_RETRY;
    attempt_set_error(a, result->error);
    if (outcome != ATTEMPT_OUTCOME_DONE && result->outcome == CLIENT_ANSWERED)
        snprintf(a->error, sizeof(a->error), "HTTP status %d", result->status);
    if (outcome == ATTEMPT_OUTCOME_DONE && a->waiters != NULL && result->cut) {
        attempt_set_error(a, "the answer is too long to be passed on");
        outcome = ATTEMPT_OUTCOME_RETRY;
    }
    a->retry_after_us = outcome == ATTEMPT_OUTCOME_RETRY ? attempt_asked_us(result) : 0;
    if (outcome == ATTEMPT_OUTCOME_DONE)
        a->facts.state = OUTBOX_DONE;
    else if (outcome == ATTEMPT_OUTCOME_PARKED)
        a->facts.state = OUTBOX_PARKED;
    else
        attempt_set_due(a, now_us);
}

/* ---- those who wait for the answer */

static void attempt_answer_waiter(struct answer_wait *waiter, const struct client_result *result)
{
    waiter->outcome = result->outcome == CLIENT_TIMEOUT ? ANSWER_WAIT_TIMEOUT : ANSWER_WAIT_FAILED;
    if (result->outcome == CLIENT_ANSWERED && !result->cut) {
        const char *type = result->content_type;

        waiter->status = result->status;
        waiter->content_type = type == NULL ? NULL : strdup(type);
        waiter->body = malloc(result->len + 1);
        if (waiter->body != NULL && (type == NULL || waiter->content_type != NULL)) {
            if (result->len > 0)
                memcpy(waiter->body, result->answer, result->len);
            waiter->len = result->len;
            waiter->outcome = ANSWER_WAIT_ANSWERED;
        }
    }
    waiter->done(waiter);
}

static void attempt_answer_waiters(struct attempt *a, const struct client_result *result)
{
    struct answer_wait *next;

    for (struct answer_wait *waiter = a->waiters; waiter != NULL; waiter = next) {
        next = waiter->next;
        attempt_answer_waiter(waiter, result);
    }
    a->waiters = NULL;
}

/* ---- sending */

static void attempt_on_result(void *data, const struct client_result *result)
{
    struct attempt *a = data;

    a->call = NULL;
    attempt_take_result(a, result);
    attempt_answer_waiters(a, result);
    a->answered(a);
}

static void attempt_fail(struct attempt *a, const char *error)
{
    attempt_on_result(a, &(struct client_result){.outcome = CLIENT_FAILED, .error = error});
}

static void attempt_send(struct attempt *a)
{
    const struct destination *d = a->destination;
    struct attempt_headers outgoing =
        attempt_headers_new(a->delivery, d, a->facts.tries, clock_wall_us() / 1000000);
    struct client_request request;

    a->keeps_answer = a->waiters != NULL || destination_answers(d, a->delivery->source);
    request = (struct client_request){
        .target = &d->target,
        .headers = outgoing.headers,
        .body = a->delivery->body.base,
        .len = a->delivery->body.len,
        .keep_answer = a->keeps_answer,
    };

    if (outgoing.headers != NULL)
        a->call = client_call_start(a->tools->calls, &request, attempt_on_result, a);
    attempt_headers_free(&outgoing);
    if (a->call == NULL)
        attempt_fail(a, "out of memory");
}

static void attempt_park_missing(struct attempt *a)
{
    attempt_set_error(a, "the store does not hold this delivery any more");
    a->facts.state = OUTBOX_PARKED;
    a->reached = true;
    attempt_answer_waiters(a, &(struct client_result){.outcome = CLIENT_FAILED});
    a->answered(a);
}

void attempt_start(struct attempt *a, struct delivery_row *delivery, int64_t seq, unsigned tries,
                   bool first)
{
    a->state = ATTEMPT_SENDING;
    a->cancelled = false;
    a->delivery = delivery;
    a->retry_after_us = 0;
    a->error[0] = '\0';
    a->begun_us = clock_mono_us();
    a->facts = (struct outbox_attempt){
        .destination = a->destination->number,
        .seq = seq,
        .tries = tries,
        .first = first,
        .at_us = clock_steady_us(),
    };
    if (delivery != NULL)
        attempt_send(a);
    else
        attempt_park_missing(a);
}

void attempt_add_waiter(struct attempt *a, struct answer_wait *waiter)
{
    waiter->next = a->waiters;
    a->waiters = waiter;
}

void attempt_cancel(struct attempt *a)
{
    a->cancelled = true;
    a->facts.tries--;
    client_call_cancel(a->call);
}

/* ---- recording */

static void attempt_log(const struct attempt *a)
{
    static const char *const verdicts[] = {
        [OUTBOX_DONE] = "forwarded",
        [OUTBOX_RETRY] = "retried",
        [OUTBOX_PARKED] = "parked",
    };
    const struct outbox_attempt *facts = &a->facts;
    const struct delivery_row none = {0}, *delivery = a->delivery == NULL ? &none : a->delivery;
    struct json_writer line = {0};

    json_begin(&line);
    json_time(&line, "time", clock_wall_us());
    json_text(&line, "source", delivery->source.base, delivery->source.len);
    json_string(&line, "destination", a->destination->name);
    json_string(&line, "verdict", verdicts[facts->state]);
    json_string(&line, "reason", a->error[0] == '\0' ? NULL : a->error);
    json_number(&line, "status", facts->status);
    json_number(&line, "seq", facts->seq);
    json_text(&line, "id", delivery->id.base, delivery->id.len);
    json_text(&line, "type", delivery->type.base, delivery->type.len);
    json_number(&line, "tries", facts->tries);
    if (facts->state == OUTBOX_RETRY)
        json_time(&line, "due", facts->due_us);
    json_number(&line, "duration_us", facts->took_us);
    if (json_end(&line)) {
        log_write(a->tools->log, line.base, line.len);
        log_flush(a->tools->log);
        feed_post(a->tools->feed, &(struct feed_line){
                                      .source = delivery->source.base,
                                      .source_len = delivery->source.len,
                                      .verdict = verdicts[facts->state],
                                      .text = line.base,
                                      .len = line.len,
                                  });
    }
    json_free(&line);
}

static struct attempt *attempt_of_message(struct mailbox_message *message)
{
    return (struct attempt *)((char *)message - offsetof(struct attempt, message));
}

static void attempt_record_later(struct attempt *a)
{
    a->state = ATTEMPT_UNRECORDED;
    a->retry_us = clock_mono_us() + RECORD_RETRY_US;
}

static void attempt_on_recorded(struct mailbox_message *message)
{
    struct attempt *a = attempt_of_message(message);

    if (a->writer_outcome != WRITER_DURABLE) {
        attempt_record_later(a);
        return;
    }
    attempt_log(a);
    free(a->delivery);
    a->delivery = NULL;
    a->state = ATTEMPT_NONE;
    a->recorded(a);
}

/* On the journal's thread, as the next one. */
static int attempt_run_task(struct writer_task *task)
{
    const struct attempt *a = (const struct attempt *)task;
    int code = outbox_record(a->tools->outbox, &a->facts);

    if (code == SQLITE_OK)
        code = outbox_set_cursor(a->tools->outbox, a->facts.destination, a->cursor);
    return code;
}

static void attempt_on_task_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct attempt *a = (struct attempt *)task;

    a->writer_outcome = outcome;
    mailbox_post(a->tools->mailbox, &a->message);
}

/* What was sent is in the store; only the line still wants to know what it was. */
static void attempt_drop_body(struct attempt *a)
{
    struct delivery_row brief = {0}, *copy;

    if (a->delivery == NULL)
        return;
    brief.source = a->delivery->source;
    brief.id = a->delivery->id;
    brief.type = a->delivery->type;
    if ((copy = delivery_row_copy(&brief)) != NULL) {
        free(a->delivery);
        a->delivery = copy;
    }
}

void attempt_record(struct attempt *a, int64_t cursor)
{
    if (a->state == ATTEMPT_SENDING)
        attempt_drop_body(a);
    a->state = ATTEMPT_RECORDING;
    a->cursor = cursor;
    a->task = (struct writer_task){
        .bytes = sizeof(*a),
        .run = attempt_run_task,
        .done = attempt_on_task_done,
    };
    a->message.take = attempt_on_recorded;
    if (!writer_post(a->tools->writer, &a->task))
        attempt_record_later(a);
}
