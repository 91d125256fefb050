/* SPDX-License-Identifier: MIT */
#include "daemon/admin/query.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/rfc3339.h"

enum {
    VALUE_SIZE = 257, /* with the NUL */
    SHOWN = 40,       /* characters of an unknown parameter in a message */
};

enum parameter {
    SOURCE = 1 << 0,
    TYPE = 1 << 1,
    ID = 1 << 2,
    VERDICT = 1 << 3,
    DESTINATION = 1 << 4,
    STATE = 1 << 5,
    SINCE = 1 << 6,
    UNTIL = 1 << 7,
    BEFORE = 1 << 8,
    LIMIT = 1 << 9,
    VERBOSE = 1 << 10,
};

static const struct {
    const char *name;
    enum parameter parameter;
} parameters[] = {
    {"source", SOURCE}, {"type", TYPE},     {"id", ID},           {"verdict", VERDICT},
    {"state", STATE},   {"since", SINCE},   {"until", UNTIL},     {"destination", DESTINATION},
    {"limit", LIMIT},   {"before", BEFORE}, {"verbose", VERBOSE},
};

enum {
    PARAMETERS = sizeof(parameters) / sizeof(parameters[0])
};

/* {seq} stands for a number. */
static const struct {
    const char *path;
    enum query_route route;
    const char *method;
    unsigned allowed;
} routes[] = {
    {"/livez", QUERY_LIVE, "GET", VERBOSE},
    {"/readyz", QUERY_READY, "GET", VERBOSE},
    {"/healthz", QUERY_READY, "GET", VERBOSE},
    {"/metrics", QUERY_METRICS, "GET", 0},
    {"/events", QUERY_EVENTS, "GET", SOURCE | VERDICT},
    {"/deliveries", QUERY_LIST, "GET",
     SOURCE | TYPE | ID | STATE | DESTINATION | SINCE | UNTIL | BEFORE | LIMIT},
    {"/deliveries/{seq}", QUERY_DELIVERY, "GET", 0},
    {"/deliveries/{seq}/body", QUERY_BODY, "GET", 0},
    {"/deliveries/{seq}/replay", QUERY_REPLAY, "POST", DESTINATION},
    {"/deliveries/{seq}/discard", QUERY_DISCARD, "POST", DESTINATION},
    {"/replay", QUERY_REPLAY_MANY, "POST", DESTINATION | SINCE | UNTIL | STATE},
};

static const char *const query_state_names[] = {
    [QUERY_ANY] = "",          [QUERY_WAITING] = "waiting", [QUERY_RETRYING] = "retrying",
    [QUERY_PARKED] = "parked", [QUERY_DONE] = "done",       [QUERY_PASSED_OVER] = "passed_over",
};

/* A part of the target, or its unread rest. */
struct query_text {
    const char *base;
    size_t len;
};

static bool query_text_is(struct query_text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.base, word, t.len) == 0;
}

/* Removes and returns the text before the first `end`, and skips the `end`. */
static struct query_text query_take(struct query_text *rest, char end)
{
    const char *at = rest->len == 0 ? NULL : memchr(rest->base, end, rest->len);
    struct query_text part = {rest->base, at == NULL ? rest->len : (size_t)(at - rest->base)};

    rest->base += part.len + (at != NULL);
    rest->len -= part.len + (at != NULL);
    return part;
}

static bool query_fail(char *why, const char *name, const char *expected)
{
    snprintf(why, QUERY_WHY_SIZE, "%s: expected %s", name, expected);
    return false;
}

/* ---- numbers and texts */

static bool query_read_number(struct query_text t, int64_t least, int64_t most, int64_t *number)
{
    *number = 0;
    if (t.len == 0 || t.len > 19 || (t.base[0] == '0' && t.len > 1))
        return false;
    for (size_t i = 0; i < t.len; i++) {
        int digit = t.base[i] - '0';

        if (digit < 0 || digit > 9 || *number > (INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return *number >= least && *number <= most;
}

static int query_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX. A plus sign stays a plus sign, because times and ids contain it. */
static bool query_decode(struct query_text t, char value[VALUE_SIZE], size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < t.len; i++) {
        int c = (unsigned char)t.base[i];

        if (c == '%') {
            int high = t.len - i > 2 ? query_hex_digit(t.base[i + 1]) : -1;
            int low = high < 0 ? -1 : query_hex_digit(t.base[i + 2]);

            if (low < 0)
                return false;
            c = high << 4 | low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || *len == VALUE_SIZE - 1)
            return false;
        value[(*len)++] = (char)c;
    }
    value[*len] = '\0';
    return true;
}

static bool query_copy(char *to, size_t size, const char *value, size_t len, char *why,
                       const char *name)
{
    if (len == 0 || len >= size) {
        snprintf(why, QUERY_WHY_SIZE, "%s: expected 1 to %zu bytes", name, size - 1);
        return false;
    }
    memcpy(to, value, len + 1);
    return true;
}

/* ---- parameters */

static bool query_set_state(struct query *q, const char *value, char *why)
{
    for (enum query_state s = QUERY_WAITING; s <= QUERY_PASSED_OVER; s++) {
        if (strcmp(value, query_state_names[s]) == 0) {
            q->state = s;
            return true;
        }
    }
    return query_fail(why, "state", "waiting, retrying, parked, done or passed_over");
}

static bool query_set_verdict(struct query *q, const char *value, char *why)
{
    char words[VERDICT_WORDS_SIZE];

    if ((q->verdict = verdict_read(value)) != VERDICT_NONE)
        return true;
    verdict_list_words(words);
    return query_fail(why, "verdict", words);
}

static bool query_set_time(int64_t *us, const char *value, char *why, const char *name)
{
    return rfc3339_read(value, us) ||
           query_fail(why, name, "a time like 2026-11-22T04:00:00Z, or seconds since 1970");
}

static bool query_set_limit(struct query *q, struct query_text value, char *why)
{
    int64_t number;

    if (!query_read_number(value, 1, QUERY_LIMIT_MAX, &number))
        return query_fail(why, "limit", "a whole number from 1 to 1000");
    q->limit = (unsigned)number;
    return true;
}

static bool query_set(struct query *q, enum parameter parameter, const char *value, size_t len,
                      char *why)
{
    switch (parameter) {
    case SOURCE:
        return query_copy(q->source, sizeof(q->source), value, len, why, "source");
    case TYPE:
        return query_copy(q->type, sizeof(q->type), value, len, why, "type");
    case ID:
        return query_copy(q->id, sizeof(q->id), value, len, why, "id");
    case DESTINATION:
        return query_copy(q->destination, sizeof(q->destination), value, len, why, "destination");
    case VERDICT:
        return query_set_verdict(q, value, why);
    case STATE:
        return query_set_state(q, value, why);
    case SINCE:
        return query_set_time(&q->since_us, value, why, "since");
    case UNTIL:
        return query_set_time(&q->until_us, value, why, "until");
    case BEFORE:
        return query_read_number((struct query_text){value, len}, 1, INT64_MAX, &q->before) ||
               query_fail(why, "before", "the seq of a delivery");
    case LIMIT:
        return query_set_limit(q, (struct query_text){value, len}, why);
    case VERBOSE:
        q->verbose = true;
        return len == 0 || query_fail(why, "verbose", "no value");
    }
    return false;
}

static bool query_fail_unknown(struct query_text name, unsigned allowed, char *why)
{
    int len = snprintf(why, QUERY_WHY_SIZE, "unknown parameter %.*s%s",
                       (int)(name.len > SHOWN ? SHOWN : name.len), name.base,
                       allowed == 0 ? ": this path takes none" : ": expected one of");
    const char *between = " ";

    for (size_t i = 0; i < PARAMETERS && len > 0 && len < QUERY_WHY_SIZE; i++) {
        if ((allowed & parameters[i].parameter) == 0)
            continue;
        len +=
            snprintf(why + len, QUERY_WHY_SIZE - (size_t)len, "%s%s", between, parameters[i].name);
        between = ", ";
    }
    return false;
}

static bool query_read_parameter(struct query *q, struct query_text pair, unsigned allowed,
                                 unsigned *seen, char *why)
{
    struct query_text name = query_take(&pair, '=');
    char value[VALUE_SIZE];
    size_t len, i = 0;

    while (i < PARAMETERS && !query_text_is(name, parameters[i].name))
        i++;
    if (i == PARAMETERS || (allowed & parameters[i].parameter) == 0)
        return query_fail_unknown(name, allowed, why);
    if ((*seen & parameters[i].parameter) != 0)
        return query_fail(why, parameters[i].name, "one value, not two");
    *seen |= parameters[i].parameter;
    if (!query_decode(pair, value, &len))
        return query_fail(why, parameters[i].name,
                          "at most 256 characters, no control characters, "
                          "%XX for special characters");
    return query_set(q, parameters[i].parameter, value, len, why);
}

static bool query_check_together(const struct query *q, unsigned seen, char *why)
{
    if (q->since_us >= q->until_us)
        return query_fail(why, "until", "a time after since");
    if (q->route == QUERY_LIST && (seen & DESTINATION) != 0 && (seen & STATE) == 0)
        return query_fail(why, "destination", "a state parameter as well");
    if (q->route == QUERY_REPLAY_MANY && (seen & DESTINATION) == 0)
        return query_fail(why, "destination", "a destination name, which a replay of many needs");
    return true;
}

/* ---- the path */

static bool query_path_fits(struct query_text path, const char *pattern, int64_t *seq)
{
    struct query_text wanted = {pattern, strlen(pattern)};
    bool good = path.len > 0 && path.base[path.len - 1] != '/';

    while (good && path.len > 0 && wanted.len > 0) {
        struct query_text part = query_take(&path, '/'), like = query_take(&wanted, '/');

        good = query_text_is(like, "{seq}")
                   ? query_read_number(part, 1, INT64_MAX, seq)
                   : part.len == like.len && memcmp(part.base, like.base, part.len) == 0;
    }
    return good && path.len == 0 && wanted.len == 0;
}

bool query_read(struct query *q, const char *target, size_t len, char why[QUERY_WHY_SIZE])
{
    struct query_text rest = {target, len}, path = query_take(&rest, '?');
    unsigned seen = 0;
    size_t i = 0;

    *q = (struct query){
        .until_us = INT64_MAX,
        .before = INT64_MAX,
        .limit = QUERY_LIMIT_DEFAULT,
    };
    why[0] = '\0';
    while (i < sizeof(routes) / sizeof(routes[0]) &&
           !query_path_fits(path, routes[i].path, &q->seq))
        i++;
    if (i == sizeof(routes) / sizeof(routes[0]))
        return true;
    q->route = routes[i].route;
    while (rest.len > 0)
        if (!query_read_parameter(q, query_take(&rest, '&'), routes[i].allowed, &seen, why))
            return false;
    return query_check_together(q, seen, why);
}

const char *query_method(enum query_route route)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (routes[i].route == route)
            return routes[i].method;
    return NULL;
}

const char *query_state_name(enum query_state state)
{
    return query_state_names[state];
}
