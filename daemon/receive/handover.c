/* SPDX-License-Identifier: MIT */
#include "daemon/receive/handover.h"

#include <h2o.h>

#include "daemon/http/answer.h"
#include "daemon/base/clock.h"
#include "daemon/policy/destination.h"
#include "daemon/base/json_line.h"
#include "daemon/store/outbox.h"
#include "daemon/forward/relay.h"
#include "daemon/http/respond.h"

enum {
    SLACK_S = 30, /* for the way to the forwarder and back */
};

int handover_prepare(const struct handover *handover, const struct destination *d, int64_t seq,
                     bool is_repeated, bool *wanted)
{
    enum outbox_state state = OUTBOX_WAITING;
    int64_t now_us = clock_steady_us();
    int code;

    *wanted = false;
    if (d == NULL)
        return SQLITE_OK;
    if (is_repeated)
        code = outbox_state(handover->outbox, d->number, seq, &state, NULL);
    else
        code = outbox_add(handover->outbox, d->number, seq,
                          now_us + (int64_t)(d->target.timeout_s + SLACK_S) * 1000000, now_us);
    *wanted = state != OUTBOX_DONE;
    return code;
}

static void refuse(h2o_req_t *req, enum answer_problem problem, const char *receipt,
                   struct json_line *line)
{
    struct answer answer = answer_to_problem(problem);

    answer_write_refusal(line, &answer, receipt);
    respond(req, &answer, line);
}

bool handover_answer(h2o_req_t *req, const struct relay *relay, const char *receipt,
                     struct json_line *line)
{
    switch (relay->outcome) {
    case RELAY_ANSWERED:
        respond_relayed(req, relay->status, relay->content_type, relay->body, relay->len);
        break;
    case RELAY_FAILED:
        refuse(req, ANSWER_UPSTREAM_FAILED, receipt, line);
        break;
    case RELAY_TIMEOUT:
        refuse(req, ANSWER_UPSTREAM_TIMEOUT, receipt, line);
        break;
    case RELAY_DONE:
        return false;
    }
    return true;
}
