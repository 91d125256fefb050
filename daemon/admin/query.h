/* SPDX-License-Identifier: MIT
 *
 * query.h - what the path and the query of a request to the administrator's address ask for. Pure.
 */
#ifndef DAEMON_ADMIN_QUERY_H
#define DAEMON_ADMIN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

enum query_route {
    QUERY_NOTHING, /* there is no such path */
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
};

enum {
    QUERY_LIMIT_MAX = 1000,
    QUERY_LIMIT_DEFAULT = 100,
    QUERY_WHY_SIZE = 256,
};

/* An empty text stands for what was not asked for. */
struct query {
    enum query_route route;
    int64_t seq; /* in the path */
    char source[65], type[257], id[257], destination[65];
    enum verdict verdict;
    enum query_state state;
    int64_t since_us, until_us; /* until is not included; 0 and INT64_MAX */
    int64_t before;             /* a seq that is not included; INT64_MAX */
    unsigned limit;
    bool verbose;
};

/* `target` is what stands in the request's first line, from its slash on. False, and in `why` what
 * is wrong with which parameter and what was expected. */
bool query_read(struct query *query, const char *target, size_t len, char why[QUERY_WHY_SIZE]);

/* "GET" or "POST"; NULL for QUERY_NOTHING. */
const char *query_method(enum query_route route);

/* The name of a state. */
const char *query_state_name(enum query_state state);

#endif
