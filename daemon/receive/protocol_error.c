/* SPDX-License-Identifier: MIT */
#include "daemon/receive/protocol_error.h"

#include <h2o.h>

#include "daemon/receive/arrival.h"
#include "daemon/http/connection.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/deposit.h"
#include "daemon/log/log.h"
#include "daemon/http/respond.h"
#include "daemon/policy/rules.h"

struct protocol_error {
    h2o_filter_t super;
    h2o_handler_t *handler;
};

/* Writes the line about it, and then leaves the answer's body in recorder->line. */
static void record(struct deposits *deposits, h2o_req_t *req, const struct answer *answer)
{
    const struct rules *rules = deposits_rules(deposits);
    struct delivery_recorder *recorder = deposits_recorder(deposits);
    struct delivery d;

    arrival_begin(&d, req, rules->sources, &recorder->receipts);
    d.answer = *answer;
    delivery_record(recorder, &d, d.begun_us);
    log_flush(recorder->log);
    answer_write_refusal(&recorder->line, answer, d.receipt);
}

static void on_response(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot)
{
    const struct protocol_error *self = (const struct protocol_error *)filter;

    if (!respond_is_ours(req)) {
        struct deposits *deposits = h2o_context_get_handler_context(req->conn->ctx, self->handler);
        struct answer answer = answer_to_problem(answer_problem_of_status(req->res.status));

        record(deposits, req, &answer);
        respond_prepare(req, &answer);
        slot = respond_replace(req, slot, &deposits_recorder(deposits)->line);
        connection_linger(req);
    }
    h2o_setup_next_ostream(req, slot);
}

void protocol_error_register(h2o_pathconf_t *path, h2o_handler_t *handler)
{
    struct protocol_error *self = (struct protocol_error *)h2o_create_filter(path, sizeof(*self));

    self->super.on_setup_ostream = on_response;
    self->handler = handler;
}
