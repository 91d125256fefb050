/* SPDX-License-Identifier: MIT
 *
 * query.h - parses path and query string of a request to the admin API. Pure.
 *
 * Ownership  The caller provides the struct; a query needs no free.
 * Threads    Any.
 * Errors     false, with the reason in `why`.
 */
#ifndef DAEMON_ADMIN_QUERY_H
#define DAEMON_ADMIN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

enum query_route {
    QUERY_NOTHING, /* unknown path */
    QUERY_LIVE,
    QUERY_READY,
    QUERY_METRICS,
    QUERY_EVENTS,
    QUERY_LIST,
    QUERY_DELIVERY,
    QUERY_BODY,
    QUERY_REPLAY,
    QUERY_REPLAY_MANY,
    QUERY_DISCARD,
};

enum query_state {
    QUERY_ANY,
    QUERY_WAITING,
    QUERY_RETRYING,
    QUERY_PARKED,
    QUERY_DONE,
    QUERY_PASSED_OVER,
};

enum {
    QUERY_LIMIT_MAX = 1000,
    QUERY_LIMIT_DEFAULT = 100,
    QUERY_WHY_SIZE = 256,
};

/* An empty string matches everything. */
struct query {
    enum query_route route;
    int64_t seq; /* from the path; 0: none */
    char source[65], type[257], id[257], destination[65];
    enum verdict verdict;
    enum query_state state;
    int64_t since_us, until_us; /* since 1970, `until` exclusive; default 0 and INT64_MAX */
    int64_t before;             /* a seq, exclusive; default INT64_MAX */
    unsigned limit;
    bool verbose;
};

/* Parses `target`, the path and query string of the request line. An unknown path gives
 * QUERY_NOTHING. Returns false with the parameter and the expected value in `why`. */
bool query_read(struct query *query, const char *target, size_t len, char why[QUERY_WHY_SIZE]);

/* Returns "GET" or "POST"; NULL for QUERY_NOTHING. */
const char *query_method(enum query_route route);

/* Returns the name of a state; "" for QUERY_ANY. */
const char *query_state_name(enum query_state state);

#endif
