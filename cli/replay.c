/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/process.h"
#include "cli/command.h"
#include "cli/json_get.h"
#include "cli/record.h"
#include "cli/pages.h"
#include "daemon/base/text.h"
#include "cli/sink.h"
#include "cli/terminal.h"

struct cmd_replay_options {
    struct sink_options sink;
    struct pages_filter filter;
    int64_t timeout;
    bool dry_run, json;
};

static const struct cmd_replay_options defaults = {.timeout = 30};

static const struct option_row rows[] = {
    PAGES_OPTIONS(struct cmd_replay_options, filter),
    FLAG('n', "dry-run", struct cmd_replay_options, dry_run,
         "only say what would be sent once more"),
    FLAG(0, "json", struct cmd_replay_options, json, "a JSON object on a line for each"),
    SINK_OPTIONS(struct cmd_replay_options, sink),
    NUMBER(0, "timeout", struct cmd_replay_options, timeout, "SECONDS", 1, 86400,
           "how long the sink may take for an answer; default: 30"),
    OPTIONS_END,
};

static const char details[] =
    "With SEQ: those deliveries, to all destinations that take them or to the one of\n"
    "--destination. Without: those that the options choose, where they are parked, or\n"
    "in the --state that is given; the oldest first.\n";

/* One delivery to one destination, or with NULL to all. */
struct cmd_replay_order {
    int64_t seq;
    char *destination;
};

struct cmd_replay_job {
    struct sink *sink;
    const struct cmd_replay_options *options;
    struct cmd_replay_order *orders;
    size_t count, size;
    bool named;  /* by their numbers, so that they may not be there */
    bool failed; /* memory was short */
    uint64_t done, refused;
};

/* ---- what is to be replayed */

static bool cmd_replay_add(struct cmd_replay_job *r, int64_t seq, const char *destination)
{
    char *copy = destination == NULL ? NULL : strdup(destination);

    if (r->count == r->size) {
        size_t size = 2 * r->size + 64;
        struct cmd_replay_order *orders = reallocarray(r->orders, size, sizeof(*orders));

        if (orders != NULL) {
            r->orders = orders;
            r->size = size;
        }
    }
    if (r->count == r->size || (copy == NULL && destination != NULL)) {
        free(copy);
        r->failed = true;
        return false;
    }
    r->orders[r->count++] = (struct cmd_replay_order){seq, copy};
    return true;
}

/* Only where it is in that state: others have it and would get it twice. */
static bool cmd_replay_take_row(void *data, const cJSON *row)
{
    struct cmd_replay_job *r = data;
    const struct pages_filter *f = &r->options->filter;
    const cJSON *all = json_get(row, "destinations"), *one;

    cJSON_ArrayForEach(one, all)
    {
        const char *state = cJSON_GetStringValue(one);

        if (state != NULL && strcmp(state, f->state) == 0 &&
            (f->destination == NULL || strcmp(one->string, f->destination) == 0) &&
            !cmd_replay_add(r, record_seq(row), one->string))
            return false;
    }
    return true;
}

static enum outcome cmd_replay_find(struct cmd_replay_job *r)
{
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome = pages_walk(r->sink, &r->options->filter, r->options->timeout, INT64_MAX,
                                      cmd_replay_take_row, r, &more, why);

    if (outcome != OUTCOME_GOOD)
        message_print("%s", why);
    /* As they came. */
    for (size_t i = 0; i < r->count / 2; i++) {
        struct cmd_replay_order saved = r->orders[i];

        r->orders[i] = r->orders[r->count - 1 - i];
        r->orders[r->count - 1 - i] = saved;
    }
    return outcome;
}

/* ---- replaying */

static void cmd_replay_print_order(const struct cmd_replay_job *r, const struct cmd_replay_order *o)
{
    const char *verb = r->options->dry_run ? "would replay" : "replayed";
    cJSON *line;

    if (!r->options->json) {
        printf("%s %" PRId64 " to ", verb, o->seq);
        if (o->destination == NULL)
            fputs("all destinations that take it", stdout);
        else
            text_write_printable(stdout, o->destination, strlen(o->destination));
        putchar('\n');
        return;
    }
    line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "seq", (double)o->seq);
    if (o->destination == NULL)
        cJSON_AddNullToObject(line, "destination");
    else
        cJSON_AddStringToObject(line, "destination", o->destination);
    cJSON_AddBoolToObject(line, "replayed", !r->options->dry_run);
    record_write(stdout, line);
    cJSON_Delete(line);
}

/* What is to be sent, or only looked for. */
static void cmd_replay_write_target(const struct cmd_replay_job *r,
                                    const struct cmd_replay_order *o, struct sink_target *target)
{
    char path[64];

    snprintf(path, sizeof(path), "/deliveries/%" PRId64 "%s", o->seq,
             r->options->dry_run ? "" : "/replay");
    sink_target_begin(target, path);
    if (!r->options->dry_run)
        sink_target_add(target, "destination", o->destination);
}

/* Whoever stands in hooklined's place may be pleased with anything. */
static bool cmd_replay_is_done(const struct cmd_replay_job *r, const struct cmd_replay_order *o,
                               const cJSON *answer)
{
    return r->options->dry_run ? record_seq(answer) == o->seq
                               : json_get_count(answer, "replayed") >= 1;
}

static enum outcome cmd_replay_send_one(struct cmd_replay_job *r, const struct cmd_replay_order *o)
{
    int64_t deadline_us = clock_mono_us() + r->options->timeout * 1000000;
    const char *method = r->options->dry_run ? "GET" : "POST";
    char why[SINK_WHY_SIZE];
    struct sink_target target;
    enum outcome outcome;
    cJSON *answer;
    int status;

    cmd_replay_write_target(r, o, &target);
    outcome = sink_ask(r->sink, method, target.text, deadline_us, &status, &answer, why);
    if (outcome == OUTCOME_GOOD && !cmd_replay_is_done(r, o, answer)) {
        snprintf(why, sizeof(why), "%s: its answer is none of hooklined's", sink_name(r->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(answer);
    if (outcome == OUTCOME_GOOD) {
        r->done++;
        cmd_replay_print_order(r, o);
        return outcome;
    }
    terminal_progress(NULL);
    message_print("delivery %" PRId64 ": %s", o->seq, why);
    r->refused += outcome == OUTCOME_REFUSED;
    return outcome;
}

static void cmd_replay_show_progress(const struct cmd_replay_job *r, size_t at)
{
    char text[80];

    if (r->count < 2)
        return;
    snprintf(text, sizeof(text), "%zu of %zu", at, r->count);
    terminal_progress(text);
}

/* A refusal is of one delivery; if the sink is away there is no use in going on. */
static enum outcome cmd_replay_send_all(struct cmd_replay_job *r)
{
    enum outcome outcome = OUTCOME_GOOD;

    for (size_t i = 0; i < r->count; i++) {
        if (r->options->dry_run && !r->named) {
            cmd_replay_print_order(r, &r->orders[i]);
            continue;
        }
        cmd_replay_show_progress(r, i);
        outcome = cmd_replay_send_one(r, &r->orders[i]);
        if (outcome != OUTCOME_GOOD && outcome != OUTCOME_REFUSED)
            break;
    }
    terminal_progress(NULL);
    return outcome != OUTCOME_GOOD ? outcome : r->refused > 0 ? OUTCOME_REFUSED : OUTCOME_GOOD;
}

static enum outcome cmd_replay_execute(struct cmd_replay_job *r)
{
    enum outcome outcome = r->named ? OUTCOME_GOOD : cmd_replay_find(r);

    if (r->failed) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (outcome != OUTCOME_GOOD)
        return outcome;
    if (r->count == 0)
        message_print("nothing that matches is %s: nothing was replayed", r->options->filter.state);
    outcome = cmd_replay_send_all(r);
    if (r->options->dry_run && !r->options->json && r->count > 1)
        printf("%zu in all; nothing was replayed\n", r->count);
    else if (!r->options->dry_run && r->count > 1)
        message_print("%" PRIu64 " of %zu replayed", r->done, r->count);
    return outcome;
}

/* ---- options */

static bool cmd_replay_has_filter(const struct pages_filter *f)
{
    return f->source != NULL || f->type != NULL || f->id != NULL || f->state != NULL ||
           f->since != NULL || f->until != NULL;
}

static bool cmd_replay_check(struct cmd_replay_job *r, struct cmd_replay_options *o,
                             const char *const *arguments, size_t count)
{
    bool named = cmd_replay_has_filter(&o->filter);

    if (count > 0 && named) {
        message_print("numbers of deliveries and options that choose some do not go together");
        return false;
    }
    if (count == 0 && !named && o->filter.destination == NULL) {
        message_print(
            "expected the numbers of deliveries, or which ones: --state parked is all that are");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t seq;

        if (!record_read_seq(arguments[i], &seq)) {
            message_print("expected the number of a delivery, as hookline deliveries shows it");
            return false;
        }
        cmd_replay_add(r, seq, o->filter.destination);
    }
    if (o->filter.state == NULL)
        o->filter.state = "parked";
    return true;
}

static enum outcome cmd_replay_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_replay_options o = *(const struct cmd_replay_options *)options;
    char since[RFC3339_EPOCH_SIZE], until[RFC3339_EPOCH_SIZE], why[SINK_WHY_SIZE];
    struct cmd_replay_job r = {.options = &o, .named = count > 0};
    enum outcome outcome = OUTCOME_USAGE;

    if (option_read_time("since", &o.filter.since, since) &&
        option_read_time("until", &o.filter.until, until) &&
        cmd_replay_check(&r, &o, arguments, count)) {
        if ((r.sink = sink_open(NULL, &o.sink, why)) == NULL)
            message_print("%s", why);
        else
            outcome = cmd_replay_execute(&r);
    }
    sink_close(&r.sink);
    for (size_t i = 0; i < r.count; i++)
        free(r.orders[i].destination);
    free(r.orders);
    return outcome;
}

const struct command command_replay = {
    .name = "replay",
    .arguments = "[SEQ]...",
    .arguments_max = 64,
    .summary = "Have deliveries sent on to the application once more",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct cmd_replay_options),
    .defaults = &defaults,
    .run = cmd_replay_run,
};
