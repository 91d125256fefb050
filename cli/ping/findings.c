/* SPDX-License-Identifier: MIT */
#include "cli/ping/findings.h"

#include <string.h>

enum {
    CLOCK_STEP_US = 1000 /* the sink's lines count milliseconds */
};

bool observed_is_exact(const struct observed *f)
{
    switch (f->match) {
    case OBSERVED_MATCH_ID:
    case OBSERVED_MATCH_RECEIPT:
        return true;
    case OBSERVED_MATCH_TIME_ONLY:
    case OBSERVED_MATCH_TIME:
        /* If nobody answered the provider, nothing says that this was its request. */
        return f->alone && f->rivals == 0 && f->view.status > 0 && f->lost == 0 &&
               f->events.forgotten == 0 && strcmp(f->seen.source, f->source) == 0;
    case OBSERVED_MATCH_NONE:
        break;
    }
    return false;
}

int64_t observed_received_us(const struct observed *f)
{
    const struct observed_event *s = &f->seen;
    int64_t took = s->duration_us < 0 ? 0 : s->duration_us, received = s->seen_us - took;

    if (s->time_us > f->triggered_us - CLOCK_STEP_US && s->time_us <= s->seen_us)
        received = s->time_us;
    return received < f->triggered_us ? f->triggered_us : received;
}

int64_t observed_settled_us(const struct observed *f)
{
    int64_t took = f->seen.duration_us < 0 ? 0 : f->seen.duration_us;
    int64_t settled = observed_received_us(f) + took;

    return settled > f->seen.seen_us && f->seen.seen_us >= f->triggered_us ? f->seen.seen_us
                                                                           : settled;
}
