/* SPDX-License-Identifier: MIT */
#include "cli/ping/aftermath.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/moment.h"
#include "daemon/base/plain_text.h"
#include "cli/sink.h"
#include "cli/target.h"

enum {
    AGAIN_US = 250000, /* between two questions without an event */
    PATIENCE_US = 2000000,
};

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(member(object, name));

    return text == NULL ? "" : text;
}

static int64_t number_of(const cJSON *object, const char *name)
{
    double value = cJSON_GetNumberValue(member(object, name));

    return value >= 0 && value < 9e15 ? (int64_t)value : -1;
}

void aftermath_hear(struct aftermath *a, const cJSON *event)
{
    int64_t seq = number_of(event, "seq");

    if (seq == a->seq)
        a->heard = true;
}

/* ---- destinations */

static enum findings_state state_of(const char *word)
{
    return strcmp(word, "done") == 0       ? FINDINGS_TAKEN
           : strcmp(word, "retrying") == 0 ? FINDINGS_RETRYING
           : strcmp(word, "parked") == 0   ? FINDINGS_PARKED
                                           : FINDINGS_WAITING;
}

/* The newest attempt comes first. */
static void take_attempt(struct findings_destination *d, const cJSON *attempts)
{
    const cJSON *attempt;

    cJSON_ArrayForEach(attempt, attempts)
    {
        const char *error = text_of(attempt, "error");
        int64_t status = number_of(attempt, "status"), took = number_of(attempt, "duration_us");

        if (strcmp(text_of(attempt, "destination"), d->name) != 0)
            continue;
        if (!moment_read(text_of(attempt, "time"), &d->at_us))
            d->at_us = 0;
        else if (took > 0 && took < INT64_MAX / 2)
            d->at_us += took;
        d->status = status < 0 || status > 999 ? 0 : (int)status;
        d->tries = number_of(attempt, "tries");
        if (error[0] != '\0')
            plain_text_copy(d->reason, sizeof(d->reason), error, strlen(error), NULL);
        else if (d->status > 0)
            snprintf(d->reason, sizeof(d->reason), "it answered %d", d->status);
        return;
    }
}

static void take_destinations(struct findings *f, const cJSON *delivery)
{
    const cJSON *item;

    f->destinations_count = 0;
    f->destinations_known = true;
    cJSON_ArrayForEach(item, member(delivery, "destinations"))
    {
        struct findings_destination *d = &f->destinations[f->destinations_count];
        const char *name = text_of(item, "name");

        if (f->destinations_count == FINDINGS_DESTINATIONS_MAX)
            break;
        *d = (struct findings_destination){.state = state_of(text_of(item, "state")), .tries = -1};
        plain_text_copy(d->name, sizeof(d->name), name, strlen(name), NULL);
        take_attempt(d, member(delivery, "attempts"));
        f->destinations_count++;
    }
}

static int64_t no_later_than(int64_t deadline_mono)
{
    int64_t patience = clock_mono_us() + PATIENCE_US;

    return deadline_mono < patience ? deadline_mono : patience;
}

bool aftermath_is_open(const struct findings *f, bool all)
{
    for (size_t i = 0; i < f->destinations_count; i++)
        if (f->destinations[i].state == FINDINGS_WAITING ||
            (all && f->destinations[i].state == FINDINGS_RETRYING))
            return true;
    return false;
}

/* Whether there may be something new. */
static bool is_due(const struct aftermath *a, const struct findings *f)
{
    if (a->seq != f->seen.seq)
        return true;
    if (a->seq <= 0 || (f->destinations_known && !aftermath_is_open(f, true)))
        return false;
    return a->heard || clock_mono_us() >= a->asked_mono + AGAIN_US;
}

void aftermath_catch_up(struct sink *sink, int64_t deadline_mono)
{
    char why[SINK_WHY_SIZE];
    cJSON *answer = NULL;
    int status;

    sink_ask(sink, "GET", "/deliveries?limit=1", deadline_mono, &status, &answer, why);
    cJSON_Delete(answer);
}

static void ask_for_destinations(struct sink *sink, int64_t deadline_mono, struct findings *f)
{
    char target[64], why[SINK_WHY_SIZE];
    cJSON *delivery = NULL;
    int status;

    snprintf(target, sizeof(target), "/deliveries/%" PRId64, f->seen.seq);
    if (sink_ask(sink, "GET", target, deadline_mono, &status, &delivery, why) == OUTCOME_GOOD)
        take_destinations(f, delivery);
    cJSON_Delete(delivery);
}

bool aftermath_learn(struct aftermath *a, struct sink *sink, int64_t deadline_mono,
                     struct findings *f)
{
    if (!is_due(a, f))
        return false;
    a->seq = f->seen.seq;
    a->heard = false;
    if (a->seq > 0)
        ask_for_destinations(sink, no_later_than(deadline_mono), f);
    else
        aftermath_catch_up(sink, no_later_than(deadline_mono));
    a->asked_mono = clock_mono_us();
    return true;
}

/* ---- what no event has told */

void aftermath_find(struct sink *sink, struct findings *f)
{
    char why[SINK_WHY_SIZE];
    struct target target;
    struct sighting sighting;
    cJSON *answer = NULL, *row;
    int status;

    if (f->answer.event_id[0] == '\0')
        return;
    target_begin(&target, "/deliveries");
    target_add(&target, "id", f->answer.event_id);
    target_add_number(&target, "limit", 1);
    sink_ask(sink, "GET", target.text, no_later_than(INT64_MAX), &status, &answer, why);
    row = cJSON_GetArrayItem(member(answer, "deliveries"), 0);
    if (row != NULL && cJSON_AddStringToObject(row, "verdict", "stored") != NULL &&
        cJSON_AddStringToObject(row, "reason", "verified") != NULL &&
        cJSON_AddNumberToObject(row, "status", 200) != NULL &&
        sighting_read(&sighting, row, clock_steady_us()))
        sightings_add(&f->sightings, &sighting);
    cJSON_Delete(answer);
}
