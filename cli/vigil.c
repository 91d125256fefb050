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

struct wait_loop {
    struct sink *sink;
    const struct wait_spec *spec;
    const struct wait_filter *filter;
    int64_t deadline_us, left; /* so many more */
    bool refused;
    /* What the store is searched for. */
    const char *since;              /* the first time; NULL later */
    char began[RFC3339_EPOCH_SIZE]; /* when all did */
    int64_t known, newest;          /* it holds nothing new up to this seq, or up to that */
    int64_t highest;                /* of all that was seen of it */
    bool searched, replaced;        /* once; by another store */
    uint64_t lost;                  /* events, when it was searched */
    struct seq_set seen;
    cJSON **found; /* the oldest ones, a ring of `count` */
    int64_t found_count;
    char why[SINK_WHY_SIZE];
};

/* ---- events */

static void wait_loop_print_event(struct wait_loop *v, const cJSON *event)
{
    terminal_progress(NULL);
    v->spec->print(v->spec, event);
    fflush(stdout);
    v->left--;
}

/* Who waits for deliveries is told each of them once, though it may be stored and then come again.
 * Who waits for repetitions is told all of them. */
static bool wait_loop_prints_once(const struct wait_loop *v, const cJSON *event, unsigned verdict)
{
    return (v->filter->verdicts & EVENT_STORED) != 0 &&
           (verdict & (EVENT_STORED | EVENT_DUPLICATE)) != 0 && record_seq(event) > 0;
}

static void wait_loop_take_event(struct wait_loop *v, const cJSON *event)
{
    unsigned verdict = event_verdict_read(record_text(event, "verdict"));
    bool once = wait_loop_prints_once(v, event, verdict);

    if (verdict == EVENT_STORED && record_seq(event) > v->highest)
        v->highest = record_seq(event);
    if (wait_filter_matches(v->filter, event) &&
        !(once && seq_set_has(&v->seen, record_seq(event)))) {
        wait_loop_print_event(v, event);
        if (once)
            seq_set_add(&v->seen, record_seq(event));
        v->refused |= v->spec->fail_on_found && (verdict & (EVENT_REFUSED | EVENT_FAILED)) != 0;
    } else if (v->spec->fail_on_refused && verdict == EVENT_REFUSED &&
               (v->filter->source == NULL || record_is(event, "source", v->filter->source))) {
        wait_loop_print_event(v, event);
        v->refused = true;
    }
}

/* ---- the store */

/* They come newest first, and the oldest ones are kept. */
static bool wait_loop_collect_row(void *data, const cJSON *row)
{
    struct wait_loop *v = data;
    cJSON **slot = &v->found[v->found_count % v->spec->count];
    cJSON *event = cJSON_Duplicate(row, true);

    if (record_seq(row) > v->newest)
        v->newest = record_seq(row);
    cJSON_AddStringToObject(event, "verdict", "stored");
    if (!wait_filter_matches(v->filter, event) || seq_set_has(&v->seen, record_seq(event))) {
        cJSON_Delete(event);
        return true;
    }
    cJSON_Delete(*slot);
    *slot = event;
    v->found_count++;
    return true;
}

static void wait_loop_take_found(struct wait_loop *v, bool good)
{
    int64_t count = v->spec->count, last = v->found_count - 1;

    for (int64_t i = 0; i < count; i++) {
        cJSON **slot = &v->found[(last - i + 2 * count) % count];

        if (good && *slot != NULL && v->left > 0)
            wait_loop_take_event(v, *slot);
        cJSON_Delete(*slot);
        *slot = NULL;
    }
    v->found_count = 0;
}

/* For all that is stored since it was searched before, or since the beginning. */
static enum outcome wait_loop_search_store(struct wait_loop *v)
{
    bool first = v->since != NULL, more;
    const struct pages_filter filter = {
        .source = v->filter->source,
        .type = v->filter->type,
        .id = v->filter->id,
        .since = first         ? v->since
                 : v->replaced ? v->began
                               : NULL,
        .after = first ? 0 : v->known,
    };
    uint64_t lost = sink_lost_events(v->sink);
    enum outcome outcome = OUTCOME_GOOD;

    v->newest = v->known;
    if ((v->filter->verdicts & EVENT_STORED) != 0)
        outcome = pages_walk(v->sink, &filter, PATIENCE_S, v->deadline_us, wait_loop_collect_row, v,
                             &more, v->why);
    wait_loop_take_found(v, outcome == OUTCOME_GOOD);
    if (outcome == OUTCOME_GOOD) {
        v->since = NULL;
        v->known = v->newest;
        v->lost = lost;
        v->searched = true;
    }
    return outcome;
}

/* Of the first page with one row; false if that makes no sense. */
static bool wait_loop_read_newest(const cJSON *page, int64_t *newest)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(page, "deliveries");

    *newest = record_seq(cJSON_GetArrayItem(list, 0));
    return cJSON_IsArray(list) && (*newest > 0 || cJSON_GetArraySize(list) == 0);
}

/* What is in the store before all begins. One that holds less than was seen of it is another one,
 * whose numbers mean others. */
static enum outcome wait_loop_check_newest(struct wait_loop *v, int64_t deadline_us)
{
    int64_t newest = 0;
    cJSON *page;
    int status;
    enum outcome outcome =
        sink_ask(v->sink, "GET", "/deliveries?limit=1", deadline_us, &status, &page, v->why);

    if (outcome == OUTCOME_GOOD && !wait_loop_read_newest(page, &newest)) {
        snprintf(v->why, sizeof(v->why), "%s: its list of deliveries is none of hooklined's",
                 sink_name(v->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(page);
    if (outcome == OUTCOME_GOOD && !v->searched) {
        v->known = newest;
    } else if (outcome == OUTCOME_GOOD && newest < v->highest) {
        v->known = v->highest = 0;
        v->replaced = true;
        seq_set_free(&v->seen);
    }
    if (newest > v->highest)
        v->highest = newest;
    return outcome;
}

/* ---- waiting */

static int wait_loop_ms_left(const struct wait_loop *v, int most)
{
    int64_t left_ms = (v->deadline_us - clock_mono_us() + 999) / 1000;

    return left_ms < 0 ? 0 : left_ms < most ? (int)left_ms : most;
}

static enum outcome wait_loop_connect(struct wait_loop *v)
{
    int64_t patience_us = (int64_t)wait_loop_ms_left(v, PATIENCE_S * 1000) * 1000;
    int64_t until_us = clock_mono_us() + patience_us;
    enum outcome outcome = wait_loop_check_newest(v, until_us);

    if (outcome == OUTCOME_GOOD)
        outcome = sink_watch(v->sink, v->filter->source, until_us, v->why);
    if (outcome == OUTCOME_GOOD && v->spec->verbose)
        message_print("%s: watching", sink_name(v->sink));
    return outcome == OUTCOME_GOOD ? wait_loop_search_store(v) : outcome;
}

/* Until the sink is back, or the time is over. */
static enum outcome wait_loop_reconnect(struct wait_loop *v)
{
    enum outcome outcome;

    terminal_progress(NULL);
    message_print("%s; it is tried again", v->why);
    do {
        sink_poll(v->sink, wait_loop_ms_left(v, BETWEEN_TRIES_MS));
        outcome = wait_loop_connect(v);
    } while ((outcome == OUTCOME_TRANSPORT || outcome == OUTCOME_TIMEOUT) &&
             wait_loop_ms_left(v, 1) > 0);
    if (outcome == OUTCOME_GOOD)
        message_print("%s: it is back; of the time between, only what it stored is known",
                      sink_name(v->sink));
    return outcome;
}

static bool wait_loop_is_done(const struct wait_loop *v)
{
    return v->left <= 0 || v->refused || ferror(stdout) != 0;
}

static void wait_loop_take_events(struct wait_loop *v)
{
    cJSON *event;

    while (!wait_loop_is_done(v) && (event = sink_next_event(v->sink)) != NULL) {
        wait_loop_take_event(v, event);
        cJSON_Delete(event);
    }
}

static void wait_loop_show_progress(const struct wait_loop *v)
{
    char text[80];

    snprintf(text, sizeof(text), "waiting for %" PRId64 ", %d s left", v->left,
             wait_loop_ms_left(v, INT_MAX) / 1000);
    terminal_progress(text);
}

/* Events that came faster than they were read. */
static enum outcome wait_loop_search_lost(struct wait_loop *v)
{
    terminal_progress(NULL);
    message_print("%s: events were lost; of those, only what is stored is known",
                  sink_name(v->sink));
    return wait_loop_search_store(v) == OUTCOME_GOOD ? OUTCOME_GOOD : wait_loop_reconnect(v);
}

static enum outcome wait_loop_step(struct wait_loop *v)
{
    const char *problem;

    wait_loop_take_events(v);
    if (wait_loop_is_done(v))
        return OUTCOME_GOOD;
    if ((problem = sink_watch_problem(v->sink)) != NULL) {
        snprintf(v->why, sizeof(v->why), "%s", problem);
        return wait_loop_reconnect(v);
    }
    if (sink_lost_events(v->sink) != v->lost)
        return wait_loop_search_lost(v);
    wait_loop_show_progress(v);
    sink_poll(v->sink, wait_loop_ms_left(v, POLL_MS));
    return OUTCOME_GOOD;
}

static enum outcome wait_loop_timeout(const struct wait_loop *v)
{
    int64_t count = v->spec->count;

    if (count == 1)
        message_print("nothing that matches arrived in %" PRId64 " s", v->spec->timeout_s);
    else
        message_print("%" PRId64 " of %" PRId64 " that match arrived in %" PRId64 " s",
                      count - v->left, count, v->spec->timeout_s);
    return OUTCOME_TIMEOUT;
}

static enum outcome wait_loop_run(struct wait_loop *v)
{
    enum outcome outcome = wait_loop_connect(v);

    while (outcome == OUTCOME_GOOD && !wait_loop_is_done(v) && wait_loop_ms_left(v, 1) > 0)
        outcome = wait_loop_step(v);
    if (outcome == OUTCOME_GOOD)
        wait_loop_take_events(v);
    terminal_progress(NULL);
    if (outcome != OUTCOME_GOOD) {
        message_print("%s", v->why);
        return outcome == OUTCOME_USAGE ? outcome : OUTCOME_TRANSPORT;
    }
    if (v->refused)
        return OUTCOME_REFUSED;
    return wait_loop_is_done(v) ? OUTCOME_GOOD : wait_loop_timeout(v);
}

enum outcome wait_for_deliveries(struct sink *sink, const struct wait_spec *spec)
{
    struct wait_loop v = {
        .sink = sink,
        .spec = spec,
        .filter = &spec->filter,
        .since = spec->since,
        .left = spec->count,
        .deadline_us = clock_mono_us() + spec->timeout_s * 1000000,
        .found = calloc((size_t)spec->count, sizeof(cJSON *)),
    };
    enum outcome outcome = OUTCOME_TRANSPORT;

    rfc3339_read_or_ago("0s", clock_wall_us(), v.began);
    if (v.found != NULL)
        outcome = wait_loop_run(&v);
    else
        message_print("out of memory");
    free(v.found);
    seq_set_free(&v.seen);
    return outcome;
}
