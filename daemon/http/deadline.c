/* SPDX-License-Identifier: MIT */
#include "daemon/http/deadline.h"

enum {
    CLOSING_S = 2
};

void deadline_enter(struct deadline *d, enum deadline_phase phase, unsigned request, int64_t now_us)
{
    if (phase != d->phase || request != d->request)
        *d = (struct deadline){phase, request, now_us};
}

static int64_t deadline_limit_s(const struct deadline_limits *limits, enum deadline_phase phase)
{
    switch (phase) {
    case DEADLINE_IDLE:
        return limits->idle_s;
    case DEADLINE_HANDSHAKE:
    case DEADLINE_HEAD:
        return limits->header_s;
    case DEADLINE_BODY:
    case DEADLINE_RESPONSE:
        return limits->body_s;
    case DEADLINE_CLOSING:
        return CLOSING_S;
    case DEADLINE_WORK:
        break;
    }
    return INT64_MAX / 1000000;
}

bool deadline_is_over(const struct deadline *d, const struct deadline_limits *limits,
                      int64_t now_us)
{
    return now_us - d->since_us > deadline_limit_s(limits, d->phase) * 1000000;
}
