/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "daemon/base/notice.h"
#include "cli/command.h"
#include "cli/event_line.h"
#include "cli/record.h"
#include "cli/sink.h"
#include "cli/vigil.h"
#include "cli/wanted.h"
#include "daemon/base/when.h"

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
    {"source", 0, OPTION_TEXT, offsetof(struct cmd_wait_options, filter.source), "NAME",
     "of this source", 0, 0},
    {"type", 0, OPTION_TEXT, offsetof(struct cmd_wait_options, filter.type), "TYPE",
     "of this type of event; gate.* is all that begin so", 0, 0},
    {"id", 0, OPTION_TEXT, offsetof(struct cmd_wait_options, filter.id), "ID", "of this event", 0,
     0},
    {"receipt", 0, OPTION_TEXT, offsetof(struct cmd_wait_options, filter.receipt), "RECEIPT",
     "the request that got this receipt in its answer,\nwhatever became of it", 0, 0},
    {"verdict", 0, OPTION_TEXTS, offsetof(struct cmd_wait_options, verdicts), "VERDICT",
     "stored, duplicate, refused, failed, forwarded, retried\nor parked; may be given more than "
     "once; default: stored\nand duplicate",
     0, 0},
    {"since", 0, OPTION_TEXT, offsetof(struct cmd_wait_options, since), "MOMENT",
     "also what was stored since then: 2026-11-22T04:00:00Z,\nseconds since 1970, or 90s, 15m, 2h, "
     "7d for so long ago;\ndefault: only what arrives from now on",
     0, 0},
    {"count", 'n', OPTION_NUMBER, offsetof(struct cmd_wait_options, count), "N",
     "until so many deliveries have arrived; default: 1", 1, WAIT_COUNT_MAX},
    {"fail-on-refused", 0, OPTION_FLAG, offsetof(struct cmd_wait_options, fail_on_refused), NULL,
     "end with status 1 when a delivery of the source is\nrefused", 0, 0},
    {"timeout", 't', OPTION_NUMBER, offsetof(struct cmd_wait_options, timeout), "SECONDS",
     "how long; default: 60", 1, 31536000},
    {"json", 0, OPTION_FLAG, offsetof(struct cmd_wait_options, json), NULL,
     "the line of the sink's log for each, one JSON object", 0, 0},
    {"verbose", 'v', OPTION_FLAG, offsetof(struct cmd_wait_options, verbose), NULL,
     "say on standard error when it begins to watch", 0, 0},
    SINK_OPTIONS(struct cmd_wait_options, sink),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
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
    filter->verdicts = EVENT_STORED | EVENT_DUPLICATE;
    if (filter->receipt != NULL)
        filter->verdicts |= EVENT_REFUSED | EVENT_FAILED;
    if (o->verdicts.count > 0)
        filter->verdicts = 0;
    for (size_t i = 0; i < o->verdicts.count; i++) {
        unsigned verdict = event_verdict_read(o->verdicts.items[i]);

        if (verdict == 0) {
            message_print(
                "--verdict: expected stored, duplicate, refused, failed, forwarded, retried or "
                "parked");
            return false;
        }
        filter->verdicts |= verdict;
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
    if (!rfc3339_read_option("since", &spec.since, since) ||
        !cmd_wait_read_verdicts(o, &spec.filter))
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
