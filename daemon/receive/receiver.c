/* SPDX-License-Identifier: MIT
 *
 * The way of a delivery: on_request() reads it out from top to bottom.
 */
#include "daemon/receive/receiver.h"

#include <h2o.h>
#include <hookline.h>

#include "daemon/receive/arrival.h"
#include "daemon/base/clock.h"
#include "daemon/http/connection.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/framing.h"
#include "daemon/receive/headers.h"
#include "daemon/receive/hint.h"
#include "daemon/log/log.h"
#include "daemon/base/offenders.h"
#include "daemon/receive/protocol_error.h"
#include "daemon/base/rate.h"
#include "daemon/http/respond.h"
#include "daemon/policy/rules.h"
#include "daemon/http/sender.h"
#include "daemon/policy/source.h"

struct receiver {
    h2o_handler_t super;
    struct receiver_options options;
};

/* libh2o has dropped the headers that say how long the body is, but the head is still there. */
static bool has_ambiguous_body(h2o_req_t *req)
{
    const h2o_buffer_t *input = req->conn->callbacks->get_socket(req->conn)->input;

    return req->entity.base != NULL &&
           framing_is_ambiguous(input->bytes, (size_t)(req->entity.base - input->bytes));
}

/* As it stood in the request, but for white space. */
static size_t head_size(const h2o_req_t *req)
{
    size_t size = req->method.len + req->path.len;

    for (size_t i = 0; i < req->headers.size; i++)
        size += req->headers.entries[i].name->len + req->headers.entries[i].value.len;
    return size;
}

/* Everything that costs nothing comes before everything that costs something. */
static bool route(const struct rules *rules, const struct offenders *offenders, h2o_req_t *req,
                  struct delivery *d)
{
    unsigned refusals = rules->limits.refused_per_minute, wait_s = 0;

    if (refusals > 0 && sender_is_known(&d->sender))
        wait_s = offenders_wait_s(offenders, &d->sender.host, delivery_source_name(d), refusals,
                                  d->begun_us);
    if (has_ambiguous_body(req)) {
        d->answer = answer_to_problem(ANSWER_BAD_REQUEST);
        connection_linger(req);
    } else if (wait_s > 0) {
        d->answer = answer_later(ANSWER_TOO_MANY_REFUSALS, wait_s);
    } else if (head_size(req) > rules->limits.head_bytes) {
        d->answer = answer_to_problem(ANSWER_HEAD_TOO_LARGE);
    } else if (d->source == NULL) {
        d->answer = answer_to_problem(ANSWER_NOT_FOUND);
    } else if (!source_allows(d->source, &d->sender.host)) {
        d->answer = answer_to_problem(ANSWER_ADDRESS_NOT_ALLOWED);
    } else if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("POST"))) {
        d->answer = answer_to_problem(ANSWER_METHOD_NOT_ALLOWED);
    } else if (req->entity.len > rules->limits.body_bytes) {
        d->answer = answer_to_problem(ANSWER_BODY_TOO_LARGE);
    } else {
        return true;
    }
    return false;
}

static void judge(const struct rules *rules, struct delivery_recorder *recorder, h2o_req_t *req,
                  struct delivery *d, const struct headers *headers)
{
    const char *url = d->source->url;
    hookline_request view = {
        .find_header = headers_find,
        .headers = headers,
        .body = {req->entity.base, req->entity.len},
        .method = {req->method.base, req->method.len},
        .url = {url, url == NULL ? 0 : strlen(url)},
    };

    d->result = hookline_verify(d->source->verifier, &view, d->received_us / 1000000);
    d->code = d->result.reason;
    if (hookline_accepted(d->result)) {
        int read = hookline_event_read(&d->event, d->source->verifier, &d->result);

        if (read < 0)
            d->code = read;
    }
    d->answer = answer_to_code(d->code);
    if (!delivery_is_accepted(d))
        d->mistake = hint_find(&recorder->hints, rules->sources, d, &view);
}

/* Only what is genuine uses the source's rate up: nobody else can. */
static void ration(struct delivery *d)
{
    unsigned wait_s = d->source->rate == NULL ? 0 : rate_take(d->source->rate, d->begun_us);

    if (wait_s > 0)
        d->answer = answer_later(ANSWER_RATE_LIMITED, wait_s);
}

static void refuse(h2o_req_t *req, struct delivery_recorder *recorder, struct delivery *d)
{
    delivery_record(recorder, d, clock_mono_us());
    log_flush(recorder->log);
    answer_write_refusal(&recorder->line, &d->answer, d->receipt);
    respond(req, &d->answer, &recorder->line);
    hookline_event_free(&d->event);
}

/* A delivery that is accepted here is answered when the disk has it: see deposit.c. */
static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct deposits *deposits = h2o_context_get_handler_context(req->conn->ctx, handler);
    struct delivery_recorder *recorder = deposits_recorder(deposits);
    const struct rules *rules = deposits_rules(deposits);
    struct headers_used used = {{0}};
    struct headers headers = {&req->headers, &used};
    struct delivery d;

    arrival_begin(&d, req, rules->sources, &recorder->receipts);
    d.bytes = req->entity.len;
    if (route(rules, recorder->offenders, req, &d))
        judge(rules, recorder, req, &d, &headers);
    if (delivery_is_accepted(&d))
        ration(&d);
    if (delivery_is_accepted(&d) && !deposit_begin(deposits, req, &d, &headers))
        d.answer = answer_to_problem(ANSWER_UNAVAILABLE);
    if (delivery_is_accepted(&d))
        connection_await(req);
    else
        refuse(req, recorder, &d);
    return 0;
}

static void start_on_loop(h2o_handler_t *handler, h2o_context_t *ctx)
{
    const struct receiver *self = (const struct receiver *)handler;

    h2o_context_set_handler_context(ctx, handler, deposits_open(ctx, &self->options.deposits));
}

static void stop_on_loop(h2o_handler_t *handler, h2o_context_t *ctx)
{
    deposits_close(h2o_context_get_handler_context(ctx, handler));
}

struct receiver *receiver_register(h2o_pathconf_t *path, const struct receiver_options *options)
{
    struct receiver *self = (struct receiver *)h2o_create_handler(path, sizeof(*self));

    self->super.on_req = on_request;
    self->super.on_context_init = start_on_loop;
    self->super.on_context_dispose = stop_on_loop;
    self->options = *options;
    protocol_error_register(path, &self->super);
    return self;
}

void receiver_turn(struct receiver *self, h2o_context_t *ctx)
{
    deposits_turn(h2o_context_get_handler_context(ctx, &self->super));
}
