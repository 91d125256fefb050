/* SPDX-License-Identifier: MIT */
#include "daemon/receive/pending.h"

#include <stdint.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/http/loop_call.h"
#include "daemon/http/response.h"
#include "daemon/log/log.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/policy.h"
#include "daemon/policy/source.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/request_head.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/outbox.h"
#include "daemon/store/writer.h"

/* ---- upstream answer
 *
 * Errors     SQLite result codes. */

enum {
    UPSTREAM_ANSWER_SLACK_S = 30, /* on top of timeout_s: time to reach the forwarder and return */
};

/* Runs in the transaction that stored the delivery or found its duplicate. Sets *wanted if the
 * sender is to get the answer of `answering`, the destination that answers for the source. If no
 * waiter follows, the outbox sends the delivery after timeout_s + 30 s, or at the next start. */
static int upstream_answer_prepare(const struct upstream_answer *upstream,
                                   const struct destination *d, int64_t seq, bool is_repeated,
                                   bool *wanted)
{
    enum outbox_state state = OUTBOX_WAITING;
    int64_t now_us = clock_steady_us();
    int code;

    if (is_repeated)
        code = outbox_state(upstream->outbox, d->number, seq, &state, NULL);
    else
        code = outbox_add(
            upstream->outbox, d->number, seq,
            now_us + (int64_t)(d->target.timeout_s + UPSTREAM_ANSWER_SLACK_S) * 1000000, now_us);
    *wanted = state != OUTBOX_DONE;
    return code;
}

static void upstream_answer_refuse(h2o_req_t *req, enum response_problem problem,
                                   const char *receipt, struct json_writer *line)
{
    struct response response = response_of_problem(problem);

    response_write_refusal(line, &response, receipt);
    response_send(req, &response, line);
}

/* Sends the application's answer, or 502 or 504 with the receipt. Returns false if the delivery
 * was delivered before: answer it as a duplicate. */
static bool upstream_answer_send(h2o_req_t *req, const struct answer_wait *waiter,
                                 const char *receipt, struct json_writer *line)
{
    switch (waiter->outcome) {
    case ANSWER_WAIT_ANSWERED:
        response_send_upstream(req, &(struct response_upstream){
                                        .status = waiter->status,
                                        .content_type = waiter->content_type,
                                        .content_encoding = waiter->content_encoding,
                                        .retry_after = waiter->retry_after,
                                        .body = waiter->body,
                                        .len = waiter->len,
                                    });
        break;
    case ANSWER_WAIT_FAILED:
        upstream_answer_refuse(req, RESPONSE_UPSTREAM_FAILED, receipt, line);
        break;
    case ANSWER_WAIT_TIMEOUT:
        upstream_answer_refuse(req, RESPONSE_UPSTREAM_TIMEOUT, receipt, line);
        break;
    case ANSWER_WAIT_DELIVERED:
        return false;
    }
    return true;
}

/* ---- pending deliveries */

enum {
    PENDING_CLOSE_MS = 20,
};

struct pending_set {
    h2o_context_t *ctx;
    struct delivery_recorder recorder;
    struct policy_ref policy_ref;
    struct writer *writer;
    struct deliveries *deliveries;
    struct upstream_answer upstream;
    struct writer_task *begun, **begun_end; /* submitted at the end of the turn */
    size_t count;                           /* deliveries not yet freed */
    struct loop_calls *loop_calls;
    struct pending *finished, **finished_end; /* answered after the loop has taken all calls */
};

struct pending {
    struct pending *next; /* in the list of finished deliveries */
    struct writer_task task;
    struct mailbox_message call; /* returns it to the loop */
    struct pending_set *pending_set;
    struct policy *policy; /* held; the policy it began with */
    struct delivery delivery;
    struct delivery_row *row;
    struct request_ticket ticket;
    enum deliveries_outcome verdict;
    enum writer_outcome outcome;
    bool wants_relay; /* the sender waits for the application's answer */
    bool was_relayed;
    struct answer_wait waiter;
};

static struct pending *pending_of_task(struct writer_task *task)
{
    return H2O_STRUCT_FROM_MEMBER(struct pending, task, task);
}

static const struct destination *pending_destination(const struct pending *pending)
{
    return destinations_find_answering(pending->policy->destinations,
                                       pending->delivery.source->name);
}

/* Has destinations try a repeated delivery again that they have parked or will retry. A destination
 * that answers for the source gets a waiter instead. */
static int pending_rearm(struct pending *pending)
{
    const struct destinations *all = pending->policy->destinations;
    const struct destination *answering = pending_destination(pending);
    int code = SQLITE_OK;

    for (size_t i = 0; i < all->count && code == SQLITE_OK; i++) {
        bool rearmed = false;

        if (&all->at[i] == answering)
            continue;
        code = outbox_rearm(pending->pending_set->upstream.outbox, all->at[i].number,
                            pending->row->seq, clock_steady_us(), &rearmed);
        pending->delivery.rearmed |= (uint64_t)rearmed << i;
    }
    return code;
}

/* Runs on the writer thread. */
static int pending_store(struct writer_task *task)
{
    struct pending *pending = pending_of_task(task);
    struct pending_set *all = pending->pending_set;
    const struct destination *answering = pending_destination(pending);
    int code;

    if (pending->delivery.looked_up)
        return deliveries_find(all->deliveries, pending->row);
    code = deliveries_put(all->deliveries, pending->row, &pending->verdict);
    if (code == SQLITE_OK && pending->verdict == DELIVERIES_DUPLICATE)
        code = pending_rearm(pending);
    if (code == SQLITE_OK && answering != NULL)
        code = upstream_answer_prepare(&all->upstream, answering, pending->row->seq,
                                       pending->verdict == DELIVERIES_DUPLICATE,
                                       &pending->wants_relay);
    return code;
}

/* Runs on the writer thread. */
static void pending_on_stored(struct writer_task *task, enum writer_outcome outcome)
{
    struct pending *pending = pending_of_task(task);

    pending->outcome = outcome;
    if (outcome == WRITER_DURABLE && pending->delivery.rearmed != 0)
        pending->pending_set->upstream.rearmed(pending->pending_set->upstream.data);
    loop_call_post(pending->pending_set->loop_calls, &pending->call);
}

/* Runs on the forwarder thread. */
static void pending_on_upstream(struct answer_wait *waiter)
{
    struct pending *pending = waiter->data;

    loop_call_post(pending->pending_set->loop_calls, &pending->call);
}

/* Also after a disconnect, because otherwise the delivery waits for its outbox deadline. */
static void pending_ask_upstream(struct pending *pending)
{
    struct pending_set *all = pending->pending_set;

    pending->was_relayed = true;
    pending->waiter = (struct answer_wait){
        .seq = pending->row->seq,
        .data = pending,
        .done = pending_on_upstream,
    };
    loop_call_begin(all->loop_calls);
    all->upstream.add_waiter(all->upstream.data, pending_destination(pending), &pending->waiter);
}

static void pending_respond(struct pending *pending, struct json_writer *line)
{
    const struct delivery *d = &pending->delivery;
    h2o_req_t *req = request_ticket_take(&pending->ticket);

    if (req == NULL)
        return;
    if (pending->was_relayed && upstream_answer_send(req, &pending->waiter, d->receipt, line))
        return;
    if (delivery_is_accepted(d))
        response_write_accepted(line, d->duplicate, d->source->name, d->result.id,
                                d->event == NULL ? NULL : d->event->type, d->receipt);
    else
        response_write_refusal(line, &d->response, d->receipt);
    response_send(req, &d->response, line);
}

static void pending_free(struct pending *pending)
{
    pending->pending_set->count--;
    hookline_event_free(&pending->delivery.event);
    if (pending->was_relayed)
        answer_wait_clear(&pending->waiter);
    policy_release(&pending->policy);
    free(pending->row);
    free(pending);
}

static void pending_learn_outcome(struct pending *pending)
{
    struct delivery *d = &pending->delivery;

    d->destinations = pending->policy->destinations;
    if (pending->outcome == WRITER_DURABLE) {
        d->seq = pending->row->seq;
        d->duplicate = d->looked_up ? d->seq > 0 : pending->verdict == DELIVERIES_DUPLICATE;
        if (d->looked_up && d->duplicate)
            d->response = response_of_code(HOOKLINE_VERIFIED);
    } else {
        d->response = response_of_problem(RESPONSE_UNAVAILABLE);
    }
    delivery_record(&pending->pending_set->recorder, d, clock_mono_us());
}

static void pending_on_finished(struct pending *pending)
{
    struct pending_set *all = pending->pending_set;

    if (!pending->was_relayed)
        pending_learn_outcome(pending);
    pending->next = NULL;
    *all->finished_end = pending;
    all->finished_end = &pending->next;
}

static void pending_take_call(struct mailbox_message *call)
{
    pending_on_finished(H2O_STRUCT_FROM_MEMBER(struct pending, call, call));
}

/* Writes all log lines in one batch and before the answers, so that an answered sender finds its
 * line. */
static void pending_set_respond(void *data)
{
    struct pending_set *all = data;
    struct pending *first = all->finished;

    all->finished = NULL;
    all->finished_end = &all->finished;
    log_flush(all->recorder.log);
    for (struct pending *pending = first, *next; pending != NULL; pending = next) {
        next = pending->next;
        if (pending->outcome == WRITER_DURABLE && pending->wants_relay && !pending->was_relayed) {
            pending_ask_upstream(pending);
            continue;
        }
        pending_respond(pending, &all->recorder.line);
        pending_free(pending);
    }
}

/* Returns false if the writer refused deliveries, which are answered. */
static bool pending_set_submit(struct pending_set *all)
{
    struct writer_task *refused = writer_post_all(all->writer, all->begun);

    all->begun = NULL;
    all->begun_end = &all->begun;
    if (refused == NULL)
        return true;
    for (; refused != NULL; refused = refused->next) {
        struct pending *pending = pending_of_task(refused);

        loop_call_cancel(all->loop_calls);
        pending->outcome = WRITER_FAILED;
        pending_on_finished(pending);
    }
    pending_set_respond(all);
    return false;
}

/* Refreshes the policy also on an idle loop, so that replaced secrets are freed. */
void pending_set_turn(struct pending_set *all)
{
    pending_set_policy(all);
    while (all->begun != NULL)
        if (!pending_set_submit(all))
            h2o_evloop_run(all->ctx->loop, 0); /* their answers end outside a turn */
}

static hookline_bytes pending_text(const char *text)
{
    return (hookline_bytes){text, text == NULL ? 0 : strlen(text)};
}

static struct delivery_row *pending_copy_row(h2o_req_t *req, const struct delivery *d)
{
    const hookline_result *r = &d->result;
    int64_t steady_us = clock_steady_us();
    struct delivery_row row = {
        .source = pending_text(d->source->name),
        .scheme = pending_text(d->source->scheme),
        /* The event reads an id with escapes, too. */
        .id = d->event != NULL ? pending_text(d->event->id)
              : r->id.len == 0 ? (hookline_bytes){NULL, 0}
                               : r->id,
        .mac = {(const char *)r->mac, sizeof(r->mac)},
        .delivery_id = d->delivery_id,
        .mac_is_key = d->source->dedup_by_mac,
        .type = pending_text(d->event == NULL ? NULL : d->event->type),
        .unreadable = pending_text(d->event == NULL ? NULL : d->event->unreadable),
        .remote = pending_text(d->sender.text),
        .query = d->query,
        .headers = request_head_write(&req->headers, &req->pool),
        .body = r->payload,
        /* The steady clock, because after a step back of the wall clock the row would expire
         * early. */
        .received_us = steady_us > d->received_us ? steady_us : d->received_us,
        .signed_at = r->signed_at,
        .secret = r->secret,
        .test = d->event != NULL && d->event->test,
        .fresh = r->fresh,
    };

    return delivery_row_copy(&row);
}

/* Copies the request into a row. The texts of the delivery point into the row, so the request may
 * go. */
static struct pending *pending_new(struct pending_set *all, h2o_req_t *req,
                                   const struct delivery *d)
{
    struct pending *pending = malloc(sizeof(*pending));
    struct delivery_row *row = pending == NULL ? NULL : pending_copy_row(req, d);

    if (row == NULL) {
        free(pending);
        return NULL;
    }
    *pending = (struct pending){
        .task = {.bytes = sizeof(*pending) + sizeof(*row) + delivery_row_size(row),
                 .run = pending_store,
                 .done = pending_on_stored},
        .call.take = pending_take_call,
        .pending_set = all,
        .policy = policy_hold(all->policy_ref.policy),
        .delivery = *d,
        .row = row,
    };
    pending->delivery.result.id = row->id;
    pending->delivery.result.payload = row->body;
    pending->delivery.delivery_id = row->delivery_id;
    pending->delivery.path = (hookline_bytes){NULL, 0};
    return pending;
}

bool pending_begin(struct pending_set *all, h2o_req_t *req, struct delivery *d)
{
    struct pending *pending = pending_new(all, req, d);

    if (pending == NULL)
        return false;
    request_ticket_open(&pending->ticket, req);
    loop_call_begin(all->loop_calls);
    *all->begun_end = &pending->task;
    all->begun_end = &pending->task.next;
    all->count++;
    return true;
}

static void pending_set_obey_policy(struct pending_set *all)
{
    const struct policy *policy = all->policy_ref.policy;

    all->recorder.body = policy->log_body;
    all->recorder.refused_per_minute = policy->limits.refused_per_minute;
}

struct pending_set *pending_set_open(h2o_context_t *ctx, const struct pending_options *options)
{
    struct pending_set *all = h2o_mem_alloc(sizeof(*all));

    *all = (struct pending_set){
        .ctx = ctx,
        .recorder = {.log = options->log,
                     .metrics = options->metrics,
                     .feed = options->feed,
                     .refusal_limit = options->refusal_limit},
        .writer = options->writer,
        .deliveries = options->deliveries,
        .upstream = options->upstream,
    };
    all->begun_end = &all->begun;
    all->finished_end = &all->finished;
    policy_ref_open(&all->policy_ref, options->policy_slot);
    pending_set_obey_policy(all);
    all->loop_calls = loop_calls_open(ctx, pending_set_respond, all);
    return all;
}

void pending_set_close(struct pending_set *all)
{
    for (pending_set_turn(all); all->count > 0; pending_set_turn(all))
        h2o_evloop_run(all->ctx->loop, PENDING_CLOSE_MS);
    loop_calls_close(all->loop_calls);
    policy_ref_close(&all->policy_ref);
    json_free(&all->recorder.line);
    free(all);
}

const struct policy *pending_set_policy(struct pending_set *all)
{
    if (policy_ref_refresh(&all->policy_ref))
        pending_set_obey_policy(all);
    return all->policy_ref.policy;
}

bool pending_set_is_storing(struct pending_set *all)
{
    struct writer_stats stats;

    writer_stats(all->writer, &stats);
    return stats.healthy;
}

struct delivery_recorder *pending_set_recorder(struct pending_set *all)
{
    return &all->recorder;
}
