/* SPDX-License-Identifier: MIT */
#include "daemon/receive/deposit.h"

#include <pthread.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/receive/delivery.h"
#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"
#include "daemon/receive/headers.h"
#include "daemon/store/journal.h"
#include "daemon/log/log.h"
#include "daemon/forward/relay.h"
#include "daemon/http/respond.h"
#include "daemon/policy/rules.h"
#include "daemon/store/shelf.h"
#include "daemon/policy/source.h"

enum {
    CLOSE_MS = 20,
};

struct deposits {
    h2o_context_t *ctx;
    struct delivery_recorder recorder;
    struct rules_reader reader;
    struct journal *journal;
    struct shelf *shelf;
    struct handover handover;
    struct journal_task *begun, **begun_end; /* in this turn */
    size_t count;                            /* of those that are not released */
    h2o_multithread_receiver_t wake_up;
    h2o_multithread_message_t message;
    pthread_mutex_t mutex;                    /* before libh2o's own; guards what follows */
    struct deposit *finished, **finished_end; /* if there are any, the message is on its way */
};

/* In the memory of the request, and gone with it. */
struct ticket {
    struct deposit *deposit;
};

struct deposit {
    struct deposit *next; /* of the finished ones */
    struct journal_task task;
    struct deposits *deposits;
    struct rules *rules; /* held: those of the delivery */
    struct delivery delivery;
    struct entry *entry;
    h2o_req_t *req; /* NULL if the sender has left */
    struct ticket *ticket;
    enum shelf_verdict verdict;
    enum journal_outcome outcome;
    bool wants_relay; /* the sender is to get the application's answer */
    bool was_relayed;
    struct relay relay;
};

static struct deposit *deposit_of(struct journal_task *task)
{
    return H2O_STRUCT_FROM_MEMBER(struct deposit, task, task);
}

static const struct destination *answering(const struct deposit *deposit)
{
    return destinations_answering(deposit->rules->destinations, deposit->delivery.source->name);
}

/* On the journal's thread. */
static int put_on_shelf(struct journal_task *task)
{
    struct deposit *deposit = deposit_of(task);
    struct deposits *all = deposit->deposits;
    int code = shelf_put(all->shelf, deposit->entry, &deposit->verdict);

    if (code == SQLITE_OK)
        code = handover_prepare(&all->handover, answering(deposit), deposit->entry->seq,
                                deposit->verdict == SHELF_DUPLICATE, &deposit->wants_relay);
    return code;
}

/* On the journal's thread or the forwarder's. */
static void tell_loop(struct deposit *deposit)
{
    struct deposits *all = deposit->deposits;

    deposit->next = NULL;
    pthread_mutex_lock(&all->mutex);
    /* Not after the mutex: the loop might come and go between. */
    if (all->finished == NULL)
        h2o_multithread_send_message(&all->wake_up, &all->message);
    *all->finished_end = deposit;
    all->finished_end = &deposit->next;
    pthread_mutex_unlock(&all->mutex);
}

static void on_stored(struct journal_task *task, enum journal_outcome outcome)
{
    struct deposit *deposit = deposit_of(task);

    deposit->outcome = outcome;
    tell_loop(deposit);
}

static void on_relayed(struct relay *relay)
{
    tell_loop(relay->data);
}

/* Also for a sender that has left: its delivery need not wait. */
static void ask_application(struct deposit *deposit)
{
    struct deposits *all = deposit->deposits;

    deposit->was_relayed = true;
    deposit->relay = (struct relay){
        .seq = deposit->entry->seq,
        .data = deposit,
        .done = on_relayed,
    };
    all->handover.relay(all->handover.data, answering(deposit), &deposit->relay);
}

static void answer(struct deposit *deposit, struct json_line *line)
{
    const struct delivery *d = &deposit->delivery;

    if (deposit->req == NULL)
        return;
    deposit->ticket->deposit = NULL;
    if (deposit->was_relayed && handover_answer(deposit->req, &deposit->relay, d->receipt, line))
        return;
    if (delivery_is_accepted(d))
        answer_write_accepted(line, d->duplicate, d->source->name, d->result.id, d->event->type,
                              d->receipt);
    else
        answer_write_refusal(line, &d->answer, d->receipt);
    respond(deposit->req, &d->answer, line);
}

static void release(struct deposit *deposit)
{
    deposit->deposits->count--;
    hookline_event_free(&deposit->delivery.event);
    relay_clear(&deposit->relay);
    rules_release(&deposit->rules);
    free(deposit->entry);
    free(deposit);
}

static void learn_outcome(struct deposit *deposit)
{
    struct delivery *d = &deposit->delivery;

    if (deposit->outcome == JOURNAL_DURABLE) {
        d->seq = deposit->entry->seq;
        d->duplicate = deposit->verdict == SHELF_DUPLICATE;
    } else {
        d->answer = answer_to_problem(ANSWER_UNAVAILABLE);
    }
    delivery_record(&deposit->deposits->recorder, d, clock_mono_us());
}

static struct deposit *take_finished(struct deposits *all)
{
    struct deposit *first;

    pthread_mutex_lock(&all->mutex);
    first = all->finished;
    all->finished = NULL;
    all->finished_end = &all->finished;
    pthread_mutex_unlock(&all->mutex);
    return first;
}

/* All lines are written at once, and before the answers: who was answered finds the line. */
static void finish(struct deposits *all, struct deposit *first)
{
    for (struct deposit *deposit = first; deposit != NULL; deposit = deposit->next)
        if (!deposit->was_relayed)
            learn_outcome(deposit);
    log_flush(all->recorder.log);
    for (struct deposit *deposit = first, *next; deposit != NULL; deposit = next) {
        next = deposit->next;
        if (deposit->outcome == JOURNAL_DURABLE && deposit->wants_relay && !deposit->was_relayed) {
            ask_application(deposit);
            continue;
        }
        answer(deposit, &all->recorder.line);
        release(deposit);
    }
}

static void on_wake_up(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct deposits *all = H2O_STRUCT_FROM_MEMBER(struct deposits, wake_up, receiver);

    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
    finish(all, take_finished(all));
}

/* What the journal does not take. */
static struct deposit *refuse(struct journal_task *task)
{
    struct deposit *first = NULL, **end = &first;

    for (; task != NULL; task = task->next) {
        struct deposit *deposit = deposit_of(task);

        deposit->outcome = JOURNAL_FAILED;
        *end = deposit;
        end = &deposit->next;
    }
    *end = NULL;
    return first;
}

static void submit(struct deposits *all)
{
    struct journal_task *first = all->begun, *refused;

    all->begun = NULL;
    all->begun_end = &all->begun;
    if ((refused = journal_submit_all(all->journal, first)) != NULL)
        finish(all, refuse(refused));
}

/* Also where nothing arrives: secrets that are not in force any more are to be gone. */
void deposits_turn(struct deposits *all)
{
    deposits_rules(all);
    while (all->begun != NULL)
        submit(all);
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
    int64_t steady_us = clock_steady_us();
    struct entry entry = {
        .source = text(d->source->name),
        .scheme = text(d->source->scheme),
        .id = r->id.len == 0 ? (hookline_bytes){0} : r->id,
        .mac = {(const char *)r->mac, sizeof(r->mac)},
        .type = text(d->event->type),
        .remote = text(d->sender.text),
        .headers = headers_write(headers, &req->pool),
        .body = r->payload,
        /* A clock that is set back must not make it older than it is: it would go too early. */
        .received_us = steady_us > d->received_us ? steady_us : d->received_us,
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
                 .done = on_stored},
        .deposits = all,
        .rules = rules_hold(all->reader.rules),
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
    *all->begun_end = &deposit->task;
    all->begun_end = &deposit->task.next;
    all->count++;
    return true;
}

static void obey(struct deposits *all)
{
    const struct rules *rules = all->reader.rules;

    all->recorder.body = rules->log_body;
    all->recorder.refused_per_minute = rules->limits.refused_per_minute;
}

struct deposits *deposits_open(h2o_context_t *ctx, const struct deposits_options *options)
{
    struct deposits *all = h2o_mem_alloc(sizeof(*all));

    *all = (struct deposits){
        .ctx = ctx,
        .recorder = {.log = options->log,
                     .metrics = options->metrics,
                     .feed = options->feed,
                     .offenders = options->offenders},
        .journal = options->journal,
        .shelf = options->shelf,
        .handover = options->handover,
    };
    all->begun_end = &all->begun;
    all->finished_end = &all->finished;
    pthread_mutex_init(&all->mutex, NULL);
    rules_reader_open(&all->reader, options->board);
    obey(all);
    h2o_multithread_register_receiver(ctx->queue, &all->wake_up, on_wake_up);
    return all;
}

void deposits_close(struct deposits *all)
{
    for (deposits_turn(all); all->count > 0; deposits_turn(all))
        h2o_evloop_run(all->ctx->loop, CLOSE_MS);
    h2o_multithread_unregister_receiver(all->ctx->queue, &all->wake_up);
    pthread_mutex_destroy(&all->mutex);
    rules_reader_close(&all->reader);
    json_line_free(&all->recorder.line);
    free(all);
}

const struct rules *deposits_rules(struct deposits *all)
{
    if (rules_reader_look(&all->reader))
        obey(all);
    return all->reader.rules;
}

struct delivery_recorder *deposits_recorder(struct deposits *all)
{
    return &all->recorder;
}
