/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/record.h"
#include "cli/pages.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/message.h"

enum {
    COLUMNS = 6,
    STATES_SIZE = 300,
};

struct cmd_deliveries_options {
    struct sink_options sink;
    struct pages_filter filter;
    int64_t limit, timeout;
    bool all, json;
};

static const struct cmd_deliveries_options defaults = {.limit = 20, .timeout = 30};

static const struct option_row rows[] = {
    PAGES_OPTIONS(struct cmd_deliveries_options, filter),
    NUMBER(0, "before", struct cmd_deliveries_options, filter.before, "SEQ", 1, INT64_MAX,
           "list deliveries with a lower number than SEQ"),
    NUMBER('n', "limit", struct cmd_deliveries_options, limit, "N", 1, INT64_MAX,
           "list at most N deliveries; default: 20"),
    FLAG(0, "all", struct cmd_deliveries_options, all, "list all deliveries"),
    SINK_OPTIONS(struct cmd_deliveries_options, sink),
    NUMBER(0, "timeout", struct cmd_deliveries_options, timeout, "SECONDS", 1, 86400,
           "wait at most SECONDS for each page; default: 30"),
    FLAG(0, "json", struct cmd_deliveries_options, json, "print each delivery as one line of JSON"),
    OPTIONS_END,
};

struct cmd_deliveries_job {
    const struct cmd_deliveries_options *options;
    struct table table;
    int64_t count, last;
};

/* Writes "app=done archive=parked"; returns NULL without destinations. */
static const char *cmd_deliveries_write_states(const cJSON *row, char text[STATES_SIZE],
                                               enum terminal_tone *tone)
{
    const cJSON *all = json_get(row, "destinations"), *one;
    size_t len = 0;

    *tone = TERMINAL_PLAIN;
    text[0] = '\0';
    cJSON_ArrayForEach(one, all)
    {
        const char *state = cJSON_GetStringValue(one);

        if (state == NULL || one->string == NULL || len >= STATES_SIZE)
            continue;
        if (strcmp(state, "parked") == 0)
            *tone = TERMINAL_BAD;
        len += (size_t)snprintf(text + len, STATES_SIZE - len, "%s%s=%s", len == 0 ? "" : " ",
                                one->string, state);
    }
    return len == 0 ? NULL : text;
}

static void cmd_deliveries_add_head(struct table *table)
{
    static const char *const head[COLUMNS] = {"SEQ",  "RECEIVED", "SOURCE",
                                              "TYPE", "ID",       "DESTINATIONS"};

    table_add(table, head, COLUMNS, TERMINAL_FAINT);
}

static void cmd_deliveries_add_row(struct cmd_deliveries_job *job, const cJSON *row)
{
    char seq[24], states[STATES_SIZE];
    enum terminal_tone tone;
    const char *cells[COLUMNS] = {seq,
                                  json_get_text(row, "time"),
                                  json_get_text(row, "source"),
                                  json_get_text(row, "type"),
                                  json_get_text(row, "id"),
                                  cmd_deliveries_write_states(row, states, &tone)};

    if (job->count == 0)
        cmd_deliveries_add_head(&job->table);
    snprintf(seq, sizeof(seq), "%" PRId64, job->last);
    table_add(&job->table, cells, COLUMNS, tone);
    if ((job->count + 1) % PAGES_ROWS == 0)
        table_write(&job->table, stdout);
}

static bool cmd_deliveries_take_row(void *data, const cJSON *row)
{
    struct cmd_deliveries_job *job = data;

    if (!job->options->all && job->count == job->options->limit)
        return false;
    job->last = record_seq(row);
    if (job->options->json)
        record_write(stdout, row);
    else
        cmd_deliveries_add_row(job, row);
    job->count++;
    return ferror(stdout) == 0;
}

static enum outcome cmd_deliveries_list(struct sink *sink, const struct cmd_deliveries_options *o)
{
    struct cmd_deliveries_job job = {.options = o};
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome = pages_walk(sink, &o->filter, o->timeout, INT64_MAX,
                                      cmd_deliveries_take_row, &job, &more, why);

    table_write(&job.table, stdout);
    fflush(stdout);
    if (outcome != OUTCOME_GOOD)
        message_print("%s", why);
    else if (more && !o->json && ferror(stdout) == 0)
        message_print("more deliveries exist: continue with --before %" PRId64
                      ", or raise --limit, or use --all",
                      job.last);
    return outcome;
}

static enum outcome cmd_deliveries_run(const void *options, const char *const *arguments,
                                       size_t count)
{
    struct cmd_deliveries_options o = *(const struct cmd_deliveries_options *)options;
    char since[RFC3339_EPOCH_SIZE], until[RFC3339_EPOCH_SIZE], why[SINK_WHY_SIZE];
    enum outcome outcome = OUTCOME_USAGE;
    struct sink *sink;

    (void)arguments, (void)count;
    if (!option_read_time("since", &o.filter.since, since) ||
        !option_read_time("until", &o.filter.until, until))
        return OUTCOME_USAGE;
    if ((sink = sink_open(NULL, &o.sink, why)) == NULL)
        message_print("%s", why);
    else
        outcome = cmd_deliveries_list(sink, &o);
    sink_close(&sink);
    return outcome;
}

const struct command command_deliveries = {
    .name = "deliveries",
    .arguments = "",
    .summary = "List stored deliveries, newest first",
    .options = rows,
    .options_size = sizeof(struct cmd_deliveries_options),
    .defaults = &defaults,
    .run = cmd_deliveries_run,
};
