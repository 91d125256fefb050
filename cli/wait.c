/* SPDX-License-Identifier: MIT
 *
 * Nothing that arrives is missed, and nothing told twice: the events are watched first, then the
 * store is searched for what came before that, and again whenever events may have been lost. What
 * was told is remembered by its number.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "../daemon/clock.h"
#include "../daemon/notice.h"
#include "command.h"
#include "event_line.h"
#include "pages.h"
#include "record.h"
#include "sink.h"
#include "terminal.h"
#include "told.h"
#include "wanted.h"
#include "when.h"

enum {
    COUNT_MAX = 10000,
    PATIENCE_S = 10, /* with a single answer of the sink */
    BETWEEN_TRIES_MS = 250,
    POLL_MS = 1000,
};

struct options {
    struct sink_options sink;
    struct wanted wanted;
    struct option_texts verdicts;
    const char *since;
    int64_t count, timeout;
    bool fail_on_refused, json, verbose;
};

static const struct options defaults = {.count = 1, .timeout = 60};

static const struct option_row rows[] = {
    {"source", 0, OPTION_TEXT, offsetof(struct options, wanted.source), "NAME", "of this source", 0,
     0},
    {"type", 0, OPTION_TEXT, offsetof(struct options, wanted.type), "TYPE",
     "of this type of event; gate.* is all that begin so", 0, 0},
    {"id", 0, OPTION_TEXT, offsetof(struct options, wanted.id), "ID", "of this event", 0, 0},
    {"receipt", 0, OPTION_TEXT, offsetof(struct options, wanted.receipt), "RECEIPT",
     "the request that got this receipt in its answer,\nwhatever became of it", 0, 0},
    {"verdict", 0, OPTION_TEXTS, offsetof(struct options, verdicts), "VERDICT",
     "stored, duplicate, refused, failed, forwarded, retried\nor parked; may be given more than "
     "once; default: stored\nand duplicate",
     0, 0},
    {"since", 0, OPTION_TEXT, offsetof(struct options, since), "MOMENT",
     "also what was stored since then: 2026-11-22T04:00:00Z,\nseconds since 1970, or 90s, 15m, 2h, "
     "7d for so long ago;\ndefault: only what arrives from now on",
     0, 0},
    {"count", 'n', OPTION_NUMBER, offsetof(struct options, count), "N",
     "until so many deliveries have arrived; default: 1", 1, COUNT_MAX},
    {"fail-on-refused", 0, OPTION_FLAG, offsetof(struct options, fail_on_refused), NULL,
     "end with status 1 when a delivery of the source is\nrefused", 0, 0},
    {"timeout", 't', OPTION_NUMBER, offsetof(struct options, timeout), "SECONDS",
     "how long; default: 60", 1, 31536000},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL,
     "the line of the sink's log for each, one JSON object", 0, 0},
    {"verbose", 'v', OPTION_FLAG, offsetof(struct options, verbose), NULL,
     "say on standard error when it begins to watch", 0, 0},
    SINK_OPTIONS(struct options, sink),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static const char details[] =
    "Exit status: 0 it arrived; 1 refused; 4 it did not arrive in time; 5 the sink is\n"
    "away. A sink that restarts meanwhile is waited for, and asked what it stored.\n";

struct waiting {
    struct sink *sink;
    const struct options *options;
    struct wanted wanted;
    int64_t deadline_us, left; /* so many more */
    bool refused;
    /* What the store is searched for. */
    const char *since;          /* the first time; NULL later */
    char began[WHEN_TEXT_SIZE]; /* when all did */
    int64_t known, newest;      /* it holds nothing new up to this seq, or up to that */
    bool searched, replaced;    /* once; by another store */
    uint64_t lost;              /* events, when it was searched */
    struct told told;
    cJSON **found; /* the oldest ones, a ring of `count` */
    int64_t found_count;
    char why[SINK_WHY_SIZE];
};

/* ---- events */

static void tell(struct waiting *w, const cJSON *event)
{
    terminal_progress(NULL);
    if (w->options->json)
        record_write(stdout, event);
    else
        event_line_write(stdout, event);
    fflush(stdout);
    w->left--;
}

/* Who waits for deliveries is told each of them once, though it may be stored and then come again.
 * Who waits for repetitions is told all of them. */
static bool is_once(const struct waiting *w, const cJSON *event, unsigned verdict)
{
    return (w->wanted.verdicts & WANTED_STORED) != 0 &&
           (verdict & (WANTED_STORED | WANTED_DUPLICATE)) != 0 && record_seq(event) > 0;
}

static void take_event(struct waiting *w, const cJSON *event)
{
    unsigned verdict = wanted_verdict(record_text(event, "verdict"));
    bool once = is_once(w, event, verdict);

    if (wanted_matches(&w->wanted, event) && !(once && told_has(&w->told, record_seq(event)))) {
        tell(w, event);
        if (once)
            told_add(&w->told, record_seq(event));
        /* What was waited for by its receipt alone. */
        w->refused |=
            w->options->verdicts.count == 0 && (verdict & (WANTED_REFUSED | WANTED_FAILED)) != 0;
    } else if (w->options->fail_on_refused && verdict == WANTED_REFUSED &&
               (w->wanted.source == NULL || record_is(event, "source", w->wanted.source))) {
        tell(w, event);
        w->refused = true;
    }
}

/* ---- the store */

/* They come newest first, and the oldest ones are kept. */
static bool find(void *data, const cJSON *row)
{
    struct waiting *w = data;
    cJSON **place = &w->found[w->found_count % w->options->count];
    cJSON *event = cJSON_Duplicate(row, true);

    if (record_seq(row) > w->newest)
        w->newest = record_seq(row);
    cJSON_AddStringToObject(event, "verdict", "stored");
    if (!wanted_matches(&w->wanted, event) || told_has(&w->told, record_seq(event))) {
        cJSON_Delete(event);
        return true;
    }
    cJSON_Delete(*place);
    *place = event;
    w->found_count++;
    return true;
}

static void take_found(struct waiting *w, bool good)
{
    int64_t count = w->options->count, last = w->found_count - 1;

    for (int64_t i = 0; i < count; i++) {
        cJSON **place = &w->found[(last - i + 2 * count) % count];

        if (good && *place != NULL && w->left > 0)
            take_event(w, *place);
        cJSON_Delete(*place);
        *place = NULL;
    }
    w->found_count = 0;
}

/* For all that is stored since it was searched before, or since the beginning. */
static enum outcome search(struct waiting *w)
{
    bool first = w->since != NULL, more;
    const struct pages_filter filter = {
        .source = w->wanted.source,
        .type = w->wanted.type,
        .id = w->wanted.id,
        .since = first         ? w->since
                 : w->replaced ? w->began
                               : NULL,
        .after = first ? 0 : w->known,
    };
    uint64_t lost = sink_lost_events(w->sink);
    enum outcome outcome = OUTCOME_GOOD;

    w->newest = w->known;
    if ((w->wanted.verdicts & WANTED_STORED) != 0)
        outcome = pages_walk(w->sink, &filter, PATIENCE_S, w->deadline_us, find, w, &more, w->why);
    take_found(w, outcome == OUTCOME_GOOD);
    if (outcome == OUTCOME_GOOD) {
        w->since = NULL;
        w->known = w->newest;
        w->lost = lost;
        w->searched = true;
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

/* What is in the store before all begins. One that knows less than it did is another one. */
static enum outcome look_at_newest(struct waiting *w, int64_t deadline_us)
{
    int64_t newest = 0;
    cJSON *page;
    int status;
    enum outcome outcome =
        sink_ask(w->sink, "GET", "/deliveries?limit=1", deadline_us, &status, &page, w->why);

    if (outcome == OUTCOME_GOOD && !read_newest(page, &newest)) {
        snprintf(w->why, sizeof(w->why), "%s: its list of deliveries is none of hooklined's",
                 sink_address(w->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(page);
    if (outcome == OUTCOME_GOOD && !w->searched) {
        w->known = newest;
    } else if (outcome == OUTCOME_GOOD && newest < w->known) {
        w->known = 0;
        w->replaced = true;
        told_free(&w->told);
    }
    return outcome;
}

/* ---- waiting */

static int ms_left(const struct waiting *w, int most)
{
    int64_t left_ms = (w->deadline_us - clock_mono_us() + 999) / 1000;

    return left_ms < 0 ? 0 : left_ms < most ? (int)left_ms : most;
}

static enum outcome begin(struct waiting *w)
{
    int64_t patience_us = (int64_t)ms_left(w, PATIENCE_S * 1000) * 1000;
    int64_t until_us = clock_mono_us() + patience_us;
    enum outcome outcome = look_at_newest(w, until_us);

    if (outcome == OUTCOME_GOOD)
        outcome = sink_watch(w->sink, w->wanted.source, until_us, w->why);
    if (outcome == OUTCOME_GOOD && w->options->verbose)
        notice("%s: watching", sink_address(w->sink));
    return outcome == OUTCOME_GOOD ? search(w) : outcome;
}

/* Until the sink is back, or the time is over. */
static enum outcome begin_again(struct waiting *w)
{
    enum outcome outcome;

    terminal_progress(NULL);
    notice("%s; it is tried again", w->why);
    do {
        sink_poll(w->sink, ms_left(w, BETWEEN_TRIES_MS));
        outcome = begin(w);
    } while ((outcome == OUTCOME_TRANSPORT || outcome == OUTCOME_TIMEOUT) && ms_left(w, 1) > 0);
    if (outcome == OUTCOME_GOOD)
        notice("%s: it is back; of the time between, only what it stored is known",
               sink_address(w->sink));
    return outcome;
}

static bool is_over(const struct waiting *w)
{
    return w->left <= 0 || w->refused || ferror(stdout) != 0;
}

static void take_events(struct waiting *w)
{
    cJSON *event;

    while (!is_over(w) && (event = sink_next_event(w->sink)) != NULL) {
        take_event(w, event);
        cJSON_Delete(event);
    }
}

static void show_progress(const struct waiting *w)
{
    char text[80];

    snprintf(text, sizeof(text), "waiting for %" PRId64 ", %d s left", w->left,
             ms_left(w, INT_MAX) / 1000);
    terminal_progress(text);
}

static enum outcome follow(struct waiting *w)
{
    const char *problem;

    take_events(w);
    if (is_over(w))
        return OUTCOME_GOOD;
    if ((problem = sink_watch_problem(w->sink)) != NULL) {
        snprintf(w->why, sizeof(w->why), "%s", problem);
        return begin_again(w);
    }
    if (sink_lost_events(w->sink) != w->lost)
        return search(w) == OUTCOME_GOOD ? OUTCOME_GOOD : begin_again(w);
    show_progress(w);
    sink_poll(w->sink, ms_left(w, POLL_MS));
    return OUTCOME_GOOD;
}

static enum outcome explain_timeout(const struct waiting *w)
{
    int64_t count = w->options->count;

    if (count == 1)
        notice("nothing that matches arrived in %" PRId64 " s", w->options->timeout);
    else
        notice("%" PRId64 " of %" PRId64 " that match arrived in %" PRId64 " s", count - w->left,
               count, w->options->timeout);
    return OUTCOME_TIMEOUT;
}

/* 1 is for deliveries that are refused, so it does not tell that the sink refuses us. */
static enum outcome wait_for_all(struct waiting *w)
{
    enum outcome outcome = begin(w);

    while (outcome == OUTCOME_GOOD && !is_over(w) && ms_left(w, 1) > 0)
        outcome = follow(w);
    if (outcome == OUTCOME_GOOD)
        take_events(w);
    terminal_progress(NULL);
    if (outcome != OUTCOME_GOOD) {
        notice("%s", w->why);
        return outcome == OUTCOME_USAGE ? outcome : OUTCOME_TRANSPORT;
    }
    if (w->refused)
        return OUTCOME_REFUSED;
    return is_over(w) ? OUTCOME_GOOD : explain_timeout(w);
}

/* ---- options */

static bool read_verdicts(const struct options *o, struct wanted *wanted)
{
    wanted->verdicts = WANTED_STORED | WANTED_DUPLICATE;
    if (wanted->receipt != NULL)
        wanted->verdicts |= WANTED_REFUSED | WANTED_FAILED;
    if (o->verdicts.count > 0)
        wanted->verdicts = 0;
    for (size_t i = 0; i < o->verdicts.count; i++) {
        unsigned verdict = wanted_verdict(o->verdicts.items[i]);

        if (verdict == 0) {
            notice("--verdict: expected stored, duplicate, refused, failed, forwarded, retried or "
                   "parked");
            return false;
        }
        wanted->verdicts |= verdict;
    }
    return true;
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    const struct options *o = options;
    struct waiting w = {.options = o, .wanted = o->wanted, .since = o->since, .left = o->count};
    char since[WHEN_TEXT_SIZE];
    enum outcome outcome;

    (void)arguments, (void)count;
    if (!when_option("since", &w.since, since) || !read_verdicts(o, &w.wanted))
        return OUTCOME_USAGE;
    if ((w.sink = sink_open(NULL, &o->sink, w.why)) == NULL) {
        notice("%s", w.why);
        return OUTCOME_USAGE;
    }
    when_read("0s", clock_wall_us(), w.began);
    w.deadline_us = clock_mono_us() + o->timeout * 1000000;
    w.found = calloc((size_t)o->count, sizeof(cJSON *));
    outcome = w.found == NULL ? OUTCOME_TRANSPORT : wait_for_all(&w);
    free(w.found);
    told_free(&w.told);
    sink_close(&w.sink);
    return outcome;
}

const struct command command_wait = {
    .name = "wait",
    .arguments = "",
    .summary = "Wait until a delivery arrives at a hooklined",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
