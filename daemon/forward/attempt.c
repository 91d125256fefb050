/* SPDX-License-Identifier: MIT */
#include "daemon/forward/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/backoff.h"
#include "daemon/base/clock.h"
#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"
#include "daemon/log/feed.h"
#include "daemon/base/json_line.h"
#include "daemon/log/log.h"
#include "daemon/forward/outgoing.h"
#include "daemon/http/call.h"
#include "daemon/forward/relay.h"

enum {
    RECORD_AGAIN_US = 250000,
};

/* ---- what follows of an answer */

enum fate {
    FATE_DONE,
    FATE_RETRY,
    FATE_PARKED,
};

/* Those that say "later" are tried again; of the others the next try would hear the same. */
static enum fate fate_of(const struct call_result *result)
{
    if (result->outcome != CALL_ANSWERED)
        return FATE_RETRY;
    if (result->status >= 200 && result->status <= 299)
        return FATE_DONE;
    if (result->status == 408 || result->status == 425 || result->status == 429 ||
        result->status >= 500)
        return FATE_RETRY;
    return FATE_PARKED;
}

static void set_error(struct attempt *a, const char *error)
{
    if (error == NULL)
        return;
    snprintf(a->error, sizeof(a->error), "%s", error);
    a->facts.error = a->error;
}

/* Or parks it, if it has been tried often enough. */
static void set_due(struct attempt *a, int64_t now_us)
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
    a->facts.due_us = now_us + (delay_us > a->asked_us ? delay_us : a->asked_us);
}

static int64_t asked_us(const struct call_result *result)
{
    int64_t seconds = -1;

    if (result->outcome == CALL_ANSWERED && result->retry_after != NULL)
        seconds =
            backoff_retry_after_s(result->retry_after, result->date, clock_wall_us() / 1000000);
    return seconds < 0 ? 0 : seconds * 1000000;
}

static void judge(struct attempt *a, const struct call_result *result)
{
    enum fate fate = fate_of(result);
    int64_t now_us = clock_steady_us();

    a->facts.status = result->status;
    a->facts.took_us = clock_mono_us() - a->begun_us;
    a->reached = fate != FATE_RETRY;
    set_error(a, result->error);
    if (fate != FATE_DONE && result->outcome == CALL_ANSWERED)
        snprintf(a->error, sizeof(a->error), "HTTP status %d", result->status);
    if (fate == FATE_DONE && a->relays != NULL && result->cut) {
        set_error(a, "the answer is too long to be passed on");
        fate = FATE_RETRY;
    }
    a->asked_us = fate == FATE_RETRY ? asked_us(result) : 0;
    if (fate == FATE_DONE)
        a->facts.state = OUTBOX_DONE;
    else if (fate == FATE_PARKED)
        a->facts.state = OUTBOX_PARKED;
    else
        set_due(a, now_us);
}

/* ---- those who wait for the answer */

static void answer_relay(struct relay *relay, const struct call_result *result)
{
    relay->outcome = result->outcome == CALL_TIMEOUT ? RELAY_TIMEOUT : RELAY_FAILED;
    if (result->outcome == CALL_ANSWERED && !result->cut) {
        const char *type = result->content_type;

        relay->status = result->status;
        relay->content_type = type == NULL ? NULL : strdup(type);
        relay->body = malloc(result->len + 1);
        if (relay->body != NULL && (type == NULL || relay->content_type != NULL)) {
            if (result->len > 0)
                memcpy(relay->body, result->answer, result->len);
            relay->len = result->len;
            relay->outcome = RELAY_ANSWERED;
        }
    }
    relay->done(relay);
}

static void answer_relays(struct attempt *a, const struct call_result *result)
{
    struct relay *next;

    for (struct relay *relay = a->relays; relay != NULL; relay = next) {
        next = relay->next;
        answer_relay(relay, result);
    }
    a->relays = NULL;
}

/* ---- sending */

static void on_result(void *data, const struct call_result *result)
{
    struct attempt *a = data;

    a->call = NULL;
    judge(a, result);
    answer_relays(a, result);
    a->answered(a);
}

static void fail(struct attempt *a, const char *error)
{
    on_result(a, &(struct call_result){.outcome = CALL_FAILED, .error = error});
}

static void send_entry(struct attempt *a)
{
    const struct destination *d = a->destination;
    struct outgoing outgoing = outgoing_new(a->entry, d, a->facts.tries, clock_wall_us() / 1000000);
    struct call_request request;

    a->keeps_answer = a->relays != NULL || destination_answers(d, a->entry->source);
    request = (struct call_request){
        .target = &d->target,
        .headers = outgoing.headers,
        .body = a->entry->body.base,
        .len = a->entry->body.len,
        .keep_answer = a->keeps_answer,
    };

    if (outgoing.headers != NULL)
        a->call = call_start(a->tools->calls, &request, on_result, a);
    outgoing_free(&outgoing);
    if (a->call == NULL)
        fail(a, "out of memory");
}

static void park_missing(struct attempt *a)
{
    set_error(a, "the store does not hold this delivery any more");
    a->facts.state = OUTBOX_PARKED;
    a->reached = true;
    answer_relays(a, &(struct call_result){.outcome = CALL_FAILED});
    a->answered(a);
}

void attempt_start(struct attempt *a, struct entry *entry, int64_t seq, unsigned tries, bool first)
{
    a->state = ATTEMPT_SENDING;
    a->cancelled = false;
    a->entry = entry;
    a->asked_us = 0;
    a->error[0] = '\0';
    a->begun_us = clock_mono_us();
    a->facts = (struct outbox_attempt){
        .destination = a->destination->number,
        .seq = seq,
        .tries = tries,
        .first = first,
        .at_us = clock_steady_us(),
    };
    if (entry != NULL)
        send_entry(a);
    else
        park_missing(a);
}

void attempt_join(struct attempt *a, struct relay *relay)
{
    relay->next = a->relays;
    a->relays = relay;
}

void attempt_cancel(struct attempt *a)
{
    a->cancelled = true;
    a->facts.tries--;
    call_cancel(a->call);
}

/* ---- recording */

static void write_line(const struct attempt *a)
{
    static const char *const verdicts[] = {
        [OUTBOX_DONE] = "forwarded",
        [OUTBOX_RETRY] = "retried",
        [OUTBOX_PARKED] = "parked",
    };
    const struct outbox_attempt *facts = &a->facts;
    const struct entry none = {0}, *entry = a->entry == NULL ? &none : a->entry;
    struct json_line line = {0};

    json_line_begin(&line);
    json_line_time(&line, "time", clock_wall_us());
    json_line_text(&line, "source", entry->source.base, entry->source.len);
    json_line_string(&line, "destination", a->destination->name);
    json_line_string(&line, "verdict", verdicts[facts->state]);
    json_line_string(&line, "reason", a->error[0] == '\0' ? NULL : a->error);
    json_line_number(&line, "status", facts->status);
    json_line_number(&line, "seq", facts->seq);
    json_line_text(&line, "id", entry->id.base, entry->id.len);
    json_line_text(&line, "type", entry->type.base, entry->type.len);
    json_line_number(&line, "tries", facts->tries);
    if (facts->state == OUTBOX_RETRY)
        json_line_time(&line, "due", facts->due_us);
    json_line_number(&line, "duration_us", facts->took_us);
    if (json_line_end(&line)) {
        log_write(a->tools->log, line.base, line.len);
        log_flush(a->tools->log);
        feed_publish(a->tools->feed, &(struct feed_line){
                                         .source = entry->source.base,
                                         .source_len = entry->source.len,
                                         .verdict = verdicts[facts->state],
                                         .text = line.base,
                                         .len = line.len,
                                     });
    }
    json_line_free(&line);
}

static struct attempt *of_message(struct message *message)
{
    return (struct attempt *)((char *)message - offsetof(struct attempt, message));
}

static void try_to_record_later(struct attempt *a)
{
    a->state = ATTEMPT_UNRECORDED;
    a->retry_us = clock_mono_us() + RECORD_AGAIN_US;
}

static void on_recorded(struct message *message)
{
    struct attempt *a = of_message(message);

    if (a->journal_outcome != JOURNAL_DURABLE) {
        try_to_record_later(a);
        return;
    }
    write_line(a);
    free(a->entry);
    a->entry = NULL;
    a->state = ATTEMPT_NONE;
    a->recorded(a);
}

/* On the journal's thread, as the next one. */
static int run_task(struct journal_task *task)
{
    const struct attempt *a = (const struct attempt *)task;
    int code = outbox_record(a->tools->writer, &a->facts);

    if (code == SQLITE_OK)
        code = outbox_set_cursor(a->tools->writer, a->facts.destination, a->cursor);
    return code;
}

static void on_task_done(struct journal_task *task, enum journal_outcome outcome)
{
    struct attempt *a = (struct attempt *)task;

    a->journal_outcome = outcome;
    mailbox_post(a->tools->mailbox, &a->message);
}

/* What was sent is in the store; only the line still wants to know what it was. */
static void forget_body(struct attempt *a)
{
    struct entry brief = {0}, *copy;

    if (a->entry == NULL)
        return;
    brief.source = a->entry->source;
    brief.id = a->entry->id;
    brief.type = a->entry->type;
    if ((copy = entry_copy(&brief)) != NULL) {
        free(a->entry);
        a->entry = copy;
    }
}

void attempt_record(struct attempt *a, int64_t cursor)
{
    if (a->state == ATTEMPT_SENDING)
        forget_body(a);
    a->state = ATTEMPT_RECORDING;
    a->cursor = cursor;
    a->task = (struct journal_task){
        .bytes = sizeof(*a),
        .run = run_task,
        .done = on_task_done,
    };
    a->message.take = on_recorded;
    if (!journal_submit(a->tools->journal, &a->task))
        try_to_record_later(a);
}
