/* SPDX-License-Identifier: MIT */
#include "daemon/admin/replay.h"

#include <h2o.h>

#include "daemon/admin/list.h"
#include "daemon/admin/query.h"
#include "daemon/base/json.h"
#include "daemon/forward/forwarder.h"
#include "daemon/http/json_reply.h"
#include "daemon/http/loop_call.h"

enum {
    AT_ONCE = 256, /* deliveries in one transaction */
};

struct replay_job {
    struct forwarder_order order;
    const struct replay_tools *tools;
    struct mailbox_message call; /* posts the outcome to the loop */
    bool durable;
    struct query query;
    h2o_context_t *ctx;
    struct request_ticket ticket;
    int64_t seqs[AT_ONCE];
    uint64_t changed;
    bool last; /* no deliveries follow */
};

/* ---- answers */

static const char *replay_job_verb(const struct replay_job *c)
{
    return c->query.route == QUERY_DISCARD ? "discarded" : "replayed";
}

static void replay_job_answer(struct replay_job *c)
{
    struct json_writer line = {0};
    h2o_req_t *req = request_ticket_take(&c->ticket);

    if (req == NULL)
        return;
    json_begin(&line);
    json_number(&line, replay_job_verb(c), (int64_t)c->changed);
    json_end(&line);
    json_reply_send(req, &line);
    json_free(&line);
}

static void replay_job_refuse(struct replay_job *c, int status, const char *code, const char *what)
{
    h2o_req_t *req = request_ticket_take(&c->ticket);
    char message[256];

    if (req == NULL)
        return;
    if (c->changed > 0)
        snprintf(message, sizeof(message), "%s; %llu deliveries were %s before", what,
                 (unsigned long long)c->changed, replay_job_verb(c));
    else
        snprintf(message, sizeof(message), "%s", what);
    json_reply_error(req, status, code, message);
}

static void replay_job_no_destination(struct replay_job *c)
{
    char names[128], message[256];

    list_destinations(c->tools->list, names, sizeof(names));
    snprintf(message, sizeof(message), "destination %.64s is not configured; the store knows: %s",
             c->query.destination, names[0] == '\0' ? "none" : names);
    replay_job_refuse(c, 404, "no_destination", message);
}

/* Explains why a single delivery was not changed. */
static void replay_job_explain(struct replay_job *c)
{
    struct json_writer line = {0};
    int code = list_write_one(c->tools->list, c->query.seq, &line);

    json_free(&line);
    if (code == SQLITE_NOTFOUND)
        replay_job_refuse(c, 404, "not_found", "no delivery with this seq is in the store");
    else if (c->query.route == QUERY_DISCARD)
        replay_job_refuse(c, 409, "not_pending", "the delivery is neither parked nor retrying");
    else
        replay_job_refuse(c, 409, "not_wanted",
                          "no destination accepts deliveries of this source and type");
}

/* ---- steps */

static void replay_job_step(struct replay_job *c);

static void replay_job_take_call(struct mailbox_message *call)
{
    struct replay_job *c = H2O_STRUCT_FROM_MEMBER(struct replay_job, call, call);

    if (c->durable)
        c->changed += c->order.changed;
    if (c->durable && !c->last && c->ticket.req != NULL) {
        replay_job_step(c);
        return;
    }
    if (!c->durable)
        replay_job_refuse(c, 503, "unavailable",
                          "cannot write to the store: see the messages of hooklined");
    else if (c->changed == 0 && c->query.seq > 0)
        replay_job_explain(c);
    else
        replay_job_answer(c);
    free(c);
}

/* Runs on the writer thread. */
static void replay_job_on_done(struct forwarder_order *order, enum writer_outcome outcome)
{
    struct replay_job *c = order->data;

    c->durable = outcome == WRITER_DURABLE;
    loop_call_post(c->tools->loop_calls, &c->call);
}

/* Chooses the next deliveries: the one in the path, or up to 256 that match the query. */
static int replay_job_choose(struct replay_job *c)
{
    size_t count = 1;
    int code = SQLITE_OK;

    if (c->query.route == QUERY_REPLAY_MANY) {
        code = list_find(c->tools->list, &c->query, c->seqs, AT_ONCE, &count, &c->query.before);
        c->last = c->query.before == 0;
    } else {
        c->seqs[0] = c->query.seq;
        c->last = true;
    }
    c->order = (struct forwarder_order){
        .what = c->query.route == QUERY_DISCARD ? FORWARDER_DISCARD : FORWARDER_REPLAY,
        .destination = c->query.destination[0] == '\0' ? NULL : c->query.destination,
        .seqs = c->seqs,
        .count = count,
        .data = c,
        .done = replay_job_on_done,
    };
    return code;
}

static void replay_job_refuse_begin(struct replay_job *c, int code,
                                    enum forwarder_order_result reply)
{
    if (c->ctx->shutdown_requested)
        replay_job_refuse(c, 503, "stopping", "hooklined is stopping");
    else if (code == SQLITE_NOTFOUND || reply == FORWARDER_NO_DESTINATION)
        replay_job_no_destination(c);
    else if (code != SQLITE_OK)
        replay_job_refuse(c, 503, "unavailable", "cannot read the store");
    else
        replay_job_refuse(c, 503, "busy", "the queue of the store is full: try again later");
}

static void replay_job_step(struct replay_job *c)
{
    enum forwarder_order_result reply = FORWARDER_ACCEPTED;
    int code = replay_job_choose(c);

    if (code == SQLITE_OK && !c->ctx->shutdown_requested) {
        loop_call_begin(c->tools->loop_calls);
        reply = forwarder_order(c->tools->forwarder, &c->order);
        if (reply == FORWARDER_ACCEPTED)
            return;
        loop_call_cancel(c->tools->loop_calls);
    }
    replay_job_refuse_begin(c, code, reply);
    free(c);
}

void replay_begin(const struct replay_tools *tools, h2o_req_t *req, const struct query *query)
{
    struct replay_job *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        json_reply_error(req, 503, "no_memory", "out of memory");
        return;
    }
    if (!forwarder_has_destinations(tools->forwarder)) {
        json_reply_error(req, 409, "no_destination", "no destinations are configured");
        free(c);
        return;
    }
    c->tools = tools;
    c->query = *query;
    c->ctx = req->conn->ctx;
    c->call.take = replay_job_take_call;
    request_ticket_open(&c->ticket, req);
    /* The default is parked deliveries, because nothing else sends them again. */
    if (query->route == QUERY_REPLAY_MANY && query->state == QUERY_ANY)
        c->query.state = QUERY_PARKED;
    replay_job_step(c);
}
