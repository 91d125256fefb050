/* SPDX-License-Identifier: MIT */
#include "daemon/receive/protocol_error.h"

#include <h2o.h>

#include "daemon/receive/arrival.h"
#include "daemon/http/connection.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/pending.h"
#include "daemon/log/log.h"
#include "daemon/http/respond.h"
#include "daemon/policy/policy.h"

struct protocol_error {
    h2o_filter_t super;
    h2o_handler_t *handler;
};

/* Writes the line about it, and then leaves the answer's body in recorder->line. */
static void protocol_error_record(struct pending_set *pending_set, h2o_req_t *req,
                                  const struct response *response)
{
    const struct policy *policy = pending_set_policy(pending_set);
    struct delivery_recorder *recorder = pending_set_recorder(pending_set);
    struct delivery d;

    delivery_begin(&d, req, policy->sources, &recorder->receipts);
    d.response = *response;
    delivery_record(recorder, &d, d.begun_us);
    log_flush(recorder->log);
    response_write_refusal(&recorder->line, response, d.receipt);
}

static void protocol_error_on_response(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot)
{
    const struct protocol_error *self = (const struct protocol_error *)filter;

    if (!response_is_ours(req)) {
        struct pending_set *pending_set =
            h2o_context_get_handler_context(req->conn->ctx, self->handler);
        struct response response = response_of_problem(response_problem_of_status(req->res.status));

        protocol_error_record(pending_set, req, &response);
        response_prepare(req, &response);
        slot = response_replace_body(req, slot, &pending_set_recorder(pending_set)->line);
        connection_linger(req);
    }
    h2o_setup_next_ostream(req, slot);
}

void protocol_error_register(h2o_pathconf_t *path, h2o_handler_t *handler)
{
    struct protocol_error *self = (struct protocol_error *)h2o_create_filter(path, sizeof(*self));

    self->super.on_setup_ostream = protocol_error_on_response;
    self->handler = handler;
}
