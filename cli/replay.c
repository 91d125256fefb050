/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/record.h"
#include "cli/pages.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/process.h"
#include "daemon/base/text.h"

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
         "print the deliveries without replaying them"),
    FLAG(0, "json", struct cmd_replay_options, json, "print each replay as one line of JSON"),
    SINK_OPTIONS(struct cmd_replay_options, sink),
    NUMBER(0, "timeout", struct cmd_replay_options, timeout, "SECONDS", 1, 86400,
           "wait at most SECONDS for each answer; default: 30"),
    OPTIONS_END,
};

static const char details[] =
    "With SEQ, replays these deliveries to all their destinations, or only to\n"
    "--destination. Without SEQ, replays the selected deliveries that are parked, or\n"
    "in the given --state, oldest first.\n";

/* One delivery to one destination; NULL: to all. */
struct cmd_replay_order {
    int64_t seq;
    char *destination;
};

struct cmd_replay_job {
    struct sink *sink;
    const struct cmd_replay_options *options;
    struct cmd_replay_order *orders;
    size_t count, size;
    bool named;  /* by number on the command line; may not exist */
    bool failed; /* ENOMEM */
    uint64_t done, refused;
};

/* ---- selection */

static bool cmd_replay_add(struct cmd_replay_job *job, int64_t seq, const char *destination)
{
    char *copy = destination == NULL ? NULL : strdup(destination);

    if (job->count == job->size) {
        size_t size = 2 * job->size + 64;
        struct cmd_replay_order *orders = reallocarray(job->orders, size, sizeof(*orders));

        if (orders != NULL) {
            job->orders = orders;
            job->size = size;
        }
    }
    if (job->count == job->size || (copy == NULL && destination != NULL)) {
        free(copy);
        job->failed = true;
        return false;
    }
    job->orders[job->count++] = (struct cmd_replay_order){seq, copy};
    return true;
}

/* Adds only the destinations in the selected state, because the others have the delivery
 * already. */
static bool cmd_replay_take_row(void *data, const cJSON *row)
{
    struct cmd_replay_job *job = data;
    const struct pages_filter *f = &job->options->filter;
    const cJSON *all = json_get(row, "destinations"), *one;

    cJSON_ArrayForEach(one, all)
    {
        const char *state = cJSON_GetStringValue(one);

        if (state != NULL && strcmp(state, f->state) == 0 &&
            (f->destination == NULL || strcmp(one->string, f->destination) == 0) &&
            !cmd_replay_add(job, record_seq(row), one->string))
            return false;
    }
    return true;
}

static enum outcome cmd_replay_find(struct cmd_replay_job *job)
{
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome = pages_walk(job->sink, &job->options->filter, job->options->timeout,
                                      INT64_MAX, cmd_replay_take_row, job, &more, why);

    if (outcome != OUTCOME_GOOD)
        message_print("%s", why);
    /* Oldest first. */
    for (size_t i = 0; i < job->count / 2; i++) {
        struct cmd_replay_order saved = job->orders[i];

        job->orders[i] = job->orders[job->count - 1 - i];
        job->orders[job->count - 1 - i] = saved;
    }
    return outcome;
}

/* ---- replaying */

static void cmd_replay_print_order(const struct cmd_replay_job *job,
                                   const struct cmd_replay_order *o)
{
    const char *verb = job->options->dry_run ? "would replay" : "replayed";
    cJSON *line;

    if (!job->options->json) {
        printf("%s %" PRId64 " to ", verb, o->seq);
        if (o->destination == NULL)
            fputs("all its destinations", stdout);
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
    cJSON_AddBoolToObject(line, "replayed", !job->options->dry_run);
    record_write(stdout, line);
    cJSON_Delete(line);
}

/* A dry run only fetches the delivery. */
static void cmd_replay_write_target(const struct cmd_replay_job *job,
                                    const struct cmd_replay_order *o, struct sink_target *target)
{
    char path[64];

    snprintf(path, sizeof(path), "/deliveries/%" PRId64 "%s", o->seq,
             job->options->dry_run ? "" : "/replay");
    sink_target_begin(target, path);
    if (!job->options->dry_run)
        sink_target_add(target, "destination", o->destination);
}

/* Returns true if the answer confirms the request. A server other than hooklined may answer 200 to
 * anything. */
static bool cmd_replay_is_done(const struct cmd_replay_job *job, const struct cmd_replay_order *o,
                               const cJSON *answer)
{
    return job->options->dry_run ? record_seq(answer) == o->seq
                                 : json_get_count(answer, "replayed") >= 1;
}

static enum outcome cmd_replay_send_one(struct cmd_replay_job *job,
                                        const struct cmd_replay_order *o)
{
    int64_t deadline_us = clock_mono_us() + job->options->timeout * 1000000;
    const char *method = job->options->dry_run ? "GET" : "POST";
    char why[SINK_WHY_SIZE];
    struct sink_target target;
    enum outcome outcome;
    cJSON *answer;
    int status;

    cmd_replay_write_target(job, o, &target);
    outcome = sink_ask(job->sink, method, target.text, deadline_us, &status, &answer, why);
    if (outcome == OUTCOME_GOOD && !cmd_replay_is_done(job, o, answer)) {
        snprintf(why, sizeof(why), "%s: unexpected answer: is this a hooklined admin address?",
                 sink_name(job->sink));
        outcome = OUTCOME_TRANSPORT;
    }
    cJSON_Delete(answer);
    if (outcome == OUTCOME_GOOD) {
        job->done++;
        cmd_replay_print_order(job, o);
        return outcome;
    }
    terminal_progress(NULL);
    message_print("delivery %" PRId64 ": %s", o->seq, why);
    job->refused += outcome == OUTCOME_REFUSED;
    return outcome;
}

static void cmd_replay_show_progress(const struct cmd_replay_job *job, size_t at)
{
    char text[80];

    if (job->count < 2)
        return;
    snprintf(text, sizeof(text), "%zu of %zu", at, job->count);
    terminal_progress(text);
}

/* Continues after a refusal, which concerns one delivery; stops if the sink does not answer. */
static enum outcome cmd_replay_send_all(struct cmd_replay_job *job)
{
    enum outcome outcome = OUTCOME_GOOD;

    for (size_t i = 0; i < job->count; i++) {
        if (job->options->dry_run && !job->named) {
            cmd_replay_print_order(job, &job->orders[i]);
            continue;
        }
        cmd_replay_show_progress(job, i);
        outcome = cmd_replay_send_one(job, &job->orders[i]);
        if (outcome != OUTCOME_GOOD && outcome != OUTCOME_REFUSED)
            break;
    }
    terminal_progress(NULL);
    return outcome != OUTCOME_GOOD ? outcome : job->refused > 0 ? OUTCOME_REFUSED : OUTCOME_GOOD;
}

static enum outcome cmd_replay_execute(struct cmd_replay_job *job)
{
    enum outcome outcome = job->named ? OUTCOME_GOOD : cmd_replay_find(job);

    if (job->failed) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (outcome != OUTCOME_GOOD)
        return outcome;
    if (job->count == 0)
        message_print("no matching delivery is %s: nothing was replayed",
                      job->options->filter.state);
    outcome = cmd_replay_send_all(job);
    if (job->options->dry_run && !job->options->json && job->count > 1)
        printf("%zu in total; nothing was replayed\n", job->count);
    else if (!job->options->dry_run && job->count > 1)
        message_print("%" PRIu64 " of %zu replayed", job->done, job->count);
    return outcome;
}

/* ---- options */

static bool cmd_replay_has_filter(const struct pages_filter *f)
{
    return f->source != NULL || f->type != NULL || f->id != NULL || f->state != NULL ||
           f->since != NULL || f->until != NULL;
}

static bool cmd_replay_check(struct cmd_replay_job *job, struct cmd_replay_options *o,
                             const char *const *arguments, size_t count)
{
    bool named = cmd_replay_has_filter(&o->filter);

    if (count > 0 && named) {
        message_print("delivery numbers cannot be combined with options that select deliveries");
        return false;
    }
    if (count == 0 && !named && o->filter.destination == NULL) {
        message_print("give delivery numbers, or select some, e.g. `--state parked`");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t seq;

        if (!record_read_seq(arguments[i], &seq)) {
            message_print("expected a delivery number, as `hookline deliveries` prints it");
            return false;
        }
        cmd_replay_add(job, seq, o->filter.destination);
    }
    if (o->filter.state == NULL)
        o->filter.state = "parked";
    return true;
}

static enum outcome cmd_replay_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_replay_options o = *(const struct cmd_replay_options *)options;
    char since[RFC3339_EPOCH_SIZE], until[RFC3339_EPOCH_SIZE], why[SINK_WHY_SIZE];
    struct cmd_replay_job job = {.options = &o, .named = count > 0};
    enum outcome outcome = OUTCOME_USAGE;

    if (option_read_time("since", &o.filter.since, since) &&
        option_read_time("until", &o.filter.until, until) &&
        cmd_replay_check(&job, &o, arguments, count)) {
        if ((job.sink = sink_open(NULL, &o.sink, why)) == NULL)
            message_print("%s", why);
        else
            outcome = cmd_replay_execute(&job);
    }
    sink_close(&job.sink);
    for (size_t i = 0; i < job.count; i++)
        free(job.orders[i].destination);
    free(job.orders);
    return outcome;
}

const struct command command_replay = {
    .name = "replay",
    .arguments = "[SEQ]...",
    .arguments_max = 64,
    .summary = "Forward stored deliveries to the application again",
    .details = details,
    .options = rows,
    .options_size = sizeof(struct cmd_replay_options),
    .defaults = &defaults,
    .run = cmd_replay_run,
};
