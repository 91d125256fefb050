/* SPDX-License-Identifier: MIT */
#include "cli/ping/observed.h"

#include <stdlib.h>
#include <string.h>

#include "cli/record.h"

enum {
    OBSERVED_EVENTS_MAX = 4096,
    SCORE_GOOD = 5, /* lowest score that counts as certain */
    CLOCK_UNUSABLE_US = 5000000
};

bool observed_event_read(struct observed_event *s, const cJSON *line, int64_t seen_us)
{
    int64_t status = json_get_count(line, "status");
    enum verdict verdict = verdict_read(json_get_text(line, "verdict"));

    *s = (struct observed_event){.seen_us = seen_us, .verdict = verdict};
    if (verdict == VERDICT_NONE || verdict > VERDICT_RECEIVED_LAST)
        return false;
    if (!json_get_time(line, "time", &s->time_us))
        s->time_us = seen_us;
    json_copy_text(s->source, sizeof(s->source), json_get(line, "source"), NULL);
    json_copy_text(s->reason, sizeof(s->reason), json_get(line, "reason"), NULL);
    json_copy_text(s->receipt, sizeof(s->receipt), json_get(line, "receipt"), NULL);
    json_copy_text(s->id, sizeof(s->id), json_get(line, "id"), NULL);
    json_copy_text(s->type, sizeof(s->type), json_get(line, "type"), NULL);
    json_copy_text(s->remote, sizeof(s->remote), json_get(line, "remote"), NULL);
    json_copy_text(s->hint, sizeof(s->hint), json_get(line, "hint"), NULL);
    json_copy_text(s->hint_source, sizeof(s->hint_source), json_get(line, "hint_source"), NULL);
    s->status = status > 999 ? -1 : (int)status;
    s->seq = json_get_count(line, "seq");
    s->signed_at = json_get_count(line, "signed_at");
    s->bytes = json_get_count(line, "bytes");
    s->duration_us = json_get_count(line, "duration_us");
    s->secret = (int)json_get_count(line, "secret");
    s->test = json_get_bool(line, "test");
    s->fresh = json_get_bool(line, "fresh");
    return true;
}

bool observed_event_is_accepted(const struct observed_event *s)
{
    return s->verdict == VERDICT_STORED || s->verdict == VERDICT_DUPLICATE;
}

/* ---- list */

bool observed_events_add(struct observed_events *list, const struct observed_event *s)
{
    if (list->count == OBSERVED_EVENTS_MAX) {
        memmove(list->at, list->at + 1, (OBSERVED_EVENTS_MAX - 1) * sizeof(*list->at));
        list->count--;
        list->forgotten++;
    }
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 16 : 2 * list->size;
        struct observed_event *bigger = realloc(list->at, size * sizeof(*bigger));

        if (bigger == NULL)
            return false;
        list->at = bigger;
        list->size = size;
    }
    list->at[list->count++] = *s;
    return true;
}

void observed_events_free(struct observed_events *list)
{
    free(list->at);
    *list = (struct observed_events){0};
}

/* ---- match */

/* A sink clock that is far from ours makes arrival times useless. */
static bool observed_event_is_out_of_time(const struct observed_event *s,
                                          const struct observed_query *w)
{
    int64_t told_us = s->time_us + (s->duration_us < 0 ? 0 : s->duration_us);

    if (s->seen_us - told_us > CLOCK_UNUSABLE_US || told_us - s->seen_us > CLOCK_UNUSABLE_US)
        return false;
    return s->time_us < w->from_us || (w->until_us != 0 && s->time_us > w->until_us);
}

/* Rates an event that arrived while the provider was delivering; 0: no match. Statuses of
 * accepted deliveries may differ: with `answer: upstream` the provider gets the application's. */
static int observed_event_score(const struct observed_event *s, const struct observed_query *w)
{
    bool same_status = w->status > 0 && s->status == w->status;
    bool accepted = observed_event_is_accepted(s), here = strcmp(s->source, w->source) == 0;

    if (observed_event_is_out_of_time(s, w) || (w->event_id[0] != '\0' && s->id[0] != '\0') ||
        (accepted && !s->test && !w->any_type))
        return 0;
    if (here && same_status)
        return SCORE_GOOD + 1;
    if (!accepted && s->source[0] == '\0' && same_status)
        return SCORE_GOOD;
    if (accepted && here)
        return 4;
    if (same_status)
        return accepted ? 2 : 1;
    if (w->status >= 0)
        return 0; /* the provider would have received a refusal's status */
    return here ? 3 : accepted && w->elsewhere ? 2 : 0;
}

static bool observed_event_is_same(const struct observed_event *a, const struct observed_event *b)
{
    return a->seq > 0 && a->seq == b->seq;
}

static enum observed_match observed_events_find_by_time(const struct observed_events *list,
                                                        const struct observed_query *w, size_t *at,
                                                        size_t *rivals)
{
    int best = 0;

    for (size_t i = 0; i < list->count; i++) {
        int fit = observed_event_score(&list->at[i], w);

        if (fit > best) {
            best = fit;
            *at = i;
        }
    }
    for (size_t i = 0; best > 0 && i < list->count; i++)
        *rivals += i != *at && observed_event_score(&list->at[i], w) == best &&
                   !observed_event_is_same(&list->at[i], &list->at[*at]);
    return best >= SCORE_GOOD ? OBSERVED_MATCH_TIME
           : best > 0         ? OBSERVED_MATCH_TIME_ONLY
                              : OBSERVED_MATCH_NONE;
}

/* Among events with the same id, the first accepted one wins. */
static bool observed_events_find_by_id(const struct observed_events *list, const char *id,
                                       size_t *at)
{
    bool found = false;

    for (size_t i = 0; id[0] != '\0' && i < list->count; i++) {
        if (strcmp(list->at[i].id, id) != 0)
            continue;
        if (!found || (observed_event_is_accepted(&list->at[i]) &&
                       !observed_event_is_accepted(&list->at[*at])))
            *at = i;
        found = true;
    }
    return found;
}

enum observed_match observed_events_find(const struct observed_events *list,
                                         const struct observed_query *w, size_t *at, size_t *rivals)
{
    *rivals = 0;
    for (size_t i = 0; w->receipt[0] != '\0' && i < list->count; i++) {
        if (strcmp(list->at[i].receipt, w->receipt) == 0) {
            *at = i;
            return OBSERVED_MATCH_RECEIPT;
        }
    }
    if (observed_events_find_by_id(list, w->event_id, at) ||
        observed_events_find_by_id(list, w->delivery_id, at))
        return OBSERVED_MATCH_ID;
    return w->by_time && w->receipt[0] == '\0' ? observed_events_find_by_time(list, w, at, rivals)
                                               : OBSERVED_MATCH_NONE;
}

/* ---- round trip */

enum {
    CLOCK_STEP_US = 1000 /* resolution of the sink's times */
};

bool observed_is_exact(const struct observed *f)
{
    switch (f->match) {
    case OBSERVED_MATCH_ID:
    case OBSERVED_MATCH_RECEIPT:
        return true;
    case OBSERVED_MATCH_TIME_ONLY:
    case OBSERVED_MATCH_TIME:
        /* Without an answer nothing ties the event to this request. */
        return f->alone && f->rivals == 0 && f->view.status > 0 && f->lost == 0 &&
               f->events.forgotten == 0 && strcmp(f->seen.source, f->source) == 0;
    case OBSERVED_MATCH_NONE:
        break;
    }
    return false;
}

int64_t observed_received_us(const struct observed *f)
{
    const struct observed_event *s = &f->seen;
    int64_t took = s->duration_us < 0 ? 0 : s->duration_us, received = s->seen_us - took;

    if (s->time_us > f->triggered_us - CLOCK_STEP_US && s->time_us <= s->seen_us)
        received = s->time_us;
    return received < f->triggered_us ? f->triggered_us : received;
}

int64_t observed_settled_us(const struct observed *f)
{
    int64_t took = f->seen.duration_us < 0 ? 0 : f->seen.duration_us;
    int64_t settled = observed_received_us(f) + took;

    return settled > f->seen.seen_us && f->seen.seen_us >= f->triggered_us ? f->seen.seen_us
                                                                           : settled;
}
