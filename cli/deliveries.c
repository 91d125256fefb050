/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/notice.h"
#include "cli/command.h"
#include "cli/pages.h"
#include "cli/record.h"
#include "cli/sink.h"
#include "cli/table.h"
#include "daemon/base/when.h"

enum {
    COLUMNS = 6,
    STATES_SIZE = 300,
};

struct options {
    struct sink_options sink;
    struct pages_filter filter;
    int64_t limit, timeout;
    bool all, json;
};

static const struct options defaults = {.limit = 20, .timeout = 30};

static const struct option_row rows[] = {
    PAGES_OPTIONS(struct options, filter),
    {"before", 0, OPTION_NUMBER, offsetof(struct options, filter.before), "SEQ",
     "older than the delivery of this number", 1, INT64_MAX},
    {"limit", 'n', OPTION_NUMBER, offsetof(struct options, limit), "N",
     "so many at most; default: 20", 1, INT64_MAX},
    {"all", 0, OPTION_FLAG, offsetof(struct options, all), NULL, "all of them", 0, 0},
    SINK_OPTIONS(struct options, sink),
    {"timeout", 0, OPTION_NUMBER, offsetof(struct options, timeout), "SECONDS",
     "how long the sink may take for a page; default: 30", 1, 86400},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL,
     "a JSON object on a line for each", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

struct listing {
    const struct options *options;
    struct table table;
    int64_t count, last;
};

/* "app=done archive=parked"; NULL without any destination. */
static const char *write_states(const cJSON *row, char text[STATES_SIZE], enum terminal_tone *tone)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(row, "destinations"), *one;
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

static void add_head(struct table *table)
{
    static const char *const head[COLUMNS] = {"SEQ",  "RECEIVED", "SOURCE",
                                              "TYPE", "ID",       "DESTINATIONS"};

    table_add(table, head, COLUMNS, TERMINAL_FAINT);
}

static void add_row(struct listing *l, const cJSON *row)
{
    char seq[24], states[STATES_SIZE];
    enum terminal_tone tone;
    const char *cells[COLUMNS] = {seq,
                                  record_text(row, "time"),
                                  record_text(row, "source"),
                                  record_text(row, "type"),
                                  record_text(row, "id"),
                                  write_states(row, states, &tone)};

    if (l->count == 0)
        add_head(&l->table);
    snprintf(seq, sizeof(seq), "%" PRId64, l->last);
    table_add(&l->table, cells, COLUMNS, tone);
    if ((l->count + 1) % PAGES_ROWS == 0)
        table_write(&l->table, stdout);
}

static bool take(void *data, const cJSON *row)
{
    struct listing *l = data;

    if (!l->options->all && l->count == l->options->limit)
        return false;
    l->last = record_seq(row);
    if (l->options->json)
        record_write(stdout, row);
    else
        add_row(l, row);
    l->count++;
    return ferror(stdout) == 0;
}

static enum outcome list(struct sink *sink, const struct options *o)
{
    struct listing l = {.options = o};
    char why[SINK_WHY_SIZE];
    bool more;
    enum outcome outcome =
        pages_walk(sink, &o->filter, o->timeout, INT64_MAX, take, &l, &more, why);

    table_write(&l.table, stdout);
    if (outcome != OUTCOME_GOOD)
        notice("%s", why);
    else if (more && !o->json)
        notice("there are more: --before %" PRId64 ", --limit or --all shows them", l.last);
    return outcome;
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    struct options o = *(const struct options *)options;
    char since[WHEN_TEXT_SIZE], until[WHEN_TEXT_SIZE], why[SINK_WHY_SIZE];
    enum outcome outcome = OUTCOME_USAGE;
    struct sink *sink;

    (void)arguments, (void)count;
    if (!when_option("since", &o.filter.since, since) ||
        !when_option("until", &o.filter.until, until))
        return OUTCOME_USAGE;
    if ((sink = sink_open(NULL, &o.sink, why)) == NULL)
        notice("%s", why);
    else
        outcome = list(sink, &o);
    sink_close(&sink);
    return outcome;
}

const struct command command_deliveries = {
    .name = "deliveries",
    .arguments = "",
    .summary = "List what a hooklined has stored, newest first",
    .options = rows,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
