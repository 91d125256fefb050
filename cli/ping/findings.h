/* SPDX-License-Identifier: MIT
 *
 * findings.h - what a ping has found out: what was asked of the provider, what it says, and what
 * the sink has told. Filled by round_trip.h, read by diagnosis.h and report.h.
 */
#ifndef CLI_PING_FINDINGS_H
#define CLI_PING_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/ping/provider_answer.h"
#include "cli/ping/sighting.h"

struct provider;

enum {
    OBSERVED_DESTINATIONS_MAX = 64,
    OBSERVED_TEXT_SIZE = 512,
};

enum observed_state {
    OBSERVED_WAITING, /* for the first attempt */
    OBSERVED_TAKEN,
    OBSERVED_RETRYING,
    OBSERVED_PARKED,
};

/* A destination behind the sink, and what became of the delivery there. */
struct observed_destination {
    char name[66];
    enum observed_state state;
    int64_t at_us;    /* of the last attempt; 0: there was none yet */
    int status;       /* of its answer; 0: none */
    int64_t tries;    /* -1: not known */
    char reason[160]; /* why it has not taken it; "" if it is not known */
};

/* Times are microseconds since 1970, 0 for what has not happened. */
struct observed {
    /* What was asked for; all of it somebody else's. */
    const struct provider *provider;
    const char *endpoint, *base_url, *source, *sink;
    int64_t timeout_us;
    bool forwarded; /* it is not enough that it is stored */

    /* The call to the provider. */
    int64_t triggered_us, answered_us;
    bool answered;
    char no_answer[OBSERVED_TEXT_SIZE]; /* why not; "" if the time was over */
    struct provider_answer answer;
    int64_t date_us; /* by the provider's clock when it answered; 0: it does not say */

    /* What the provider says last about the delivery. */
    struct provider_view view;
    int64_t view_us;                       /* when that was learnt */
    char view_problem[PROVIDER_TEXT_SIZE]; /* why it cannot be learnt, or "" */

    /* What the sink says. */
    char sink_problem[OBSERVED_TEXT_SIZE]; /* why it says no more, or "" */
    struct observed_events events;
    enum observed_match match;
    struct observed_event seen; /* unless the match is OBSERVED_MATCH_NONE */
    size_t rivals;              /* which it could be as well */
    bool alone;                 /* no other ping of this source was under way */
    uint64_t lost;              /* events */
    struct observed_destination destinations[OBSERVED_DESTINATIONS_MAX];
    size_t destinations_count;
    bool destinations_known; /* else the sink has not told of them yet */
};

/* Whether the delivery that was seen is certainly the one that was asked for. */
bool observed_is_exact(const struct observed *observed);

/* When it came and when it was judged: by the sink's clock if that can be ours, else by when we
 * heard of it. */
int64_t observed_received_us(const struct observed *observed);
int64_t observed_settled_us(const struct observed *observed);

#endif
