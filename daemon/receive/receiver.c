/* SPDX-License-Identifier: MIT
 *
 * A delivery's path through the daemon: read receiver_on_request() from top to bottom. */
#include "daemon/receive/receiver.h"

#include <hookline.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/limit.h"
#include "daemon/hints/diagnose.h"
#include "daemon/http/connection.h"
#include "daemon/http/response.h"
#include "daemon/log/log.h"
#include "daemon/policy/policy.h"
#include "daemon/policy/source.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/request_head.h"

/* ---- hint
 *
 * A diagnosis takes longer than a verification and anyone can cause a refusal, so diagnoses get 2 %
 * of a loop's time. */

enum {
    HINT_REST = 50,          /* rest, in multiples of the time used: 2 % of a loop */
    HINT_BODY_MAX = 1 << 16, /* bytes; longer bodies get no hint */
    HINT_OTHERS_MAX = 64,    /* sources tried */
};

static size_t hint_list_others(const struct sources *sources, struct diagnose_other *others)
{
    size_t count = sources_count(sources);

    if (count > HINT_OTHERS_MAX)
        count = HINT_OTHERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct source *source = sources_at(sources, i);

        others[i] = (struct diagnose_other){source->name, source->url, source->verifier};
    }
    return count;
}

/* Diagnoses a delivery that its source's verifier refused. Returns DIAGNOSE_NONE while
 * `cpu_share` rests. */
static struct diagnose_result hint_find(struct cpu_share *cpu_share, const struct sources *sources,
                                        const struct delivery *d, const hookline_request *request)
{
    struct diagnose_other others[HINT_OTHERS_MAX];
    struct diagnose_question question = {
        .verifier = d->source->verifier,
        .request = request,
        .now = d->received_us / 1000000,
        .result = d->result,
        .description = d->source->description,
        .secrets = (const char *const *)d->source->secrets,
        .secrets_count = d->source->secrets_count,
        .query = d->query,
        .others = others,
    };
    int64_t began_us = clock_mono_us();
    struct diagnose_result found;

    if (request->body.len > HINT_BODY_MAX || !cpu_share_is_rested(cpu_share, began_us))
        return (struct diagnose_result){.kind = DIAGNOSE_NONE};
    question.others_count = hint_list_others(sources, others);
    found = diagnose_find(&question);
    cpu_share_rest(cpu_share, began_us, clock_mono_us(), HINT_REST);
    return found;
}

/* ---- receiver */

struct receiver {
    h2o_handler_t super;
    struct receiver_options options;
};

static bool receiver_has_method(const h2o_req_t *req, const char *method)
{
    return h2o_memis(req->method.base, req->method.len, method, strlen(method));
}

/* A source with nearly this path is a hint: the URL at the sender is mistyped. */
static void receiver_hint_path(const struct sources *sources, struct delivery *d)
{
    const struct source *near = sources_find_near_path(sources, d->path.base, d->path.len);

    if (near != NULL)
        d->hint = (struct diagnose_result){DIAGNOSE_PATH, near->name};
}

/* Cheap checks come first. */
static bool receiver_check(const struct policy *policy, const struct refusal_limit *refusal_limit,
                           h2o_req_t *req, struct delivery *d)
{
    unsigned refusals = policy->limits.refused_per_minute, wait_s = 0;

    if (refusals > 0 && client_addr_is_known(&d->sender))
        wait_s = refusal_limit_wait_s(refusal_limit, &d->sender.host, delivery_source_name(d),
                                      refusals, d->begun_us);
    if (wait_s > 0) {
        d->response = response_retry_later(RESPONSE_TOO_MANY_REFUSALS, wait_s);
    } else if (d->source == NULL) {
        d->response = response_of_problem(RESPONSE_NOT_FOUND);
        receiver_hint_path(policy->sources, d);
    } else if (!source_allows(d->source, &d->sender.host)) {
        d->response = response_of_problem(RESPONSE_ADDRESS_NOT_ALLOWED);
    } else if (!receiver_has_method(req, "POST")) {
        d->response = response_of_problem(RESPONSE_METHOD_NOT_ALLOWED);
    } else {
        return true;
    }
    return false;
}

static hookline_request receiver_view(const h2o_req_t *req, const struct source *source)
{
    return (hookline_request){
        .find_header = request_head_find,
        .headers = &req->headers,
        .body = {req->entity.base, req->entity.len},
        .method = {req->method.base, req->method.len},
        .url = {source->url, source->url == NULL ? 0 : strlen(source->url)},
    };
}

static void receiver_verify(const struct policy *policy, struct delivery_recorder *recorder,
                            h2o_req_t *req, struct delivery *d)
{
    hookline_request view = receiver_view(req, d->source);

    d->result = hookline_verify(d->source->verifier, &view, d->received_us / 1000000);
    d->code = d->result.reason;
    d->looked_up = d->code == HOOKLINE_TOO_OLD;
    if (d->result.id.len == 0)
        d->delivery_id = hookline_delivery_id(d->source->verifier, &view);
    if (hookline_accepted(d->result)) {
        int read = hookline_event_read(&d->event, d->source->verifier, &d->result);

        if (read < 0)
            d->code = read;
    }
    d->response = response_of_code(d->code);
    if (!delivery_is_accepted(d))
        d->hint = hint_find(&recorder->hints, policy->sources, d, &view);
}

/* Counts verified deliveries only, so that nobody else can use up the rate of a source. */
static void receiver_check_rate(struct delivery *d)
{
    unsigned wait_s = d->source->rate == NULL ? 0 : rate_take(d->source->rate, d->begun_us);

    if (wait_s > 0)
        d->response = response_retry_later(RESPONSE_RATE_LIMITED, wait_s);
}

static void receiver_refuse(h2o_req_t *req, struct delivery_recorder *recorder, struct delivery *d)
{
    delivery_record(recorder, d, clock_mono_us());
    log_flush(recorder->log);
    response_write_refusal(&recorder->line, &d->response, d->receipt);
    response_send(req, &d->response, &recorder->line);
    hookline_event_free(&d->event);
}

static struct pending_set *receiver_pending_set(struct receiver *self, const h2o_req_t *req)
{
    return h2o_context_get_handler_context(req->conn->ctx, &self->super);
}

/* Answers what is no delivery and leaves no line: a load balancer's check, and OPTIONS about the path
 * of a source. */
static bool receiver_answer_other(struct pending_set *pending_set, const struct policy *policy,
                                  h2o_req_t *req, const struct delivery *d)
{
    const char *health = policy->health_path;

    if (d->source != NULL && receiver_has_method(req, "OPTIONS")) {
        response_send_options(req, "POST, OPTIONS");
        return true;
    }
    if (health == NULL || !h2o_memis(d->path.base, d->path.len, health, strlen(health)) ||
        (!receiver_has_method(req, "GET") && !receiver_has_method(req, "HEAD")))
        return false;
    response_send_health(req, !req->conn->ctx->shutdown_requested &&
                                  pending_set_is_storing(pending_set));
    return true;
}

/* Refuses at once; pending.c answers an accepted delivery after its fsync. */
static int receiver_on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct pending_set *pending_set = receiver_pending_set((struct receiver *)handler, req);
    struct delivery_recorder *recorder = pending_set_recorder(pending_set);
    const struct policy *policy = pending_set_policy(pending_set);
    struct delivery d;
    bool pending = false;

    delivery_begin(&d, req, policy->sources, &recorder->receipts);
    if (receiver_answer_other(pending_set, policy, req, &d))
        return 0;
    d.bytes = req->entity.len;
    if (receiver_check(policy, recorder->refusal_limit, req, &d))
        receiver_verify(policy, recorder, req, &d);
    if (delivery_is_accepted(&d))
        receiver_check_rate(&d);
    if (delivery_is_accepted(&d) || d.looked_up) {
        pending = pending_begin(pending_set, req, &d);
        if (!pending)
            d.response = response_of_problem(RESPONSE_UNAVAILABLE);
    }
    if (!pending)
        receiver_refuse(req, recorder, &d);
    return 0;
}

static bool receiver_finds_signature(const struct source *source, const h2o_req_t *req, int64_t now)
{
    hookline_request view = receiver_view(req, source);

    return hookline_verify(source->verifier, &view, now).reason != HOOKLINE_MISSING_HEADER;
}

/* Returns true if the head has a signature of its source, or one of another source, because then
 * the body is needed to find the hint. */
static bool receiver_is_signed(const struct policy *policy, const h2o_req_t *req,
                               const struct delivery *d)
{
    int64_t now = d->received_us / 1000000;
    size_t count = sources_count(policy->sources);

    if (receiver_finds_signature(d->source, req, now))
        return true;
    for (size_t i = 0; i < count && i < HINT_OTHERS_MAX; i++)
        if (receiver_finds_signature(sources_at(policy->sources, i), req, now))
            return true;
    return false;
}

bool receiver_answer_head(struct receiver *self, h2o_req_t *req)
{
    struct pending_set *pending_set = receiver_pending_set(self, req);
    struct delivery_recorder *recorder = pending_set_recorder(pending_set);
    const struct policy *policy = pending_set_policy(pending_set);
    struct delivery d;

    delivery_begin(&d, req, policy->sources, &recorder->receipts);
    if (receiver_answer_other(pending_set, policy, req, &d))
        return true;
    if (receiver_check(policy, recorder->refusal_limit, req, &d)) {
        if (receiver_is_signed(policy, req, &d))
            return false;
        d.code = HOOKLINE_MISSING_HEADER;
        d.response = response_of_code(d.code);
    }
    receiver_refuse(req, recorder, &d);
    return true;
}

void receiver_answer_problem(struct receiver *self, h2o_req_t *req, enum response_problem problem)
{
    struct pending_set *pending_set = receiver_pending_set(self, req);
    struct delivery_recorder *recorder = pending_set_recorder(pending_set);
    struct delivery d;

    delivery_begin(&d, req, pending_set_policy(pending_set)->sources, &recorder->receipts);
    d.response = response_of_problem(problem);
    receiver_refuse(req, recorder, &d);
}

static void receiver_start_on_loop(h2o_handler_t *handler, h2o_context_t *ctx)
{
    const struct receiver *self = (const struct receiver *)handler;

    h2o_context_set_handler_context(ctx, handler,
                                    pending_set_open(ctx, &self->options.pending_set));
}

static void receiver_stop_on_loop(h2o_handler_t *handler, h2o_context_t *ctx)
{
    pending_set_close(h2o_context_get_handler_context(ctx, handler));
}

struct receiver *receiver_register(h2o_pathconf_t *path, const struct receiver_options *options)
{
    struct receiver *self = (struct receiver *)h2o_create_handler(path, sizeof(*self));

    self->super.on_req = receiver_on_request;
    self->super.on_context_init = receiver_start_on_loop;
    self->super.on_context_dispose = receiver_stop_on_loop;
    self->options = *options;
    return self;
}

void receiver_turn(struct receiver *self, h2o_context_t *ctx)
{
    pending_set_turn(h2o_context_get_handler_context(ctx, &self->super));
}
