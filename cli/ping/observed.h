/* SPDX-License-Identifier: MIT
 *
 * observed.h - the sink's events during a ping, and the delivery that the ping triggered. Pure.
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

/* A verdict line of hooklined, see hooklined(8). Absent members are "" or -1. */
struct observed_event {
    int64_t seen_us; /* by our wall clock */
    int64_t time_us; /* by the sink's clock */
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
    uint64_t forgotten; /* events dropped because the list was full */
};

/* Returns false if the line is not a verdict line. */
bool observed_event_read(struct observed_event *seen, const cJSON *line, int64_t seen_us);

bool observed_event_is_accepted(const struct observed_event *seen);

/* Returns false on ENOMEM. A full list drops its oldest event. */
bool observed_events_add(struct observed_events *list, const struct observed_event *seen);
void observed_events_free(struct observed_events *list);

/* The delivery to look for. */
struct observed_query {
    const char *source;      /* where the delivery is expected */
    const char *receipt;     /* in the answer that the provider got, or "" */
    const char *event_id;    /* the signed id, or "" */
    const char *delivery_id; /* the provider's, which may be the signed id; or "" */
    bool by_time;            /* without receipt and id: match by arrival time */
    bool any_type;           /* by time: accept types that are not test types */
    bool elsewhere;          /* by time, status unknown: accept a test at another source */
    int status;              /* that the provider got; 0: none, -1: unknown */
    int64_t from_us;         /* by time: earliest arrival */
    int64_t until_us;        /* by time: latest arrival; 0: open */
};

enum observed_match {
    OBSERVED_MATCH_NONE,
    OBSERVED_MATCH_TIME_ONLY, /* a better match replaces it */
    OBSERVED_MATCH_TIME,      /* time and status */
    OBSERVED_MATCH_ID,
    OBSERVED_MATCH_RECEIPT,
};

/* Finds the delivery in the list. Sets *at unless it returns OBSERVED_MATCH_NONE. *rivals counts
 * the other events that match equally well. */
enum observed_match observed_events_find(const struct observed_events *list,
                                         const struct observed_query *wanted, size_t *at,
                                         size_t *rivals);

/* ---- observed round trip */

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

/* A destination of the delivery and the delivery's state there. */
struct observed_destination {
    char name[66];
    enum observed_state state;
    int64_t at_us;    /* end of the last attempt; 0: none yet */
    int status;       /* of the last answer; 0: none */
    int64_t tries;    /* -1: unknown */
    char reason[160]; /* of the last failure; "" if unknown */
};

/* The facts of one ping: round_trip.h fills them, diagnosis.h and report.h read them. Times are
 * microseconds since 1970; 0: has not happened. */
struct observed {
    /* The request; all pointers are borrowed. */
    const struct provider *provider;
    const char *endpoint, *base_url, *source, *sink;
    int64_t timeout_us;
    bool forwarded; /* wait for the destinations, too */

    /* The call to the provider's API. */
    int64_t triggered_us, answered_us;
    bool answered;
    char no_answer[OBSERVED_TEXT_SIZE]; /* the error; "" after a timeout */
    struct provider_answer answer;
    int64_t date_us; /* by the provider's clock; 0: no Date header */

    /* The provider's latest report about the delivery. */
    struct provider_view view;
    int64_t view_us;                       /* time of that report */
    char view_problem[PROVIDER_TEXT_SIZE]; /* why no report can be had, or "" */

    /* The sink's events. */
    char sink_problem[OBSERVED_TEXT_SIZE]; /* why the sink sends no more events, or "" */
    struct observed_events events;
    enum observed_match match;
    struct observed_event seen; /* unset for OBSERVED_MATCH_NONE */
    size_t rivals;              /* other events that match equally well */
    bool alone;                 /* no concurrent ping of this source */
    uint64_t lost;              /* events */
    struct observed_destination destinations[OBSERVED_DESTINATIONS_MAX];
    size_t destinations_count;
    bool destinations_known; /* false until the sink has listed the destinations */
};

/* Returns true if the observed delivery is certainly the one that the ping triggered. */
bool observed_is_exact(const struct observed *observed);

/* Time of arrival and of the verdict: by the sink's clock if it agrees with ours, else derived
 * from the time at which we read the event. */
int64_t observed_received_us(const struct observed *observed);
int64_t observed_settled_us(const struct observed *observed);

#endif
