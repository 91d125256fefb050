/* SPDX-License-Identifier: MIT
 *
 * The sections, and the functions an attempt runs through:
 *
 *   request headers  attempt_headers_new()
 *   request URL      attempt_url_new()
 *   outcome          attempt_take_result(): done, retry or parked
 *   waiting senders  attempt_answer_waiters()
 *   sending          attempt_start() -> attempt_send() -> attempt_on_result() -> answered()
 *   recording        attempt_record() -> attempt_on_recorded() -> attempt_log(), recorded()
 */
#include "daemon/forward/attempt.h"

#include <hookline.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/backoff.h"
#include "daemon/base/clock.h"
#include "daemon/base/header_name.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/http/client.h"
#include "daemon/log/feed.h"
#include "daemon/log/log.h"
#include "daemon/policy/destination.h"
#include "daemon/store/deliveries.h"

/* ---- request headers */

enum {
    HEADER_FACT_MAX = 256
};

/* libcurl sends an empty header only as "name;"; "name:" would remove the header. */
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

/* A NUL would begin another header. */
static bool attempt_value_is_clean(hookline_bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.base[i] < ' ' && value.base[i] != '\t')
            return false;
    return true;
}

/* Writes the sender's headers, and our User-Agent if there is none. */
static void attempt_write_received(FILE *out, const struct delivery_row *delivery,
                                   const struct destination *destination)
{
    static const hookline_bytes agent = {"user-agent", sizeof("user-agent") - 1};
    hookline_bytes rest = delivery->headers, name, value;
    bool named = destination_adds_header(destination, agent);

    while (delivery_row_next_header(&rest, &name, &value)) {
        if (!destination_takes_header(destination, name) || !attempt_value_is_clean(value))
            continue;
        named |= header_name_matches("user-agent", name.base, name.len);
        attempt_write_header(out, name, value);
    }
    if (!named)
        fprintf(out, "User-Agent: hooklined/%s%c", hookline_version(), '\0');
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

/* The id is the same for each attempt. It includes the time, because another store reuses seq. */
static bool attempt_write_signature(FILE *out, const struct delivery_row *delivery,
                                    const struct destination *destination, int64_t now_s)
{
    hookline_request view = {.body = delivery->body};
    hookline_signature signature;
    char id[64];
    int len = snprintf(id, sizeof(id), "hl_%" PRId64 "_%" PRIx64, delivery->seq,
                       (uint64_t)delivery->received_us);

    if (destination->signer == NULL)
        return true;
    if (hookline_sign(destination->signer, &view, (hookline_bytes){id, (size_t)len}, now_s,
                      &signature) < 0)
        return false;
    for (size_t i = 0; i < signature.headers.count; i++) {
        const hookline_header *h = &signature.headers.entries[i];

        attempt_write_header(out, (hookline_bytes){h->name, strlen(h->name)}, h->value);
    }
    return true;
}

/* Splits `len` bytes into an array of NUL-terminated strings, followed by the headers that the
 * destination adds, which stay in locked memory. Returns NULL on ENOMEM. */
static const char **attempt_split_headers(const char *text, size_t len,
                                          const struct destination *destination)
{
    const char **parts;
    size_t count = 0, added = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\0';
    while (destination->added != NULL && destination->added[added] != NULL)
        added++;
    if ((parts = calloc(count + added + 1, sizeof(*parts))) == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i] = text;
        text += strlen(text) + 1;
    }
    for (size_t i = 0; i < added; i++)
        parts[count + i] = destination->added[i];
    return parts;
}

struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *destination, unsigned tries,
                                           int64_t now_s)
{
    struct attempt_headers outgoing = {0};
    size_t len = 0;
    FILE *out = open_memstream(&outgoing.text, &len);
    bool good;

    if (out == NULL)
        return outgoing;
    attempt_write_received(out, delivery, destination);
    if (destination_answers(destination, delivery->source))
        fprintf(out, "Accept-Encoding: identity%c", '\0');
    attempt_write_facts(out, delivery, tries);
    good = attempt_write_signature(out, delivery, destination, now_s);
    if (fclose(out) == 0 && good)
        outgoing.headers = attempt_split_headers(outgoing.text, len, destination);
    return outgoing;
}

void attempt_headers_free(struct attempt_headers *outgoing)
{
    free(outgoing->headers);
    free(outgoing->text);
    *outgoing = (struct attempt_headers){0};
}

/* ---- request URL */

/* Escapes bytes that would end the query, or that no URL holds. */
static void attempt_write_query(FILE *out, hookline_bytes query)
{
    for (size_t i = 0; i < query.len; i++) {
        unsigned char c = (unsigned char)query.base[i];

        if (c > ' ' && c < 0x7f && strchr("#\"<>", c) == NULL)
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

char *attempt_url_new(const struct delivery_row *delivery, const struct destination *destination)
{
    const char *url = destination->target.url, *mark = strchr(url, '?');
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        return NULL;
    fputs(url, out);
    if (destination->query && delivery->query.len > 0) {
        if (mark == NULL || mark[1] != '\0')
            fputc(mark == NULL ? '?' : '&', out);
        attempt_write_query(out, delivery->query);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* ---- outcome */

enum attempt_outcome {
    ATTEMPT_OUTCOME_DONE,
    ATTEMPT_OUTCOME_RETRY,
    ATTEMPT_OUTCOME_PARKED,
};

/* Retries everything but 2xx and the statuses that the destination parks: a proxy answers 404 while
 * the application behind it is being replaced. */
static enum attempt_outcome attempt_outcome_of(const struct destination *destination,
                                               const struct client_result *result)
{
    if (result->outcome != CLIENT_ANSWERED)
        return ATTEMPT_OUTCOME_RETRY;
    if (result->status >= 200 && result->status <= 299)
        return ATTEMPT_OUTCOME_DONE;
    for (const unsigned *status = destination->park_statuses; *status != 0; status++)
        if ((unsigned)result->status == *status)
            return ATTEMPT_OUTCOME_PARKED;
    return ATTEMPT_OUTCOME_RETRY;
}

/* Says the status, and where a redirect points to; its query may hold a token. */
static void attempt_set_status_error(struct attempt *attempt, const struct client_result *result)
{
    const char *location = result->location == NULL ? "" : result->location;
    int len = snprintf(attempt->error, sizeof(attempt->error), "HTTP status %d", result->status);

    if (result->status < 300 || result->status > 399 || location[0] == '\0')
        return;
    attempt->facts.error = attempt->error;
    len += snprintf(attempt->error + len, sizeof(attempt->error) - (size_t)len, " to ");
    text_copy_printable(attempt->error + len, sizeof(attempt->error) - (size_t)len, location,
                        strcspn(location, "?#"));
}

static void attempt_set_error(struct attempt *attempt, const char *error)
{
    if (error == NULL)
        return;
    snprintf(attempt->error, sizeof(attempt->error), "%s", error);
    attempt->facts.error = attempt->error;
}

/* True for answers that ask for fewer requests, whatever the delivery. */
static bool attempt_is_refusal(const struct client_result *result, int64_t retry_after_us)
{
    return result->outcome == CLIENT_ANSWERED &&
           (result->status == 429 || (result->status == 503 && retry_after_us > 0));
}

/* Returns the time until the next attempt, without the destination's Retry-After; -1 if the retries
 * are used up. */
static int64_t attempt_delay_us(const struct attempt *attempt)
{
    const struct destination *destination = attempt->destination;
    uint64_t random;

    if (attempt->cancelled)
        return 0;
    if (attempt->facts.spared)
        return backoff_refused_us(attempt->retry_after_us, attempt->refusals);
    randombytes_buf(&random, sizeof(random));
    return backoff_delay_us(destination->retry_s, destination->retries, attempt->facts.tries,
                            random);
}

/* Schedules the next attempt, or parks the delivery if the retries are used up. */
static void attempt_set_due(struct attempt *attempt, int64_t now_us)
{
    int64_t delay_us = attempt_delay_us(attempt);

    if (delay_us < 0) {
        attempt->facts.state = OUTBOX_PARKED;
        return;
    }
    attempt->facts.state = OUTBOX_RETRY;
    attempt->facts.due_us =
        now_us + (delay_us > attempt->retry_after_us ? delay_us : attempt->retry_after_us);
}

static int64_t attempt_asked_us(const struct client_result *result)
{
    int64_t seconds = -1;

    if (result->outcome == CLIENT_ANSWERED && result->retry_after != NULL)
        seconds =
            backoff_retry_after_s(result->retry_after, result->date, clock_wall_us() / 1000000);
    return seconds < 0 ? 0 : seconds * 1000000;
}

static void attempt_take_result(struct attempt *attempt, const struct client_result *result)
{
    enum attempt_outcome outcome = attempt_outcome_of(attempt->destination, result);
    int64_t now_us = clock_steady_us();

    attempt->facts.status = result->status;
    attempt->facts.took_us = clock_mono_us() - attempt->begun_us;
    attempt->reached = outcome != ATTEMPT_OUTCOME_RETRY;
    attempt_set_error(attempt, result->error);
    if (outcome != ATTEMPT_OUTCOME_DONE && result->outcome == CLIENT_ANSWERED)
        attempt_set_status_error(attempt, result);
    if (outcome == ATTEMPT_OUTCOME_DONE && attempt->waiters != NULL && result->cut) {
        attempt_set_error(attempt, "the answer is too long to pass on");
        outcome = ATTEMPT_OUTCOME_RETRY;
    }
    attempt->retry_after_us = outcome == ATTEMPT_OUTCOME_RETRY ? attempt_asked_us(result) : 0;
    attempt->refused =
        outcome == ATTEMPT_OUTCOME_RETRY && attempt_is_refusal(result, attempt->retry_after_us);
    attempt->facts.spared = attempt->refused && attempt->refusals < ATTEMPT_REFUSALS_SPARED;
    if (outcome == ATTEMPT_OUTCOME_DONE)
        attempt->facts.state = OUTBOX_DONE;
    else if (outcome == ATTEMPT_OUTCOME_PARKED)
        attempt->facts.state = OUTBOX_PARKED;
    else
        attempt_set_due(attempt, now_us);
}

/* ---- waiting senders */

/* Copies the answer for the sender. Returns false on ENOMEM. */
static bool attempt_copy_answer(struct answer_wait *waiter, const struct client_result *result)
{
    waiter->status = result->status;
    waiter->content_type = result->content_type == NULL ? NULL : strdup(result->content_type);
    waiter->content_encoding =
        result->content_encoding == NULL ? NULL : strdup(result->content_encoding);
    waiter->retry_after = result->retry_after == NULL ? NULL : strdup(result->retry_after);
    if ((waiter->body = malloc(result->len + 1)) == NULL)
        return false;
    if (result->len > 0)
        memcpy(waiter->body, result->answer, result->len);
    waiter->len = result->len;
    return (waiter->content_type == NULL) == (result->content_type == NULL) &&
           (waiter->content_encoding == NULL) == (result->content_encoding == NULL) &&
           (waiter->retry_after == NULL) == (result->retry_after == NULL);
}

/* A 1xx is no answer (RFC 9110, section 15.2). */
static void attempt_answer_waiter(struct answer_wait *waiter, const struct client_result *result)
{
    waiter->outcome = result->outcome == CLIENT_TIMEOUT ? ANSWER_WAIT_TIMEOUT : ANSWER_WAIT_FAILED;
    if (result->outcome == CLIENT_ANSWERED && !result->cut && result->status >= 200 &&
        result->status <= 599 && attempt_copy_answer(waiter, result))
        waiter->outcome = ANSWER_WAIT_ANSWERED;
    waiter->done(waiter);
}

static void attempt_answer_waiters(struct attempt *attempt, const struct client_result *result)
{
    struct answer_wait *next;

    for (struct answer_wait *waiter = attempt->waiters; waiter != NULL; waiter = next) {
        next = waiter->next;
        attempt_answer_waiter(waiter, result);
    }
    attempt->waiters = NULL;
}

/* ---- sending */

static void attempt_on_result(void *data, const struct client_result *result)
{
    struct attempt *attempt = data;

    attempt->call = NULL;
    attempt_take_result(attempt, result);
    attempt_answer_waiters(attempt, result);
    attempt->answered(attempt);
}

static void attempt_fail(struct attempt *attempt, const char *error)
{
    attempt_on_result(attempt, &(struct client_result){.outcome = CLIENT_FAILED, .error = error});
}

static void attempt_send(struct attempt *attempt)
{
    const struct destination *destination = attempt->destination;
    struct attempt_headers outgoing = attempt_headers_new(
        attempt->delivery, destination, attempt->facts.tries, clock_wall_us() / 1000000);
    char *url = attempt_url_new(attempt->delivery, destination);
    struct client_request request;

    attempt->keeps_answer =
        attempt->waiters != NULL || destination_answers(destination, attempt->delivery->source);
    request = (struct client_request){
        .target = &destination->target,
        .url = url,
        .headers = outgoing.headers,
        .body = attempt->delivery->body.base,
        .len = attempt->delivery->body.len,
        .keep_answer = attempt->keeps_answer,
    };

    if (outgoing.headers != NULL && url != NULL)
        attempt->call =
            client_call_start(attempt->tools->calls, &request, attempt_on_result, attempt);
    attempt_headers_free(&outgoing);
    free(url);
    if (attempt->call == NULL)
        attempt_fail(attempt, "out of memory");
}

void attempt_end_waits(struct attempt *attempt)
{
    attempt_answer_waiters(attempt, &(struct client_result){.outcome = CLIENT_FAILED});
}

static void attempt_park_unreadable(struct attempt *attempt)
{
    attempt_set_error(attempt, attempt->facts.damaged ? "damaged in the store"
                                                      : "the store no longer holds this delivery");
    attempt->facts.state = OUTBOX_PARKED;
    attempt->reached = true;
    attempt_end_waits(attempt);
    attempt->answered(attempt);
}

void attempt_start(struct attempt *attempt, struct delivery_row *delivery, int64_t seq,
                   unsigned tries, bool first)
{
    attempt->state = ATTEMPT_SENDING;
    attempt->cancelled = false;
    attempt->delivery = delivery;
    attempt->retry_after_us = 0;
    attempt->refused = false;
    attempt->error[0] = '\0';
    attempt->begun_us = clock_mono_us();
    attempt->facts = (struct outbox_attempt){
        .destination = attempt->destination->number,
        .seq = seq,
        .tries = tries,
        .first = first,
        .damaged = delivery != NULL && delivery->damaged,
        .at_us = clock_steady_us(),
    };
    if (delivery != NULL && !delivery->damaged)
        attempt_send(attempt);
    else
        attempt_park_unreadable(attempt);
}

void attempt_add_waiter(struct attempt *attempt, struct answer_wait *waiter)
{
    waiter->next = attempt->waiters;
    attempt->waiters = waiter;
}

void attempt_cancel(struct attempt *attempt)
{
    attempt->cancelled = true;
    attempt->facts.tries--;
    client_call_cancel(attempt->call);
}

/* ---- recording */

enum {
    RECORD_RETRY_US = 250000,
};

static void attempt_log(const struct attempt *attempt)
{
    static const enum verdict verdicts[] = {
        [OUTBOX_DONE] = VERDICT_FORWARDED,
        [OUTBOX_RETRY] = VERDICT_RETRIED,
        [OUTBOX_PARKED] = VERDICT_PARKED,
    };
    const struct outbox_attempt *facts = &attempt->facts;
    const struct delivery_row none = {0},
                              *delivery = attempt->delivery == NULL ? &none : attempt->delivery;
    struct json_writer line = {0};

    json_begin(&line);
    json_time(&line, "time", clock_wall_us());
    json_text(&line, "source", delivery->source.base, delivery->source.len);
    json_string(&line, "destination", attempt->destination->name);
    json_string(&line, "verdict", verdict_word(verdicts[facts->state]));
    json_string(&line, "reason", attempt->error[0] == '\0' ? NULL : attempt->error);
    json_number(&line, "status", facts->status);
    json_number(&line, "seq", facts->seq);
    json_text(&line, "id", delivery->id.base, delivery->id.len);
    json_text(&line, "type", delivery->type.base, delivery->type.len);
    json_number(&line, "tries", facts->tries);
    if (facts->state == OUTBOX_RETRY) {
        json_time(&line, "due", facts->due_us);
        json_bool(&line, "paused", attempt->refused);
    }
    json_number(&line, "duration_us", facts->took_us);
    if (json_end(&line)) {
        log_write(attempt->tools->log, line.text.base, line.text.len);
        log_flush(attempt->tools->log);
        feed_post(attempt->tools->feed, &(struct feed_line){
                                            .source = delivery->source.base,
                                            .source_len = delivery->source.len,
                                            .verdict = verdicts[facts->state],
                                            .text = line.text.base,
                                            .len = line.text.len,
                                        });
    }
    json_free(&line);
}

static struct attempt *attempt_of_message(struct mailbox_message *message)
{
    return (struct attempt *)((char *)message - offsetof(struct attempt, message));
}

static void attempt_record_later(struct attempt *attempt)
{
    attempt->state = ATTEMPT_UNRECORDED;
    attempt->retry_us = clock_mono_us() + RECORD_RETRY_US;
}

static void attempt_on_recorded(struct mailbox_message *message)
{
    struct attempt *attempt = attempt_of_message(message);

    if (attempt->writer_outcome != WRITER_DURABLE) {
        attempt_record_later(attempt);
        return;
    }
    attempt_log(attempt);
    free(attempt->delivery);
    attempt->delivery = NULL;
    attempt->state = ATTEMPT_NONE;
    attempt->recorded(attempt);
}

/* Runs on the writer thread, as does attempt_on_task_done(). */
static int attempt_run_task(struct writer_task *task)
{
    const struct attempt *attempt = (const struct attempt *)task;
    int code = outbox_record(attempt->tools->outbox, &attempt->facts);

    if (code == SQLITE_OK)
        code =
            outbox_set_cursor(attempt->tools->outbox, attempt->facts.destination, attempt->cursor);
    return code;
}

static void attempt_on_task_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct attempt *attempt = (struct attempt *)task;

    attempt->writer_outcome = outcome;
    mailbox_post(attempt->tools->mailbox, &attempt->message);
}

/* Frees the payload early: the log line needs only source, id and type. */
static void attempt_drop_body(struct attempt *attempt)
{
    struct delivery_row brief = {0}, *copy;

    if (attempt->delivery == NULL)
        return;
    brief.source = attempt->delivery->source;
    brief.id = attempt->delivery->id;
    brief.type = attempt->delivery->type;
    if ((copy = delivery_row_copy(&brief)) != NULL) {
        free(attempt->delivery);
        attempt->delivery = copy;
    }
}

void attempt_record(struct attempt *attempt, int64_t cursor)
{
    if (attempt->state == ATTEMPT_SENDING)
        attempt_drop_body(attempt);
    attempt->state = ATTEMPT_RECORDING;
    attempt->cursor = cursor;
    attempt->task = (struct writer_task){
        .bytes = sizeof(*attempt),
        .run = attempt_run_task,
        .done = attempt_on_task_done,
    };
    attempt->message.take = attempt_on_recorded;
    if (!writer_post(attempt->tools->writer, &attempt->task))
        attempt_record_later(attempt);
}
