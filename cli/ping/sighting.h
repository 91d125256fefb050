/* SPDX-License-Identifier: MIT
 *
 * sighting.h - the deliveries that the sink has told of while we watched, and which of them is the
 * one that was asked for. Pure.
 *
 * Ownership  A zeroed struct sightings is an empty list; sightings_free() releases it.
 */
#ifndef CLI_PING_SIGHTING_H
#define CLI_PING_SIGHTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum sighting_verdict {
    SIGHTING_STORED,
    SIGHTING_DUPLICATE,
    SIGHTING_REFUSED,
    SIGHTING_FAILED,
};

/* A line of hooklined's, as hooklined(8) describes it. What it does not say is "" or -1. */
struct sighting {
    int64_t seen_us; /* by our own wall clock */
    int64_t time_us; /* by the sink's */
    int64_t duration_us, seq, signed_at, bytes;
    enum sighting_verdict verdict;
    int status, secret;
    bool test, fresh;
    char source[66], reason[40], receipt[20], id[130], type[130], remote[64], hint[32],
        hint_source[66];
};

struct sightings {
    struct sighting *at;
    size_t count, size;
    uint64_t forgotten; /* since more came than are kept */
};

/* False if the line is none about an arrival. */
bool sighting_read(struct sighting *sighting, const cJSON *line, int64_t seen_us);

bool sighting_is_accepted(const struct sighting *sighting);

/* False without memory. Of very many the oldest are forgotten. */
bool sightings_add(struct sightings *list, const struct sighting *sighting);
void sightings_free(struct sightings *list);

/* What is known of the one that is looked for. */
struct sighting_wanted {
    const char *source;   /* where it should come */
    const char *receipt;  /* "" or that of the answer which the provider got */
    const char *event_id; /* "" or the id that is signed */
    bool by_time;         /* without these it may be any that came meanwhile ... */
    bool any_type;        /* ... even if its type is none for tests */
    int status;           /* that the provider got; 0: none, -1: not known */
    int64_t from_us;      /* by time: what came earlier ... */
    int64_t until_us;     /* ... or later is another one; 0: it may still come */
};

enum sighting_match {
    SIGHTING_NONE,
    SIGHTING_BY_TIME_ONLY, /* unless a better one comes */
    SIGHTING_BY_TIME,      /* and by the status */
    SIGHTING_BY_ID,
    SIGHTING_BY_RECEIPT,
};

/* Where it is in the list; only if the result is not SIGHTING_NONE. *rivals is how many others it
 * could be as well. */
enum sighting_match sightings_find(const struct sightings *list,
                                   const struct sighting_wanted *wanted, size_t *at,
                                   size_t *rivals);

#endif
