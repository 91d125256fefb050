/* SPDX-License-Identifier: MIT */
#include "deposit.h"

#include <h2o.h>

#include "clock.h"
#include "delivery.h"
#include "entry.h"
#include "headers.h"
#include "journal.h"
#include "log.h"
#include "respond.h"
#include "shelf.h"
#include "source.h"

enum {
    WAIT_MS = 20,
};

struct deposits {
    h2o_context_t *ctx;
    struct delivery_recorder recorder;
    struct journal *journal;
    struct shelf *shelf;
    h2o_multithread_receiver_t finished;
    size_t outstanding; /* the journal has them */
};

/* In the memory of the request, and gone with it. */
struct ticket {
    struct deposit *deposit;
};

struct deposit {
    h2o_multithread_message_t message;
    struct journal_task task;
    struct deposits *deposits;
    struct delivery delivery;
    struct entry *entry;
    h2o_req_t *req; /* NULL if the sender has left */
    struct ticket *ticket;
    enum shelf_verdict verdict;
    enum journal_outcome outcome;
};

static struct deposit *deposit_of(struct journal_task *task)
{
    return H2O_STRUCT_FROM_MEMBER(struct deposit, task, task);
}

/* On the journal's thread, and so is tell_loop(). */
static int put_on_shelf(struct journal_task *task)
{
    struct deposit *deposit = deposit_of(task);

    return shelf_put(deposit->deposits->shelf, deposit->entry, &deposit->verdict);
}

static void tell_loop(struct journal_task *task, enum journal_outcome outcome)
{
    struct deposit *deposit = deposit_of(task);

    deposit->outcome = outcome;
    h2o_multithread_send_message(&deposit->deposits->finished, &deposit->message);
}

static void answer(struct deposit *deposit, struct json_line *line)
{
    const struct delivery *d = &deposit->delivery;

    if (deposit->req == NULL)
        return;
    deposit->ticket->deposit = NULL;
    if (delivery_is_accepted(d))
        answer_write_accepted(line, d->duplicate, d->source->name, d->result.id, d->event->type);
    else
        answer_write_refusal(line, &d->answer);
    respond(deposit->req, &d->answer, line);
}

static void release(struct deposit *deposit)
{
    hookline_event_free(&deposit->delivery.event);
    free(deposit->entry);
    free(deposit);
}

static void learn_outcome(struct deposit *deposit)
{
    struct delivery *d = &deposit->delivery;

    deposit->deposits->outstanding--;
    if (deposit->outcome == JOURNAL_DURABLE) {
        d->seq = deposit->entry->seq;
        d->duplicate = deposit->verdict == SHELF_DUPLICATE;
    } else {
        d->answer = answer_to_problem(ANSWER_UNAVAILABLE);
    }
    delivery_record(&deposit->deposits->recorder, d, clock_mono_us());
}

static struct deposit *deposit_at(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct deposit, message.link, link);
}

/* All lines are written at once, and before the answers: who was answered finds the line. */
static void on_finished(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct deposits *all = H2O_STRUCT_FROM_MEMBER(struct deposits, finished, receiver);

    for (h2o_linklist_t *link = messages->next; link != messages; link = link->next)
        learn_outcome(deposit_at(link));
    log_flush(all->recorder.log);
    while (!h2o_linklist_is_empty(messages)) {
        struct deposit *deposit = deposit_at(messages->next);

        h2o_linklist_unlink(messages->next);
        answer(deposit, &all->recorder.line);
        release(deposit);
    }
}

static void on_request_gone(void *data)
{
    struct ticket *ticket = data;

    if (ticket->deposit != NULL)
        ticket->deposit->req = NULL;
}

static hookline_bytes text(const char *text)
{
    return (hookline_bytes){text, text == NULL ? 0 : strlen(text)};
}

static struct entry *copy_entry(h2o_req_t *req, const struct delivery *d,
                                const struct headers *headers)
{
    const hookline_result *r = &d->result;
    struct entry entry = {
        .source = text(d->source->name),
        .scheme = text(d->source->scheme),
        .id = r->id.len == 0 ? (hookline_bytes){0} : r->id,
        .mac = {(const char *)r->mac, sizeof(r->mac)},
        .type = text(d->event->type),
        .remote = text(d->remote),
        .headers = headers_write(headers, &req->pool),
        .body = r->payload,
        .received_us = d->received_us,
        .signed_at = r->signed_at,
        .secret = r->secret,
        .test = d->event->test,
        .fresh = r->fresh,
    };

    return entry_copy(&entry);
}

/* From now on the delivery's texts are those of the entry: the request may go. */
static struct deposit *deposit_new(struct deposits *all, h2o_req_t *req, const struct delivery *d,
                                   const struct headers *headers)
{
    struct deposit *deposit = malloc(sizeof(*deposit));
    struct entry *entry = deposit == NULL ? NULL : copy_entry(req, d, headers);

    if (entry == NULL) {
        free(deposit);
        return NULL;
    }
    *deposit = (struct deposit){
        .task = {.bytes = sizeof(*deposit) + sizeof(*entry) + entry_size(entry),
                 .run = put_on_shelf,
                 .done = tell_loop},
        .deposits = all,
        .delivery = *d,
        .entry = entry,
        .req = req,
    };
    deposit->delivery.result.id = entry->id;
    deposit->delivery.result.payload = entry->body;
    return deposit;
}

bool deposit_begin(struct deposits *all, h2o_req_t *req, struct delivery *d,
                   const struct headers *headers)
{
    struct deposit *deposit = deposit_new(all, req, d, headers);

    if (deposit == NULL)
        return false;
    deposit->ticket = h2o_mem_alloc_shared(&req->pool, sizeof(*deposit->ticket), on_request_gone);
    deposit->ticket->deposit = deposit;
    if (!journal_submit(all->journal, &deposit->task)) {
        deposit->ticket->deposit = NULL;
        free(deposit->entry);
        free(deposit);
        return false;
    }
    all->outstanding++;
    return true;
}

struct deposits *deposits_open(h2o_context_t *ctx, const struct deposits_options *options)
{
    struct deposits *all = h2o_mem_alloc(sizeof(*all));

    *all = (struct deposits){
        .ctx = ctx,
        .recorder = {.log = options->log, .body = options->log_body},
        .journal = options->journal,
        .shelf = options->shelf,
    };
    h2o_multithread_register_receiver(ctx->queue, &all->finished, on_finished);
    return all;
}

void deposits_close(struct deposits *all)
{
    while (all->outstanding > 0)
        h2o_evloop_run(all->ctx->loop, WAIT_MS);
    h2o_multithread_unregister_receiver(all->ctx->queue, &all->finished);
    json_line_free(&all->recorder.line);
    free(all);
}

struct delivery_recorder *deposits_recorder(struct deposits *all)
{
    return &all->recorder;
}
