/* SPDX-License-Identifier: MIT */
#include "cli/ping/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/record.h"
#include "cli/sink.h"
#include "daemon/base/clock.h"

enum {
    REPEAT_US = 250000, /* between two queries without an event */
    ANSWER_US = 2000000,
};

void progress_on_event(struct progress *a, const cJSON *event)
{
    int64_t seq = json_get_count(event, "seq");

    if (seq == a->seq)
        a->heard = true;
}

/* ---- destinations */

static enum observed_state progress_read_state(const cJSON *destination)
{
    return json_get_is(destination, "state", "done")       ? OBSERVED_TAKEN
           : json_get_is(destination, "state", "retrying") ? OBSERVED_RETRYING
           : json_get_is(destination, "state", "parked")   ? OBSERVED_PARKED
                                                           : OBSERVED_WAITING;
}

/* The newest attempt comes first. */
static void progress_read_attempt(struct observed_destination *d, const cJSON *attempts)
{
    const cJSON *attempt;

    cJSON_ArrayForEach(attempt, attempts)
    {
        const cJSON *error = json_get(attempt, "error");
        int64_t status = json_get_count(attempt, "status"),
                took = json_get_count(attempt, "duration_us");

        if (!json_get_is(attempt, "destination", d->name))
            continue;
        if (!json_get_time(attempt, "time", &d->at_us))
            d->at_us = 0;
        else if (took > 0 && took < INT64_MAX / 2)
            d->at_us += took;
        d->status = status < 0 || status > 999 ? 0 : (int)status;
        d->tries = json_get_count(attempt, "tries");
        json_copy_text(d->reason, sizeof(d->reason), error, NULL);
        if (d->reason[0] == '\0' && d->status > 0)
            snprintf(d->reason, sizeof(d->reason), "it answered %d", d->status);
        return;
    }
}

static void progress_read_destinations(struct observed *f, const cJSON *delivery)
{
    const cJSON *item;

    f->destinations_count = 0;
    f->destinations_known = true;
    cJSON_ArrayForEach(item, json_get(delivery, "destinations"))
    {
        struct observed_destination *d = &f->destinations[f->destinations_count];

        if (f->destinations_count == OBSERVED_DESTINATIONS_MAX)
            break;
        *d = (struct observed_destination){.state = progress_read_state(item), .tries = -1};
        json_copy_text(d->name, sizeof(d->name), json_get(item, "name"), NULL);
        progress_read_attempt(d, json_get(delivery, "attempts"));
        f->destinations_count++;
    }
}

static int64_t progress_deadline(int64_t deadline_mono)
{
    int64_t patience = clock_mono_us() + ANSWER_US;

    return deadline_mono < patience ? deadline_mono : patience;
}

bool progress_is_open(const struct observed *f, bool all)
{
    for (size_t i = 0; i < f->destinations_count; i++)
        if (f->destinations[i].state == OBSERVED_WAITING ||
            (all && f->destinations[i].state == OBSERVED_RETRYING))
            return true;
    return false;
}

/* Returns true if the destinations may have changed since the last query. */
static bool progress_is_due(const struct progress *a, const struct observed *f)
{
    if (a->seq != f->seen.seq)
        return true;
    if (a->seq <= 0 || (f->destinations_known && !progress_is_open(f, true)))
        return false;
    return a->heard || clock_mono_us() >= a->asked_mono + REPEAT_US;
}

void progress_catch_up(struct sink *sink, int64_t deadline_mono)
{
    char why[SINK_WHY_SIZE];
    cJSON *answer = NULL;
    int status;

    sink_ask(sink, "GET", "/deliveries?limit=1", deadline_mono, &status, &answer, why);
    cJSON_Delete(answer);
    /* The answer may arrive in one turn with earlier events, which are read now. */
    sink_poll(sink, 0);
}

static void progress_ask_destinations(struct sink *sink, int64_t deadline_mono, struct observed *f)
{
    char target[64], why[SINK_WHY_SIZE];
    cJSON *delivery = NULL;
    int status;

    snprintf(target, sizeof(target), "/deliveries/%" PRId64, f->seen.seq);
    if (sink_ask(sink, "GET", target, deadline_mono, &status, &delivery, why) == OUTCOME_GOOD)
        progress_read_destinations(f, delivery);
    cJSON_Delete(delivery);
}

bool progress_update(struct progress *a, struct sink *sink, int64_t deadline_mono,
                     struct observed *f)
{
    if (!progress_is_due(a, f))
        return false;
    a->seq = f->seen.seq;
    a->heard = false;
    if (a->seq > 0)
        progress_ask_destinations(sink, progress_deadline(deadline_mono), f);
    else
        progress_catch_up(sink, progress_deadline(deadline_mono));
    a->asked_mono = clock_mono_us();
    return true;
}

/* ---- lost events */

void progress_find_stored(struct sink *sink, struct observed *f)
{
    char why[SINK_WHY_SIZE];
    struct sink_target target;
    struct observed_event seen;
    cJSON *answer = NULL, *row;
    int status;

    if (f->answer.event_id[0] == '\0')
        return;
    sink_target_begin(&target, "/deliveries");
    sink_target_add(&target, "id", f->answer.event_id);
    sink_target_add_number(&target, "limit", 1);
    sink_ask(sink, "GET", target.text, progress_deadline(INT64_MAX), &status, &answer, why);
    row = cJSON_GetArrayItem(json_get(answer, "deliveries"), 0);
    if (row != NULL &&
        cJSON_AddStringToObject(row, "verdict", verdict_word(VERDICT_STORED)) != NULL &&
        cJSON_AddStringToObject(row, "reason", "verified") != NULL &&
        cJSON_AddNumberToObject(row, "status", 200) != NULL &&
        observed_event_read(&seen, row, clock_steady_us()))
        observed_events_add(&f->events, &seen);
    cJSON_Delete(answer);
}
