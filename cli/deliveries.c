/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/process.h"
#include "cli/command.h"
#include "cli/json_get.h"
#include "cli/record.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/sink.h"

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
           "older than the delivery of this number"),
    NUMBER('n', "limit", struct cmd_deliveries_options, limit, "N", 1, INT64_MAX,
           "so many at most; default: 20"),
    FLAG(0, "all", struct cmd_deliveries_options, all, "all of them"),
    SINK_OPTIONS(struct cmd_deliveries_options, sink),
    NUMBER(0, "timeout", struct cmd_deliveries_options, timeout, "SECONDS", 1, 86400,
           "how long the sink may take for a page; default: 30"),
    FLAG(0, "json", struct cmd_deliveries_options, json, "a JSON object on a line for each"),
    OPTIONS_END,
};

struct cmd_deliveries_job {
    const struct cmd_deliveries_options *options;
    struct table table;
    int64_t count, last;
};

/* "app=done archive=parked"; NULL without any destination. */
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

static void cmd_deliveries_add_row(struct cmd_deliveries_job *l, const cJSON *row)
{
    char seq[24], states[STATES_SIZE];
    enum terminal_tone tone;
    const char *cells[COLUMNS] = {seq,
                                  json_get_text(row, "time"),
                                  json_get_text(row, "source"),
                                  json_get_text(row, "type"),
                                  json_get_text(row, "id"),
                                  cmd_deliveries_write_states(row, states, &tone)};

    if (l->count == 0)
        cmd_deliveries_add_head(&l->table);
    snprintf(seq, sizeof(seq), "%" PRId64, l->last);
    table_add(&l->table, cells, COLUMNS, tone);
    if ((l->count + 1) % PAGES_ROWS == 0)
        table_write(&l->table, stdout);
}

static bool cmd_deliveries_take_row(void *data, const cJSON *row)
{
    struct cmd_deliveries_job *l = data;

    if (!l->options->all && l->count == l->options->limit)
        return false;
    l->last = record_seq(row);
    if (l->options->json)
        record_write(stdout, row);
    else
        cmd_deliveries_add_row(l, row);
    l->count++;
    return ferror(stdout) == 0;
}

static enum outcome cmd_deliveries_list(struct sink *sink, const struct cmd_deliveries_options *o)
{
    struct cmd_deliveries_job l = {.options = o};
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome = pages_walk(sink, &o->filter, o->timeout, INT64_MAX,
                                      cmd_deliveries_take_row, &l, &more, why);

    table_write(&l.table, stdout);
    if (outcome != OUTCOME_GOOD)
        message_print("%s", why);
    else if (more && !o->json)
        message_print("there are more: --before %" PRId64 ", --limit or --all shows them", l.last);
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
    .summary = "List what a hooklined has stored, newest first",
    .options = rows,
    .options_size = sizeof(struct cmd_deliveries_options),
    .defaults = &defaults,
    .run = cmd_deliveries_run,
};
