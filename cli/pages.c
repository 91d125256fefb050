/* SPDX-License-Identifier: MIT */
#include "cli/pages.h"

#include <stdio.h>

#include "cli/record.h"
#include "cli/sink.h"
#include "daemon/base/clock.h"

static void pages_write_target(struct sink_target *t, const struct pages_filter *f, int64_t before)
{
    sink_target_begin(t, "/deliveries");
    sink_target_add(t, "source", f->source);
    sink_target_add(t, "type", f->type);
    sink_target_add(t, "id", f->id);
    sink_target_add(t, "state", f->state);
    sink_target_add(t, "destination", f->destination);
    sink_target_add(t, "since", f->since);
    sink_target_add(t, "until", f->until);
    sink_target_add_number(t, "limit", PAGES_ROWS);
    if (before > 0)
        sink_target_add_number(t, "before", before);
}

static enum outcome pages_fail(const struct sink *sink, char *why)
{
    snprintf(why, SINK_WHY_SIZE,
             "%s: unexpected answer to GET /deliveries: is this a hooklined admin address?",
             sink_name(sink));
    return OUTCOME_TRANSPORT;
}

/* Sets *ended after the last row. Returns false if the page is malformed. */
static bool pages_take_page(const cJSON *page, const struct pages_filter *f,
                            bool (*each)(void *data, const cJSON *row), void *data, bool *ended,
                            bool *more)
{
    const cJSON *rows = json_get(page, "deliveries"), *row;

    if (!cJSON_IsArray(rows))
        return false;
    cJSON_ArrayForEach(row, rows)
    {
        int64_t seq = record_seq(row);

        if (seq == 0)
            return false;
        if (seq <= f->after || !each(data, row)) {
            *ended = true;
            *more = seq > f->after;
            return true;
        }
    }
    return true;
}

/* Sets *before to the start of the next page. Returns false if seqs do not descend, because the
 * walk would never end. */
static bool pages_take_next(const cJSON *page, const struct pages_filter *f, int64_t *before,
                            bool *ended)
{
    int64_t next = json_get_int64(page, "next", 0);

    if (cJSON_IsNull(json_get(page, "next"))) {
        *ended = true;
        return true;
    }
    if (next < 1 || (*before > 0 && next >= *before))
        return false;
    *before = next;
    *ended |= next <= f->after + 1;
    return true;
}

enum outcome pages_walk(struct sink *sink, const struct pages_filter *f, int64_t patience_s,
                        int64_t deadline_us, bool (*each)(void *data, const cJSON *row), void *data,
                        bool *more, char why[SINK_WHY_SIZE])
{
    int64_t before = f->before;
    bool ended = false;
    int status;

    *more = false;
    while (!ended) {
        int64_t until_us = clock_mono_us() + patience_s * 1000000;
        struct sink_target target;
        enum outcome outcome;
        bool good;
        cJSON *page;

        pages_write_target(&target, f, before);
        if (target.too_long) {
            snprintf(why, SINK_WHY_SIZE, "the selection is too long for a request");
            return OUTCOME_USAGE;
        }
        outcome = sink_ask(sink, "GET", target.text,
                           until_us < deadline_us ? until_us : deadline_us, &status, &page, why);
        good = outcome == OUTCOME_GOOD && pages_take_page(page, f, each, data, &ended, more) &&
               (ended || pages_take_next(page, f, &before, &ended));
        cJSON_Delete(page);
        if (outcome != OUTCOME_GOOD)
            return status == 400 ? OUTCOME_USAGE : outcome;
        if (!good)
            return pages_fail(sink, why);
    }
    return OUTCOME_GOOD;
}
