/* SPDX-License-Identifier: MIT */
#include "cli/vigil.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/base/notice.h"
#include "cli/pages.h"
#include "cli/record.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "cli/told.h"
#include "daemon/base/when.h"

enum {
    PATIENCE_S = 10, /* with a single answer of the sink */
    BETWEEN_TRIES_MS = 250,
    POLL_MS = 1000,
};

struct vigil {
    struct sink *sink;
    const struct vigil_orders *orders;
    const struct wanted *wanted;
    int64_t deadline_us, left; /* so many more */
    bool refused;
    /* What the store is searched for. */
    const char *since;          /* the first time; NULL later */
    char began[WHEN_TEXT_SIZE]; /* when all did */
    int64_t known, newest;      /* it holds nothing new up to this seq, or up to that */
    int64_t highest;            /* of all that was seen of it */
    bool searched, replaced;    /* once; by another store */
    uint64_t lost;              /* events, when it was searched */
    struct told told;
    cJSON **found; /* the oldest ones, a ring of `count` */
    int64_t found_count;
    char why[SINK_WHY_SIZE];
};

/* ---- events */

static void tell(struct vigil *v, const cJSON *event)
{
    terminal_progress(NULL);
    v->orders->tell(v->orders, event);
    fflush(stdout);
    v->left--;
}

/* Who waits for deliveries is told each of them once, though it may be stored and then come again.
 * Who waits for repetitions is told all of them. */
static bool is_once(const struct vigil *v, const cJSON *event, unsigned verdict)
{
    return (v->wanted->verdicts & WANTED_STORED) != 0 &&
           (verdict & (WANTED_STORED | WANTED_DUPLICATE)) != 0 && record_seq(event) > 0;
}

static void take_event(struct vigil *v, const cJSON *event)
{
    unsigned verdict = wanted_verdict(record_text(event, "verdict"));
    bool once = is_once(v, event, verdict);

    if (verdict == WANTED_STORED && record_seq(event) > v->highest)
        v->highest = record_seq(event);
    if (wanted_matches(v->wanted, event) && !(once && told_has(&v->told, record_seq(event)))) {
        tell(v, event);
        if (once)
            told_add(&v->told, record_seq(event));
        v->refused |= v->orders->fail_on_found && (verdict & (WANTED_REFUSED | WANTED_FAILED)) != 0;
    } else if (v->orders->fail_on_refused && verdict == WANTED_REFUSED &&
               (v->wanted->source == NULL || record_is(event, "source", v->wanted->source))) {
        tell(v, event);
        v->refused = true;
    }
}

/* ---- the store */

/* They come newest first, and the oldest ones are kept. */
static bool find(void *data, const cJSON *row)
{
    struct vigil *v = data;
    cJSON **place = &v->found[v->found_count % v->orders->count];
    cJSON *event = cJSON_Duplicate(row, true);

    if (record_seq(row) > v->newest)
        v->newest = record_seq(row);
    cJSON_AddStringToObject(event, "verdict", "stored");
    if (!wanted_matches(v->wanted, event) || told_has(&v->told, record_seq(event))) {
        cJSON_Delete(event);
        return true;
    }
    cJSON_Delete(*place);
    *place = event;
    v->found_count++;
    return true;
}

static void take_found(struct vigil *v, bool good)
{
    int64_t count = v->orders->count, last = v->found_count - 1;

    for (int64_t i = 0; i < count; i++) {
        cJSON **place = &v->found[(last - i + 2 * count) % count];

        if (good && *place != NULL && v->left > 0)
            take_event(v, *place);
        cJSON_Delete(*place);
        *place = NULL;
    }
    v->found_count = 0;
}

/* For all that is stored since it was searched before, or since the beginning. */
static enum outcome search(struct vigil *v)
{
    bool first = v->since != NULL, more;
    const struct pages_filter filter = {
        .source = v->wanted->source,
        .type = v->wanted->type,
        .id = v->wanted->id,
        .since = first         ? v->since
                 : v->replaced ? v->began
                               : NULL,
        .after = first ? 0 : v->known,
    };
    uint64_t lost = sink_lost_events(v->sink);
    enum outcome outcome = OUTCOME_GOOD;

    v->newest = v->known;
    if ((v->wanted->verdicts & WANTED_STORED) != 0)
        outcome = pages_walk(v->sink, &filter, PATIENCE_S, v->deadline_us, find, v, &more, v->why);
    take_found(v, outcome == OUTCOME_GOOD);
    if (outcome == OUTCOME_GOOD) {
        v->since = NULL;
        v->known = v->newest;
        v->lost = lost;
        v->searched = true;
    }
    return outcome;
}

/* Of the first page with one row; false if that makes no sense. */
static bool read_newest(const cJSON *page, int64_t *newest)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(page, "deliveries");

    *newest = record_seq(cJSON_GetArrayItem(list, 0));
    return cJSON_IsArray(list) && (*newest > 0 || cJSON_GetArraySize(list) == 0);
}

/* What is in the store before all begins. One that holds less than was seen of it is another one,
 * whose numbers mean others. */
static enum outcome look_at_newest(struct vigil *v, int64_t deadline_us)
{
    int64_t newest = 0;
    cJSON *page;
    int status;
    enum outcome outcome =
        sink_ask(v->sink, "GET", "/deliveries?limit=1", deadline_us, &status, &page, v->why);

    if (outcome == OUTCOME_GOOD && !read_newest(page, &newest)) {
        snprintf(v->why, sizeof(v->why), "%s: its list of deliveries is none of hooklined's",
                 sink_address(v->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(page);
    if (outcome == OUTCOME_GOOD && !v->searched) {
        v->known = newest;
    } else if (outcome == OUTCOME_GOOD && newest < v->highest) {
        v->known = v->highest = 0;
        v->replaced = true;
        told_free(&v->told);
    }
    if (newest > v->highest)
        v->highest = newest;
    return outcome;
}

/* ---- waiting */

static int ms_left(const struct vigil *v, int most)
{
    int64_t left_ms = (v->deadline_us - clock_mono_us() + 999) / 1000;

    return left_ms < 0 ? 0 : left_ms < most ? (int)left_ms : most;
}

static enum outcome begin(struct vigil *v)
{
    int64_t patience_us = (int64_t)ms_left(v, PATIENCE_S * 1000) * 1000;
    int64_t until_us = clock_mono_us() + patience_us;
    enum outcome outcome = look_at_newest(v, until_us);

    if (outcome == OUTCOME_GOOD)
        outcome = sink_watch(v->sink, v->wanted->source, until_us, v->why);
    if (outcome == OUTCOME_GOOD && v->orders->verbose)
        notice("%s: watching", sink_address(v->sink));
    return outcome == OUTCOME_GOOD ? search(v) : outcome;
}

/* Until the sink is back, or the time is over. */
static enum outcome begin_again(struct vigil *v)
{
    enum outcome outcome;

    terminal_progress(NULL);
    notice("%s; it is tried again", v->why);
    do {
        sink_poll(v->sink, ms_left(v, BETWEEN_TRIES_MS));
        outcome = begin(v);
    } while ((outcome == OUTCOME_TRANSPORT || outcome == OUTCOME_TIMEOUT) && ms_left(v, 1) > 0);
    if (outcome == OUTCOME_GOOD)
        notice("%s: it is back; of the time between, only what it stored is known",
               sink_address(v->sink));
    return outcome;
}

static bool is_over(const struct vigil *v)
{
    return v->left <= 0 || v->refused || ferror(stdout) != 0;
}

static void take_events(struct vigil *v)
{
    cJSON *event;

    while (!is_over(v) && (event = sink_next_event(v->sink)) != NULL) {
        take_event(v, event);
        cJSON_Delete(event);
    }
}

static void show_progress(const struct vigil *v)
{
    char text[80];

    snprintf(text, sizeof(text), "waiting for %" PRId64 ", %d s left", v->left,
             ms_left(v, INT_MAX) / 1000);
    terminal_progress(text);
}

/* Events that came faster than they were read. */
static enum outcome search_for_lost(struct vigil *v)
{
    terminal_progress(NULL);
    notice("%s: events were lost; of those, only what is stored is known", sink_address(v->sink));
    return search(v) == OUTCOME_GOOD ? OUTCOME_GOOD : begin_again(v);
}

static enum outcome follow(struct vigil *v)
{
    const char *problem;

    take_events(v);
    if (is_over(v))
        return OUTCOME_GOOD;
    if ((problem = sink_watch_problem(v->sink)) != NULL) {
        snprintf(v->why, sizeof(v->why), "%s", problem);
        return begin_again(v);
    }
    if (sink_lost_events(v->sink) != v->lost)
        return search_for_lost(v);
    show_progress(v);
    sink_poll(v->sink, ms_left(v, POLL_MS));
    return OUTCOME_GOOD;
}

static enum outcome explain_timeout(const struct vigil *v)
{
    int64_t count = v->orders->count;

    if (count == 1)
        notice("nothing that matches arrived in %" PRId64 " s", v->orders->timeout_s);
    else
        notice("%" PRId64 " of %" PRId64 " that match arrived in %" PRId64 " s", count - v->left,
               count, v->orders->timeout_s);
    return OUTCOME_TIMEOUT;
}

static enum outcome keep(struct vigil *v)
{
    enum outcome outcome = begin(v);

    while (outcome == OUTCOME_GOOD && !is_over(v) && ms_left(v, 1) > 0)
        outcome = follow(v);
    if (outcome == OUTCOME_GOOD)
        take_events(v);
    terminal_progress(NULL);
    if (outcome != OUTCOME_GOOD) {
        notice("%s", v->why);
        return outcome == OUTCOME_USAGE ? outcome : OUTCOME_TRANSPORT;
    }
    if (v->refused)
        return OUTCOME_REFUSED;
    return is_over(v) ? OUTCOME_GOOD : explain_timeout(v);
}

enum outcome vigil_keep(struct sink *sink, const struct vigil_orders *orders)
{
    struct vigil v = {
        .sink = sink,
        .orders = orders,
        .wanted = &orders->wanted,
        .since = orders->since,
        .left = orders->count,
        .deadline_us = clock_mono_us() + orders->timeout_s * 1000000,
        .found = calloc((size_t)orders->count, sizeof(cJSON *)),
    };
    enum outcome outcome = OUTCOME_TRANSPORT;

    when_read("0s", clock_wall_us(), v.began);
    if (v.found != NULL)
        outcome = keep(&v);
    else
        notice("out of memory");
    free(v.found);
    told_free(&v.told);
    return outcome;
}
