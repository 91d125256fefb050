/* SPDX-License-Identifier: MIT
 *
 * sighting.h - the deliveries that the sink has told of while we watched, and which of them is the
 * one that was asked for. Pure.
 *
 * Ownership  A zeroed struct observed_events is an empty list; observed_events_free() releases it.
 */
#ifndef CLI_PING_SIGHTING_H
#define CLI_PING_SIGHTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum observed_verdict {
    OBSERVED_STORED,
    OBSERVED_DUPLICATE,
    OBSERVED_REFUSED,
    OBSERVED_FAILED,
};

/* A line of hooklined's, as hooklined(8) describes it. What it does not say is "" or -1. */
struct observed_event {
    int64_t seen_us; /* by our own wall clock */
    int64_t time_us; /* by the sink's */
    int64_t duration_us, seq, signed_at, bytes;
    enum observed_verdict verdict;
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

#endif
