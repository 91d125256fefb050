/* SPDX-License-Identifier: MIT */
#include "cli/wait.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/record.h"
#include "cli/pages.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/message.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

/* Returns the index of the first number that is not smaller. */
static size_t seq_set_lower_bound(const struct seq_set *set, int64_t number)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool seq_set_has(const struct seq_set *set, int64_t number)
{
    size_t at = seq_set_lower_bound(set, number);

    return at < set->count && set->numbers[at] == number;
}

bool seq_set_add(struct seq_set *set, int64_t number)
{
    size_t at = seq_set_lower_bound(set, number);

    if (at < set->count && set->numbers[at] == number)
        return true;
    if (set->count == set->size) {
        size_t size = 2 * set->size + 16;
        int64_t *numbers = reallocarray(set->numbers, size, sizeof(*numbers));

        if (numbers == NULL)
            return false;
        set->numbers = numbers;
        set->size = size;
    }
    memmove(set->numbers + at + 1, set->numbers + at, (set->count - at) * sizeof(*set->numbers));
    set->numbers[at] = number;
    set->count++;
    return true;
}

void seq_set_free(struct seq_set *set)
{
    free(set->numbers);
    *set = (struct seq_set){.numbers = NULL};
}

/* ---- filter */

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

bool wait_filter_matches(const struct wait_filter *filter, const cJSON *event)
{
    return (filter->verdicts & VERDICT_BIT(event_verdict(event))) != 0 &&
           wait_filter_member_is(event, "source", filter->source) &&
           wait_filter_type_is(event, filter->type) &&
           wait_filter_member_is(event, "id", filter->id) &&
           wait_filter_member_is(event, "receipt", filter->receipt);
}

/* ---- event as a line of text */

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

/* ---- wait loop
 *
 * Reports each delivery exactly once: subscribes to the events first, then searches the store for
 * earlier deliveries, and again after lost events. Remembers reported deliveries by number. */

enum {
    WAIT_COUNT_MAX = 10000
};

struct wait_spec {
    struct wait_filter filter;
    const char *since; /* also search the store from this time, seconds since 1970; or NULL */
    int64_t count;     /* 1 to WAIT_COUNT_MAX */
    int64_t timeout_s;
    bool fail_on_refused; /* fail at a refusal of the source */
    bool fail_on_found;   /* fail at a matching refusal or failure */
    bool verbose;         /* report the start of the subscription */
    void (*print)(const struct wait_spec *spec, const cJSON *event); /* called for each event */
    bool json;                                                       /* for print() */
};

enum {
    PATIENCE_S = 10, /* for one answer of the sink */
    BETWEEN_TRIES_MS = 250,
    POLL_MS = 1000,
};

struct wait_loop {
    struct sink *sink;
    const struct wait_spec *spec;
    const struct wait_filter *filter;
    int64_t deadline_us, left; /* left: deliveries still to come */
    bool refused;
    /* Search of the store. */
    const char *since;              /* first search; NULL later */
    char began[RFC3339_EPOCH_SIZE]; /* start of the wait */
    int64_t known, newest;          /* highest seq searched before; in the current search */
    int64_t highest;                /* highest seq ever seen */
    bool searched, replaced;        /* searched once; the store was replaced by another */
    uint64_t lost;                  /* lost events at the last search */
    struct seq_set seen;
    cJSON **found; /* ring of the `count` oldest */
    int64_t found_count;
    char why[SINK_WHY_SIZE];
};

/* ---- events */

static void wait_loop_print_event(struct wait_loop *w, const cJSON *event)
{
    terminal_progress(NULL);
    w->spec->print(w->spec, event);
    fflush(stdout);
    w->left--;
}

/* A wait for stored deliveries reports each one once, even if a duplicate arrives. A wait for
 * duplicates reports all of them. */
static bool wait_loop_prints_once(const struct wait_loop *w, const cJSON *event,
                                  enum verdict verdict)
{
    return (w->filter->verdicts & VERDICT_BIT(VERDICT_STORED)) != 0 &&
           (verdict == VERDICT_STORED || verdict == VERDICT_DUPLICATE) && record_seq(event) > 0;
}

static void wait_loop_take_event(struct wait_loop *w, const cJSON *event)
{
    enum verdict verdict = event_verdict(event);
    bool once = wait_loop_prints_once(w, event, verdict);

    if (verdict == VERDICT_STORED && record_seq(event) > w->highest)
        w->highest = record_seq(event);
    if (wait_filter_matches(w->filter, event) &&
        !(once && seq_set_has(&w->seen, record_seq(event)))) {
        wait_loop_print_event(w, event);
        if (once)
            seq_set_add(&w->seen, record_seq(event));
        w->refused |=
            w->spec->fail_on_found && (verdict == VERDICT_REFUSED || verdict == VERDICT_FAILED);
    } else if (w->spec->fail_on_refused && verdict == VERDICT_REFUSED &&
               (w->filter->source == NULL || json_get_is(event, "source", w->filter->source))) {
        wait_loop_print_event(w, event);
        w->refused = true;
    }
}

/* ---- the store */

/* Rows come newest first; the ring keeps the oldest. */
static bool wait_loop_collect_row(void *data, const cJSON *row)
{
    struct wait_loop *w = data;
    cJSON **slot = &w->found[w->found_count % w->spec->count];
    cJSON *event = cJSON_Duplicate(row, true);

    if (record_seq(row) > w->newest)
        w->newest = record_seq(row);
    cJSON_AddStringToObject(event, "verdict", verdict_word(VERDICT_STORED));
    if (!wait_filter_matches(w->filter, event) || seq_set_has(&w->seen, record_seq(event))) {
        cJSON_Delete(event);
        return true;
    }
    cJSON_Delete(*slot);
    *slot = event;
    w->found_count++;
    return true;
}

static void wait_loop_take_found(struct wait_loop *w, bool good)
{
    int64_t count = w->spec->count, last = w->found_count - 1;

    for (int64_t i = 0; i < count; i++) {
        cJSON **slot = &w->found[(last - i + 2 * count) % count];

        if (good && *slot != NULL && w->left > 0)
            wait_loop_take_event(w, *slot);
        cJSON_Delete(*slot);
        *slot = NULL;
    }
    w->found_count = 0;
}

/* Searches deliveries stored since the last search; the first time, since `since`. */
static enum outcome wait_loop_search_store(struct wait_loop *w)
{
    bool first = w->since != NULL, more;
    const struct pages_filter filter = {
        .source = w->filter->source,
        .type = w->filter->type,
        .id = w->filter->id,
        .since = first         ? w->since
                 : w->replaced ? w->began
                               : NULL,
        .after = first ? 0 : w->known,
    };
    uint64_t lost = sink_lost_events(w->sink);
    enum outcome outcome = OUTCOME_GOOD;

    w->newest = w->known;
    if ((w->filter->verdicts & VERDICT_BIT(VERDICT_STORED)) != 0)
        outcome = pages_walk(w->sink, &filter, PATIENCE_S, w->deadline_us, wait_loop_collect_row, w,
                             &more, w->why);
    wait_loop_take_found(w, outcome == OUTCOME_GOOD);
    if (outcome == OUTCOME_GOOD) {
        w->since = NULL;
        w->known = w->newest;
        w->lost = lost;
        w->searched = true;
    }
    return outcome;
}

/* Reads the highest seq from a page of one row; 0 if the store is empty. Returns false if
 * malformed. */
static bool wait_loop_read_newest(const cJSON *page, int64_t *newest)
{
    const cJSON *list = json_get(page, "deliveries");

    *newest = record_seq(cJSON_GetArrayItem(list, 0));
    return cJSON_IsArray(list) && (*newest > 0 || cJSON_GetArraySize(list) == 0);
}

/* Reads the highest seq of the store before the first search. A lower seq than seen before means
 * that the store was replaced, so that known numbers are void. */
static enum outcome wait_loop_check_newest(struct wait_loop *w, int64_t deadline_us)
{
    int64_t newest = 0;
    cJSON *page;
    int status;
    enum outcome outcome =
        sink_ask(w->sink, "GET", "/deliveries?limit=1", deadline_us, &status, &page, w->why);

    if (outcome == OUTCOME_GOOD && !wait_loop_read_newest(page, &newest)) {
        snprintf(w->why, sizeof(w->why),
                 "%s: unexpected answer to GET /deliveries: is this a hooklined admin address?",
                 sink_name(w->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(page);
    if (outcome == OUTCOME_GOOD && !w->searched) {
        w->known = newest;
    } else if (outcome == OUTCOME_GOOD && newest < w->highest) {
        w->known = w->highest = 0;
        w->replaced = true;
        seq_set_free(&w->seen);
    }
    if (newest > w->highest)
        w->highest = newest;
    return outcome;
}

/* ---- waiting */

static int wait_loop_ms_left(const struct wait_loop *w, int most)
{
    int64_t left_ms = (w->deadline_us - clock_mono_us() + 999) / 1000;

    return left_ms < 0 ? 0 : left_ms < most ? (int)left_ms : most;
}

static enum outcome wait_loop_connect(struct wait_loop *w)
{
    int64_t patience_us = (int64_t)wait_loop_ms_left(w, PATIENCE_S * 1000) * 1000;
    int64_t until_us = clock_mono_us() + patience_us;
    enum outcome outcome = wait_loop_check_newest(w, until_us);

    if (outcome == OUTCOME_GOOD)
        outcome = sink_watch(w->sink, w->filter->source, until_us, w->why);
    if (outcome == OUTCOME_GOOD && w->spec->verbose)
        message_print("%s: watching", sink_name(w->sink));
    return outcome == OUTCOME_GOOD ? wait_loop_search_store(w) : outcome;
}

/* Retries until the sink answers or the time is over. */
static enum outcome wait_loop_reconnect(struct wait_loop *w)
{
    enum outcome outcome;

    terminal_progress(NULL);
    message_print("%s; reconnecting", w->why);
    do {
        sink_poll(w->sink, wait_loop_ms_left(w, BETWEEN_TRIES_MS));
        outcome = wait_loop_connect(w);
    } while ((outcome == OUTCOME_TRANSPORT || outcome == OUTCOME_TIMEOUT) &&
             wait_loop_ms_left(w, 1) > 0);
    if (outcome == OUTCOME_GOOD)
        message_print("%s: reconnected; refusals during the outage were missed",
                      sink_name(w->sink));
    return outcome;
}

static bool wait_loop_is_done(const struct wait_loop *w)
{
    return w->left <= 0 || w->refused || ferror(stdout) != 0;
}

static void wait_loop_take_events(struct wait_loop *w)
{
    cJSON *event;

    while (!wait_loop_is_done(w) && (event = sink_next_event(w->sink)) != NULL) {
        wait_loop_take_event(w, event);
        cJSON_Delete(event);
    }
}

static void wait_loop_show_progress(const struct wait_loop *w)
{
    char text[80];

    snprintf(text, sizeof(text), "waiting for %" PRId64 ", %d s left", w->left,
             wait_loop_ms_left(w, INT_MAX) / 1000);
    terminal_progress(text);
}

/* Recovers after events arrived faster than they were read. */
static enum outcome wait_loop_search_lost(struct wait_loop *w)
{
    terminal_progress(NULL);
    message_print("%s: events were lost; refusals among them were missed", sink_name(w->sink));
    return wait_loop_search_store(w) == OUTCOME_GOOD ? OUTCOME_GOOD : wait_loop_reconnect(w);
}

static enum outcome wait_loop_step(struct wait_loop *w)
{
    const char *problem;

    wait_loop_take_events(w);
    if (wait_loop_is_done(w))
        return OUTCOME_GOOD;
    if ((problem = sink_watch_problem(w->sink)) != NULL) {
        snprintf(w->why, sizeof(w->why), "%s", problem);
        return wait_loop_reconnect(w);
    }
    if (sink_lost_events(w->sink) != w->lost)
        return wait_loop_search_lost(w);
    wait_loop_show_progress(w);
    sink_poll(w->sink, wait_loop_ms_left(w, POLL_MS));
    return OUTCOME_GOOD;
}

static enum outcome wait_loop_timeout(const struct wait_loop *w)
{
    int64_t count = w->spec->count;

    if (count == 1)
        message_print("no matching delivery arrived within %" PRId64 " s", w->spec->timeout_s);
    else
        message_print("%" PRId64 " of %" PRId64 " matching deliveries arrived within %" PRId64 " s",
                      count - w->left, count, w->spec->timeout_s);
    return OUTCOME_TIMEOUT;
}

static enum outcome wait_loop_run(struct wait_loop *w)
{
    enum outcome outcome = wait_loop_connect(w);

    while (outcome == OUTCOME_GOOD && !wait_loop_is_done(w) && wait_loop_ms_left(w, 1) > 0)
        outcome = wait_loop_step(w);
    if (outcome == OUTCOME_GOOD)
        wait_loop_take_events(w);
    terminal_progress(NULL);
    if (outcome != OUTCOME_GOOD) {
        message_print("%s", w->why);
        return outcome == OUTCOME_USAGE ? outcome : OUTCOME_TRANSPORT;
    }
    if (w->refused)
        return OUTCOME_REFUSED;
    return wait_loop_is_done(w) ? OUTCOME_GOOD : wait_loop_timeout(w);
}

/* Waits for the deliveries. Returns OUTCOME_REFUSED for a refused delivery only; a sink that
 * refuses a request is OUTCOME_TRANSPORT. Reports errors by message_print(). */
static enum outcome wait_for_deliveries(struct sink *sink, const struct wait_spec *spec)
{
    struct wait_loop w = {
        .sink = sink,
        .spec = spec,
        .filter = &spec->filter,
        .since = spec->since,
        .left = spec->count,
        .deadline_us = clock_mono_us() + spec->timeout_s * 1000000,
        .found = calloc((size_t)spec->count, sizeof(cJSON *)),
    };
    enum outcome outcome = OUTCOME_TRANSPORT;

    rfc3339_read_or_ago("0s", clock_wall_us(), w.began);
    if (w.found != NULL)
        outcome = wait_loop_run(&w);
    else
        message_print("out of memory");
    free(w.found);
    seq_set_free(&w.seen);
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
    TEXT(0, "source", struct cmd_wait_options, filter.source, "NAME", "wait for this source"),
    TEXT(0, "type", struct cmd_wait_options, filter.type, "TYPE",
         "wait for this event type; gate.* matches every type that\nbegins with gate."),
    TEXT(0, "id", struct cmd_wait_options, filter.id, "ID", "wait for the event with this id"),
    TEXT(0, "receipt", struct cmd_wait_options, filter.receipt, "RECEIPT",
         "wait for the request with this receipt in its answer,\nwhatever its verdict"),
    TEXTS(0, "verdict", struct cmd_wait_options, verdicts, "VERDICT",
          "wait for this verdict: stored, duplicate, refused,\nfailed, forwarded, retried or "
          "parked; repeatable;\ndefault: stored and duplicate"),
    TEXT(0, "since", struct cmd_wait_options, since, "TIME",
         "match deliveries stored since TIME, too:\n2026-11-22T04:00:00Z, seconds since 1970, or "
         "an age:\n90s, 15m, 2h, 7d; default: only new deliveries"),
    NUMBER('n', "count", struct cmd_wait_options, count, "N", 1, WAIT_COUNT_MAX,
           "wait for N deliveries; default: 1"),
    FLAG(0, "fail-on-refused", struct cmd_wait_options, fail_on_refused,
         "exit 1 as soon as the source refuses a delivery"),
    NUMBER('t', "timeout", struct cmd_wait_options, timeout, "SECONDS", 1, 31536000,
           "give up after SECONDS; default: 60"),
    FLAG(0, "json", struct cmd_wait_options, json,
         "print each event as the sink's log line, in JSON"),
    FLAG('v', "verbose", struct cmd_wait_options, verbose,
         "report on standard error when the wait has started"),
    SINK_OPTIONS(struct cmd_wait_options, sink),
    OPTIONS_END,
};

static const char details[] =
    "Exit status: 0 arrived; 1 refused; 4 not arrived in time; 5 sink does not\nanswer. "
    "If the sink restarts, wait reconnects and looks up the deliveries stored\nmeanwhile.\n";

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
        .fail_on_found = o->verdicts.count == 0, /* only a receipt selects refusals then */
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
    .summary = "Wait until a delivery arrives at hooklined",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct cmd_wait_options),
    .defaults = &defaults,
    .run = cmd_wait_run,
};
