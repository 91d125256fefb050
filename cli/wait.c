/* SPDX-License-Identifier: MIT */
#include "cli/wait.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/json_get.h"
#include "cli/record.h"
#include "cli/outcome.h"
#include "cli/pages.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/process.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

/* Where the first number is that is no smaller. */
static size_t seq_set_lower_bound(const struct seq_set *t, int64_t number)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool seq_set_has(const struct seq_set *t, int64_t number)
{
    size_t at = seq_set_lower_bound(t, number);

    return at < t->count && t->numbers[at] == number;
}

bool seq_set_add(struct seq_set *t, int64_t number)
{
    size_t at = seq_set_lower_bound(t, number);

    if (at < t->count && t->numbers[at] == number)
        return true;
    if (t->count == t->size) {
        size_t size = 2 * t->size + 16;
        int64_t *numbers = reallocarray(t->numbers, size, sizeof(*numbers));

        if (numbers == NULL)
            return false;
        t->numbers = numbers;
        t->size = size;
    }
    memmove(t->numbers + at + 1, t->numbers + at, (t->count - at) * sizeof(*t->numbers));
    t->numbers[at] = number;
    t->count++;
    return true;
}

void seq_set_free(struct seq_set *t)
{
    free(t->numbers);
    *t = (struct seq_set){.numbers = NULL};
}

/* ---- wanted */

static enum verdict event_verdict(const cJSON *event)
{
    return verdict_read(json_get_text(event, "verdict"));
}

static bool wait_filter_member_is(const cJSON *event, const char *key, const char *wanted)
{
    return wanted == NULL || json_get_is(event, key, wanted);
}

static bool wait_filter_type_is(const cJSON *event, const char *wanted)
{
    size_t len = wanted == NULL ? 0 : strlen(wanted);
    const char *type = json_get_text(event, "type");

    if (len == 0 || wanted[len - 1] != '*')
        return wait_filter_member_is(event, "type", wanted);
    return type != NULL && strncmp(type, wanted, len - 1) == 0;
}

bool wait_filter_matches(const struct wait_filter *w, const cJSON *event)
{
    return (w->verdicts & VERDICT_BIT(event_verdict(event))) != 0 &&
           wait_filter_member_is(event, "source", w->source) &&
           wait_filter_type_is(event, w->type) && wait_filter_member_is(event, "id", w->id) &&
           wait_filter_member_is(event, "receipt", w->receipt);
}

/* ---- an event of a sink on a line, for people. */

static void event_line_write_part(FILE *out, const char *before, const char *text)
{
    if (text == NULL)
        return;
    fputs(before, out);
    text_write_printable(out, text, strlen(text));
}

static void event_line_write(FILE *out, const cJSON *event)
{
    const char *source = json_get_text(event, "source");
    enum verdict verdict = event_verdict(event);
    bool bad = verdict == VERDICT_REFUSED || verdict == VERDICT_FAILED || verdict == VERDICT_PARKED;
    int64_t seq = record_seq(event);

    event_line_write_part(out, "", json_get_text(event, "time"));
    fputs(terminal_tone(out, bad ? TERMINAL_BAD : TERMINAL_GOOD), out);
    event_line_write_part(out, "  ", verdict_word(verdict));
    fputs(terminal_tone(out, TERMINAL_PLAIN), out);
    event_line_write_part(out, "  ", source == NULL ? "(no source)" : source);
    if (seq > 0)
        fprintf(out, "  seq %" PRId64, seq);
    event_line_write_part(out, "  ", json_get_text(event, "type"));
    event_line_write_part(out, "  ", json_get_text(event, "id"));
    event_line_write_part(out, "  to ", json_get_text(event, "destination"));
    if (bad || verdict == VERDICT_RETRIED)
        event_line_write_part(out, "  ", json_get_text(event, "reason"));
    fputc('\n', out);
}

/* ---- waits for deliveries at a sink until there are enough of them, or the time is over.
 *
 * Nothing that arrives is missed, and nothing told twice: the events are watched first, then the
 * store is searched for what came before that, and again whenever events may have been lost. What
 * was told is remembered by its number. */

struct sink;

enum {
    WAIT_COUNT_MAX = 10000
};

struct wait_spec {
    struct wait_filter filter;
    const char
        *since;    /* also what was stored since then, as rfc3339_read_or_ago() gives it; or NULL */
    int64_t count; /* so many, WAIT_COUNT_MAX at most ... */
    int64_t timeout_s;    /* ... for so long */
    bool fail_on_refused; /* a refusal of the wanted source ends it */
    bool fail_on_found;   /* so does one that is wanted */
    bool verbose;         /* say when it begins to watch */
    void (*print)(const struct wait_spec *spec, const cJSON *event); /* each, on its way */
    bool json;                                                       /* for tell() */
};

/* OUTCOME_REFUSED is for deliveries; a sink that refuses to be asked is OUTCOME_TRANSPORT. What
 * went wrong it says by message_print(). */
enum outcome wait_for_deliveries(struct sink *sink, const struct wait_spec *spec);

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
static bool wait_loop_prints_once(const struct wait_loop *v, const cJSON *event,
                                  enum verdict verdict)
{
    return (v->filter->verdicts & VERDICT_BIT(VERDICT_STORED)) != 0 &&
           (verdict == VERDICT_STORED || verdict == VERDICT_DUPLICATE) && record_seq(event) > 0;
}

static void wait_loop_take_event(struct wait_loop *v, const cJSON *event)
{
    enum verdict verdict = event_verdict(event);
    bool once = wait_loop_prints_once(v, event, verdict);

    if (verdict == VERDICT_STORED && record_seq(event) > v->highest)
        v->highest = record_seq(event);
    if (wait_filter_matches(v->filter, event) &&
        !(once && seq_set_has(&v->seen, record_seq(event)))) {
        wait_loop_print_event(v, event);
        if (once)
            seq_set_add(&v->seen, record_seq(event));
        v->refused |=
            v->spec->fail_on_found && (verdict == VERDICT_REFUSED || verdict == VERDICT_FAILED);
    } else if (v->spec->fail_on_refused && verdict == VERDICT_REFUSED &&
               (v->filter->source == NULL || json_get_is(event, "source", v->filter->source))) {
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
    cJSON_AddStringToObject(event, "verdict", verdict_word(VERDICT_STORED));
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
    if ((v->filter->verdicts & VERDICT_BIT(VERDICT_STORED)) != 0)
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
    const cJSON *list = json_get(page, "deliveries");

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

/* ---- wait */

struct cmd_wait_options {
    struct sink_options sink;
    struct wait_filter filter;
    struct option_texts verdicts;
    const char *since;
    int64_t count, timeout;
    bool fail_on_refused, json, verbose;
};

static const struct cmd_wait_options defaults = {.count = 1, .timeout = 60};

static const struct option_row rows[] = {
    TEXT(0, "source", struct cmd_wait_options, filter.source, "NAME", "of this source"),
    TEXT(0, "type", struct cmd_wait_options, filter.type, "TYPE",
         "of this type of event; gate.* is all that begin so"),
    TEXT(0, "id", struct cmd_wait_options, filter.id, "ID", "of this event"),
    TEXT(0, "receipt", struct cmd_wait_options, filter.receipt, "RECEIPT",
         "the request that got this receipt in its answer,\nwhatever became of it"),
    TEXTS(0, "verdict", struct cmd_wait_options, verdicts, "VERDICT",
          "stored, duplicate, refused, failed, forwarded, retried\nor parked; may be given more "
          "than once; default: stored\nand duplicate"),
    TEXT(0, "since", struct cmd_wait_options, since, "MOMENT",
         "also what was stored since then: 2026-11-22T04:00:00Z,\nseconds since 1970, or 90s, 15m, "
         "2h, 7d for so long ago;\ndefault: only what arrives from now on"),
    NUMBER('n', "count", struct cmd_wait_options, count, "N", 1, WAIT_COUNT_MAX,
           "until so many deliveries have arrived; default: 1"),
    FLAG(0, "fail-on-refused", struct cmd_wait_options, fail_on_refused,
         "end with status 1 when a delivery of the source is\nrefused"),
    NUMBER('t', "timeout", struct cmd_wait_options, timeout, "SECONDS", 1, 31536000,
           "how long; default: 60"),
    FLAG(0, "json", struct cmd_wait_options, json,
         "the line of the sink's log for each, one JSON object"),
    FLAG('v', "verbose", struct cmd_wait_options, verbose,
         "say on standard error when it begins to watch"),
    SINK_OPTIONS(struct cmd_wait_options, sink),
    OPTIONS_END,
};

static const char details[] =
    "Exit status: 0 it arrived; 1 refused; 4 it did not arrive in time; 5 the sink is\n"
    "away. A sink that restarts meanwhile is waited for, and asked what it stored.\n";

static void cmd_wait_print_event(const struct wait_spec *spec, const cJSON *event)
{
    if (spec->json)
        record_write(stdout, event);
    else
        event_line_write(stdout, event);
}

static bool cmd_wait_read_verdicts(const struct cmd_wait_options *o, struct wait_filter *filter)
{
    filter->verdicts = VERDICT_BIT(VERDICT_STORED) | VERDICT_BIT(VERDICT_DUPLICATE);
    if (filter->receipt != NULL)
        filter->verdicts |= VERDICT_BIT(VERDICT_REFUSED) | VERDICT_BIT(VERDICT_FAILED);
    if (o->verdicts.count > 0)
        filter->verdicts = 0;
    for (size_t i = 0; i < o->verdicts.count; i++) {
        enum verdict verdict = verdict_read(o->verdicts.items[i]);
        char words[VERDICT_WORDS_SIZE];

        if (verdict == VERDICT_NONE) {
            verdict_list_words(words);
            message_print("--verdict: expected %s", words);
            return false;
        }
        filter->verdicts |= VERDICT_BIT(verdict);
    }
    return true;
}

static enum outcome cmd_wait_run(const void *options, const char *const *arguments, size_t count)
{
    const struct cmd_wait_options *o = options;
    struct wait_spec spec = {
        .filter = o->filter,
        .since = o->since,
        .count = o->count,
        .timeout_s = o->timeout,
        .fail_on_refused = o->fail_on_refused,
        .fail_on_found = o->verdicts.count == 0, /* it was waited for by its receipt alone */
        .verbose = o->verbose,
        .print = cmd_wait_print_event,
        .json = o->json,
    };
    char since[RFC3339_EPOCH_SIZE], why[SINK_WHY_SIZE];
    enum outcome outcome;
    struct sink *sink;

    (void)arguments, (void)count;
    if (!option_read_time("since", &spec.since, since) || !cmd_wait_read_verdicts(o, &spec.filter))
        return OUTCOME_USAGE;
    if ((sink = sink_open(NULL, &o->sink, why)) == NULL) {
        message_print("%s", why);
        return OUTCOME_USAGE;
    }
    outcome = wait_for_deliveries(sink, &spec);
    sink_close(&sink);
    return outcome;
}

const struct command command_wait = {
    .name = "wait",
    .arguments = "",
    .summary = "Wait until a delivery arrives at a hooklined",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct cmd_wait_options),
    .defaults = &defaults,
    .run = cmd_wait_run,
};
