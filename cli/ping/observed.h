/* SPDX-License-Identifier: MIT
 *
 * observed.h - the deliveries that the sink has told of while we watched, and which of them is the
 * one that was asked for. Pure.
 *
 * Ownership  A zeroed struct observed_events is an empty list; observed_events_free() releases it.
 */
#ifndef CLI_PING_OBSERVED_H
#define CLI_PING_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/ping/provider.h"
#include "daemon/base/verdict.h"

/* A line of hooklined's, as hooklined(8) describes it. What it does not say is "" or -1. */
struct observed_event {
    int64_t seen_us; /* by our own wall clock */
    int64_t time_us; /* by the sink's */
    int64_t duration_us, seq, signed_at, bytes;
    enum verdict verdict; /* of the receiver */
    int status, secret;
    bool test, fresh;
    char source[66], reason[40], receipt[20], id[130], type[130], remote[64], hint[32],
        hint_source[66];
};

struct observed_events {
    struct observed_event *at;
    size_t count, size;
    uint64_t forgotten; /* since more came than are kept */
};

/* False if the line is none about an arrival. */
bool observed_event_read(struct observed_event *seen, const cJSON *line, int64_t seen_us);

bool observed_event_is_accepted(const struct observed_event *seen);

/* False without memory. Of very many the oldest are forgotten. */
bool observed_events_add(struct observed_events *list, const struct observed_event *seen);
void observed_events_free(struct observed_events *list);

/* What is known of the one that is looked for. */
struct observed_query {
    const char *source;   /* where it should come */
    const char *receipt;  /* "" or that of the answer which the provider got */
    const char *event_id; /* "" or the id that is signed */
    bool by_time;         /* without these it may be any that came meanwhile ... */
    bool any_type;        /* ... even if its type is none for tests */
    int status;           /* that the provider got; 0: none, -1: not known */
    int64_t from_us;      /* by time: what came earlier ... */
    int64_t until_us;     /* ... or later is another one; 0: it may still come */
};

enum observed_match {
    OBSERVED_MATCH_NONE,
    OBSERVED_MATCH_TIME_ONLY, /* unless a better one comes */
    OBSERVED_MATCH_TIME,      /* and by the status */
    OBSERVED_MATCH_ID,
    OBSERVED_MATCH_RECEIPT,
};

/* Where it is in the list; only if the result is not OBSERVED_MATCH_NONE. *rivals is how many others it
 * could be as well. */
enum observed_match observed_events_find(const struct observed_events *list,
                                         const struct observed_query *wanted, size_t *at,
                                         size_t *rivals);

/* ---- what a ping has found out: what was asked of the provider, what it says, and what
 * the sink has told. Filled by round_trip.h, read by diagnosis.h and report.h. */

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
