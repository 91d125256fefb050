/* SPDX-License-Identifier: MIT */
#include "cli/ping/sighting.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/moment.h"
#include "daemon/base/plain_text.h"

enum {
    KEPT_MAX = 4096,
    FITS = 5, /* well: see fitness() */
    CLOCKS_DIFFER_US = 5000000
};

static const char *const verdicts[] = {"stored", "duplicate", "refused", "failed"};

static void take_text(char *out, size_t size, const cJSON *line, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));

    plain_text_copy(out, size, text == NULL ? "" : text, text == NULL ? 0 : strlen(text), NULL);
}

static int64_t take_number(const cJSON *line, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, name);

    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15
               ? (int64_t)item->valuedouble
               : -1;
}

static bool take_verdict(struct sighting *s, const cJSON *line)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "verdict"));

    for (size_t i = 0; text != NULL && i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(text, verdicts[i]) == 0) {
            s->verdict = (enum sighting_verdict)i;
            return true;
        }
    }
    return false;
}

bool sighting_read(struct sighting *s, const cJSON *line, int64_t seen_us)
{
    int64_t status = take_number(line, "status");
    char time[40];

    *s = (struct sighting){.seen_us = seen_us};
    if (!take_verdict(s, line))
        return false;
    take_text(time, sizeof(time), line, "time");
    if (!moment_read(time, &s->time_us))
        s->time_us = seen_us;
    take_text(s->source, sizeof(s->source), line, "source");
    take_text(s->reason, sizeof(s->reason), line, "reason");
    take_text(s->receipt, sizeof(s->receipt), line, "receipt");
    take_text(s->id, sizeof(s->id), line, "id");
    take_text(s->type, sizeof(s->type), line, "type");
    take_text(s->remote, sizeof(s->remote), line, "remote");
    take_text(s->hint, sizeof(s->hint), line, "hint");
    take_text(s->hint_source, sizeof(s->hint_source), line, "hint_source");
    s->status = status > 999 ? -1 : (int)status;
    s->seq = take_number(line, "seq");
    s->signed_at = take_number(line, "signed_at");
    s->bytes = take_number(line, "bytes");
    s->duration_us = take_number(line, "duration_us");
    s->secret = (int)take_number(line, "secret");
    s->test = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "test"));
    s->fresh = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "fresh"));
    return true;
}

bool sighting_is_accepted(const struct sighting *s)
{
    return s->verdict == SIGHTING_STORED || s->verdict == SIGHTING_DUPLICATE;
}

/* ---- the list */

bool sightings_add(struct sightings *list, const struct sighting *s)
{
    if (list->count == KEPT_MAX) {
        memmove(list->at, list->at + 1, (KEPT_MAX - 1) * sizeof(*list->at));
        list->count--;
        list->forgotten++;
    }
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 16 : 2 * list->size;
        struct sighting *bigger = realloc(list->at, size * sizeof(*bigger));

        if (bigger == NULL)
            return false;
        list->at = bigger;
        list->size = size;
    }
    list->at[list->count++] = *s;
    return true;
}

void sightings_free(struct sightings *list)
{
    free(list->at);
    *list = (struct sightings){0};
}

/* ---- which one it is */

/* If the sink's clock is far from ours its times tell nothing. */
static bool is_out_of_time(const struct sighting *s, const struct sighting_wanted *w)
{
    int64_t told_us = s->time_us + (s->duration_us < 0 ? 0 : s->duration_us);

    if (s->seen_us - told_us > CLOCKS_DIFFER_US || told_us - s->seen_us > CLOCKS_DIFFER_US)
        return false;
    return s->time_us < w->from_us || (w->until_us != 0 && s->time_us > w->until_us);
}

/* How well it fits what came while the provider delivered: 0 is not at all. What the provider got
 * may be the answer of the application behind, so of what was accepted the status may differ. */
static int fitness(const struct sighting *s, const struct sighting_wanted *w)
{
    bool same_status = w->status > 0 && s->status == w->status;
    bool accepted = sighting_is_accepted(s), here = strcmp(s->source, w->source) == 0;

    if (is_out_of_time(s, w) || (w->event_id[0] != '\0' && s->id[0] != '\0') ||
        (accepted && !s->test && !w->any_type))
        return 0;
    if (here && same_status)
        return FITS + 1;
    if (!accepted && s->source[0] == '\0' && same_status)
        return FITS;
    if (accepted && here)
        return 4;
    if (same_status)
        return accepted ? 2 : 1;
    /* Who refuses answers at once: that would have reached the provider. */
    return here && w->status < 0 ? 3 : 0;
}

static bool is_same_delivery(const struct sighting *a, const struct sighting *b)
{
    return a->seq > 0 && a->seq == b->seq;
}

static enum sighting_match find_by_time(const struct sightings *list,
                                        const struct sighting_wanted *w, size_t *at, size_t *rivals)
{
    int best = 0;

    for (size_t i = 0; i < list->count; i++) {
        int fit = fitness(&list->at[i], w);

        if (fit > best) {
            best = fit;
            *at = i;
        }
    }
    for (size_t i = 0; best > 0 && i < list->count; i++)
        *rivals += i != *at && fitness(&list->at[i], w) == best &&
                   !is_same_delivery(&list->at[i], &list->at[*at]);
    return best >= FITS ? SIGHTING_BY_TIME : best > 0 ? SIGHTING_BY_TIME_ONLY : SIGHTING_NONE;
}

/* Of several with the same id the first one that was accepted counts. */
static bool find_by_id(const struct sightings *list, const char *id, size_t *at)
{
    bool found = false;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].id, id) != 0)
            continue;
        if (!found || (sighting_is_accepted(&list->at[i]) && !sighting_is_accepted(&list->at[*at])))
            *at = i;
        found = true;
    }
    return found;
}

enum sighting_match sightings_find(const struct sightings *list, const struct sighting_wanted *w,
                                   size_t *at, size_t *rivals)
{
    *rivals = 0;
    for (size_t i = 0; w->receipt[0] != '\0' && i < list->count; i++) {
        if (strcmp(list->at[i].receipt, w->receipt) == 0) {
            *at = i;
            return SIGHTING_BY_RECEIPT;
        }
    }
    if (w->event_id[0] != '\0' && find_by_id(list, w->event_id, at))
        return SIGHTING_BY_ID;
    return w->by_time && w->receipt[0] == '\0' ? find_by_time(list, w, at, rivals) : SIGHTING_NONE;
}
