/* SPDX-License-Identifier: MIT */
#include "daemon/receive/upstream_answer.h"

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/forward/answer_wait.h"
#include "daemon/http/response.h"
#include "daemon/policy/destination.h"
#include "daemon/store/outbox.h"

enum {
    UPSTREAM_ANSWER_SLACK_S = 30, /* on top of timeout_s: time to reach the forwarder and return */
};

int upstream_answer_prepare(const struct upstream_answer *upstream, const struct destination *d,
                            int64_t seq, bool is_repeated, bool *wanted)
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

bool upstream_answer_send(h2o_req_t *req, const struct answer_wait *waiter, const char *receipt,
                          struct json_writer *line)
{
    switch (waiter->outcome) {
    case ANSWER_WAIT_ANSWERED:
        response_send_upstream(req, waiter->status, waiter->content_type, waiter->body,
                               waiter->len);
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
