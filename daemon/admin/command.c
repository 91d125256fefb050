/* SPDX-License-Identifier: MIT */
#include "daemon/admin/command.h"

#include <h2o.h>

#include "daemon/http/errand.h"
#include "daemon/forward/forwarder.h"
#include "daemon/base/json_line.h"
#include "daemon/admin/listing.h"
#include "daemon/admin/query.h"
#include "daemon/http/reply.h"

enum {
    AT_ONCE = 256, /* deliveries in one transaction */
};

/* In the memory of the request, and gone with it. */
struct ticket {
    struct command *command;
};

struct command {
    struct forwarder_order order;
    const struct command_tools *tools;
    struct errand *errand;
    struct query query;
    h2o_context_t *ctx;
    h2o_req_t *req; /* NULL if the client has left */
    struct ticket *ticket;
    int64_t seqs[AT_ONCE];
    uint64_t changed;
    bool last; /* there are no more */
};

static void end(struct command *c)
{
    if (c->req != NULL)
        c->ticket->command = NULL;
    free(c);
}

/* ---- answers */

static const char *verb(const struct command *c)
{
    return c->query.route == QUERY_DISCARD ? "discarded" : "replayed";
}

static void answer(struct command *c)
{
    struct json_line line = {0};

    if (c->req == NULL)
        return;
    json_line_begin(&line);
    json_line_number(&line, verb(c), (int64_t)c->changed);
    json_line_end(&line);
    reply_json(c->req, &line);
    json_line_free(&line);
}

static void refuse(struct command *c, int status, const char *code, const char *what)
{
    char message[256];

    if (c->req == NULL)
        return;
    if (c->changed > 0)
        snprintf(message, sizeof(message), "%s; %llu deliveries were %s before", what,
                 (unsigned long long)c->changed, verb(c));
    else
        snprintf(message, sizeof(message), "%s", what);
    reply_error(c->req, status, code, message);
}

static void refuse_destination(struct command *c)
{
    char names[128], message[256];

    listing_destinations(c->tools->listing, names, sizeof(names));
    snprintf(message, sizeof(message), "no destination %.64s is configured; there are: %s",
             c->query.destination, names[0] == '\0' ? "none" : names);
    refuse(c, 404, "no_destination", message);
}

/* Of one delivery, with which nothing has happened. */
static void explain(struct command *c)
{
    struct json_line line = {0};
    int code = listing_write_one(c->tools->listing, c->query.seq, &line);

    json_line_free(&line);
    if (code == SQLITE_NOTFOUND)
        refuse(c, 404, "not_found", "no delivery of this seq is in the store");
    else if (c->query.route == QUERY_DISCARD)
        refuse(c, 409, "not_pending", "this delivery is neither parked nor retrying there");
    else
        refuse(c, 409, "not_wanted", "no destination takes deliveries of this source and type");
}

/* ---- the way */

static void step(struct command *c);

static void on_finished(void *data, bool durable)
{
    struct command *c = data;

    if (durable)
        c->changed += c->order.changed;
    if (durable && !c->last && c->req != NULL) {
        step(c);
        return;
    }
    if (!durable)
        refuse(c, 503, "unavailable", "the store cannot be written: see what hooklined said");
    else if (c->changed == 0 && c->query.seq > 0)
        explain(c);
    else
        answer(c);
    end(c);
}

/* On the journal's thread. */
static void on_done(struct forwarder_order *order, enum journal_outcome outcome)
{
    struct command *c = order->data;

    errand_done(c->errand, outcome == JOURNAL_DURABLE);
}

/* What is next: the one that the path names, or some of those that the query finds. */
static int choose(struct command *c)
{
    size_t count = 1;
    int code = SQLITE_OK;

    if (c->query.route == QUERY_REPLAY_MANY) {
        code =
            listing_find(c->tools->listing, &c->query, c->seqs, AT_ONCE, &count, &c->query.before);
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
        .done = on_done,
    };
    return code;
}

static bool refuse_begin(struct command *c, int code, enum forwarder_reply reply)
{
    if (c->ctx->shutdown_requested)
        refuse(c, 503, "stopping", "hooklined is stopping");
    else if (code == SQLITE_NOTFOUND || reply == FORWARDER_NO_DESTINATION)
        refuse_destination(c);
    else if (code != SQLITE_OK)
        refuse(c, 503, "unavailable", "the store cannot be read");
    else if (reply == FORWARDER_BUSY)
        refuse(c, 503, "busy", "too much is waiting to be stored: try again later");
    else
        return false;
    return true;
}

static void step(struct command *c)
{
    enum forwarder_reply reply = FORWARDER_TAKEN;
    int code = choose(c);

    c->errand = code == SQLITE_OK && !c->ctx->shutdown_requested
                    ? errand_begin(c->tools->errands, on_finished, c)
                    : NULL;
    if (c->errand != NULL &&
        (reply = forwarder_order(c->tools->forwarder, &c->order)) == FORWARDER_TAKEN)
        return;
    if (c->errand != NULL)
        errand_cancel(c->errand);
    if (!refuse_begin(c, code, reply))
        refuse(c, 503, "no_memory", "out of memory");
    end(c);
}

static void on_request_gone(void *data)
{
    struct ticket *ticket = data;

    if (ticket->command != NULL)
        ticket->command->req = NULL;
}

void command_begin(const struct command_tools *tools, h2o_req_t *req, const struct query *query)
{
    struct command *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        reply_error(req, 503, "no_memory", "out of memory");
        return;
    }
    if (!forwarder_has_destinations(tools->forwarder)) {
        reply_error(req, 409, "no_destination", "no destinations are configured");
        free(c);
        return;
    }
    c->tools = tools;
    c->query = *query;
    c->ctx = req->conn->ctx;
    c->req = req;
    c->ticket = h2o_mem_alloc_shared(&req->pool, sizeof(*c->ticket), on_request_gone);
    c->ticket->command = c;
    /* Those that nobody tries any more are the ones that need somebody to ask. */
    if (query->route == QUERY_REPLAY_MANY && query->state == QUERY_ANY)
        c->query.state = QUERY_PARKED;
    step(c);
}
