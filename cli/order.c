/* SPDX-License-Identifier: MIT */
#include "cli/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/record.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/message.h"
#include "daemon/base/text.h"

/* One delivery at one destination; NULL: at all. */
struct order_entry {
    int64_t seq;
    char *destination;
};

struct order_job {
    struct sink *sink;
    const struct order_kind *kind;
    const struct order_options *options;
    struct order_entry *entries;
    size_t count, size;
    bool named;  /* by number on the command line; may not exist */
    bool failed; /* ENOMEM */
    uint64_t done, refused;
};

/* ---- selection */

static bool order_add(struct order_job *job, int64_t seq, const char *destination)
{
    char *copy = destination == NULL ? NULL : strdup(destination);

    if (job->count == job->size) {
        size_t size = 2 * job->size + 64;
        struct order_entry *entries = reallocarray(job->entries, size, sizeof(*entries));

        if (entries != NULL) {
            job->entries = entries;
            job->size = size;
        }
    }
    if (job->count == job->size || (copy == NULL && destination != NULL)) {
        free(copy);
        job->failed = true;
        return false;
    }
    job->entries[job->count++] = (struct order_entry){seq, copy};
    return true;
}

/* Adds only the destinations in the selected state, because the order is not meant for the
 * others. */
static bool order_take_row(void *data, const cJSON *row)
{
    struct order_job *job = data;
    const struct pages_filter *f = &job->options->filter;
    const cJSON *all = json_get(row, "destinations"), *one;

    cJSON_ArrayForEach(one, all)
    {
        const char *state = cJSON_GetStringValue(one);

        if (state != NULL && strcmp(state, f->state) == 0 &&
            (f->destination == NULL || strcmp(one->string, f->destination) == 0) &&
            !order_add(job, record_seq(row), one->string))
            return false;
    }
    return true;
}

static enum outcome order_find(struct order_job *job)
{
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome = pages_walk(job->sink, &job->options->filter, job->options->timeout,
                                      INT64_MAX, order_take_row, job, &more, why);

    if (outcome != OUTCOME_GOOD)
        message_print("%s", why);
    /* Oldest first. */
    for (size_t i = 0; i < job->count / 2; i++) {
        struct order_entry saved = job->entries[i];

        job->entries[i] = job->entries[job->count - 1 - i];
        job->entries[job->count - 1 - i] = saved;
    }
    return outcome;
}

/* ---- execution */

static void order_print_entry(const struct order_job *job, const struct order_entry *e)
{
    const struct order_kind *kind = job->kind;
    bool dry_run = job->options->dry_run;
    cJSON *line;

    if (!job->options->json) {
        printf("%s%s %" PRId64 " ", dry_run ? "would " : "", dry_run ? kind->verb : kind->done,
               e->seq);
        if (e->destination == NULL) {
            fputs(kind->everywhere, stdout);
        } else {
            printf("%s ", kind->to);
            text_write_printable(stdout, e->destination, strlen(e->destination));
        }
        putchar('\n');
        return;
    }
    line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "seq", (double)e->seq);
    if (e->destination == NULL)
        cJSON_AddNullToObject(line, "destination");
    else
        cJSON_AddStringToObject(line, "destination", e->destination);
    cJSON_AddBoolToObject(line, kind->done, !dry_run);
    record_write(stdout, line);
    cJSON_Delete(line);
}

/* A dry run only fetches the delivery. */
static void order_write_target(const struct order_job *job, const struct order_entry *e,
                               struct sink_target *target)
{
    char path[64];

    snprintf(path, sizeof(path), "/deliveries/%" PRId64 "%s%s", e->seq,
             job->options->dry_run ? "" : "/", job->options->dry_run ? "" : job->kind->verb);
    sink_target_begin(target, path);
    if (!job->options->dry_run)
        sink_target_add(target, "destination", e->destination);
}

/* Returns true if the delivery is parked or retrying at the destination of the entry. */
static bool order_is_pending(const struct order_entry *e, const cJSON *delivery)
{
    const cJSON *all = json_get(delivery, "destinations"), *one;

    cJSON_ArrayForEach(one, all)
    {
        if ((json_get_is(one, "state", "parked") || json_get_is(one, "state", "retrying")) &&
            (e->destination == NULL || json_get_is(one, "name", e->destination)))
            return true;
    }
    return false;
}

/* Checks that the answer confirms the order. A server other than hooklined may answer 200 to
 * anything. */
static enum outcome order_check_answer(const struct order_job *job, const struct order_entry *e,
                                       const cJSON *answer, char why[SINK_WHY_SIZE])
{
    bool dry_run = job->options->dry_run;

    if (dry_run ? record_seq(answer) != e->seq : json_get_count(answer, job->kind->done) < 1) {
        snprintf(why, SINK_WHY_SIZE, "%s: unexpected answer: is this a hooklined admin address?",
                 sink_name(job->sink));
        return OUTCOME_TRANSPORT;
    }
    if (dry_run && job->kind->pending_only && !order_is_pending(e, answer)) {
        snprintf(why, SINK_WHY_SIZE, "%s: the delivery is neither parked nor retrying",
                 sink_name(job->sink));
        return OUTCOME_REFUSED;
    }
    return OUTCOME_GOOD;
}

static enum outcome order_send_one(struct order_job *job, const struct order_entry *e)
{
    int64_t deadline_us = clock_mono_us() + job->options->timeout * 1000000;
    const char *method = job->options->dry_run ? "GET" : "POST";
    char why[SINK_WHY_SIZE];
    struct sink_target target;
    enum outcome outcome;
    cJSON *answer;
    int status;

    order_write_target(job, e, &target);
    outcome = sink_ask(job->sink, method, target.text, deadline_us, &status, &answer, why);
    if (outcome == OUTCOME_GOOD)
        outcome = order_check_answer(job, e, answer, why);
    cJSON_Delete(answer);
    if (outcome == OUTCOME_GOOD) {
        job->done++;
        order_print_entry(job, e);
        return outcome;
    }
    terminal_progress(NULL);
    message_print("delivery %" PRId64 ": %s", e->seq, why);
    job->refused += outcome == OUTCOME_REFUSED;
    return outcome;
}

static void order_show_progress(const struct order_job *job, size_t at)
{
    char text[80];

    if (job->count < 2)
        return;
    snprintf(text, sizeof(text), "%zu of %zu", at, job->count);
    terminal_progress(text);
}

/* Continues after a refusal, which concerns one delivery; stops if the sink does not answer. */
static enum outcome order_send_all(struct order_job *job)
{
    enum outcome outcome = OUTCOME_GOOD;

    for (size_t i = 0; i < job->count; i++) {
        if (job->options->dry_run && !job->named) {
            order_print_entry(job, &job->entries[i]);
            continue;
        }
        order_show_progress(job, i);
        outcome = order_send_one(job, &job->entries[i]);
        if (outcome != OUTCOME_GOOD && outcome != OUTCOME_REFUSED)
            break;
    }
    terminal_progress(NULL);
    return outcome != OUTCOME_GOOD ? outcome : job->refused > 0 ? OUTCOME_REFUSED : OUTCOME_GOOD;
}

static enum outcome order_execute(struct order_job *job)
{
    enum outcome outcome = job->named ? OUTCOME_GOOD : order_find(job);

    if (job->failed) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (outcome != OUTCOME_GOOD)
        return outcome;
    if (job->count == 0)
        message_print("no matching delivery is %s: nothing was %s", job->options->filter.state,
                      job->kind->done);
    outcome = order_send_all(job);
    if (job->options->dry_run && !job->options->json && job->count > 1)
        printf("%zu in total; nothing was %s\n", job->count, job->kind->done);
    else if (!job->options->dry_run && job->count > 1)
        message_print("%" PRIu64 " of %zu %s", job->done, job->count, job->kind->done);
    return outcome;
}

/* ---- options */

static bool order_has_filter(const struct pages_filter *f)
{
    return f->source != NULL || f->type != NULL || f->id != NULL || f->state != NULL ||
           f->since != NULL || f->until != NULL;
}

static bool order_check(struct order_job *job, struct order_options *o,
                        const char *const *arguments, size_t count)
{
    bool named = order_has_filter(&o->filter);

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
        order_add(job, seq, o->filter.destination);
    }
    if (o->filter.state == NULL)
        o->filter.state = "parked";
    if (!job->kind->pending_only || strcmp(o->filter.state, "parked") == 0 ||
        strcmp(o->filter.state, "retrying") == 0)
        return true;
    message_print("--state: expected parked or retrying: only such deliveries can be %s",
                  job->kind->done);
    return false;
}

enum outcome order_run(const struct order_kind *kind, const struct order_options *options,
                       const char *const *arguments, size_t count)
{
    struct order_options o = *options;
    char since[RFC3339_EPOCH_SIZE], until[RFC3339_EPOCH_SIZE], why[SINK_WHY_SIZE];
    struct order_job job = {.kind = kind, .options = &o, .named = count > 0};
    enum outcome outcome = OUTCOME_USAGE;

    if (option_read_time("since", &o.filter.since, since) &&
        option_read_time("until", &o.filter.until, until) &&
        order_check(&job, &o, arguments, count)) {
        if ((job.sink = sink_open(NULL, &o.sink, why)) == NULL)
            message_print("%s", why);
        else
            outcome = order_execute(&job);
    }
    sink_close(&job.sink);
    for (size_t i = 0; i < job.count; i++)
        free(job.entries[i].destination);
    free(job.entries);
    return outcome;
}
