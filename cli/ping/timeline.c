/* SPDX-License-Identifier: MIT */
#include "cli/ping/timeline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "daemon/base/iso_time.h"

void timeline_add(struct timeline *t, const char *what, int64_t at_us, enum terminal_tone tone,
                  const char *format, ...)
{
    struct timeline_row row = {.what = what, .at_us = at_us, .tone = tone};
    size_t at = t->count;
    va_list args;

    if (t->count == TIMELINE_ROWS_MAX)
        return;
    va_start(args, format);
    vsnprintf(row.text, sizeof(row.text), format, args);
    va_end(args);
    if (t->count > 0 && row.at_us < t->rows[0].at_us)
        row.at_us = t->rows[0].at_us;
    while (at > 0 && t->rows[at - 1].at_us > row.at_us)
        at--;
    memmove(&t->rows[at + 1], &t->rows[at], (t->count - at) * sizeof(row));
    t->rows[at] = row;
    t->count++;
}

static int64_t timeline_offset_us(const struct timeline *t, size_t i)
{
    return t->rows[i].at_us - t->rows[0].at_us;
}

/* A time between two full milliseconds counts as the earlier one. */
static int64_t timeline_round_ms(int64_t us)
{
    return us / 1000;
}

void timeline_print(const struct timeline *t, FILE *stream)
{
    int what_width = 0, ms_width = 1;
    char ms[24];

    for (size_t i = 0; i < t->count; i++) {
        int len = (int)strlen(t->rows[i].what);
        int digits =
            snprintf(ms, sizeof(ms), "%" PRId64, timeline_round_ms(timeline_offset_us(t, i)));

        what_width = len > what_width ? len : what_width;
        ms_width = digits > ms_width ? digits : ms_width;
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_row *row = &t->rows[i];

        fprintf(stream, "%s%-*s%s  %s%*" PRId64 " ms%s  %s\n", terminal_tone(stream, row->tone),
                what_width, row->what,
                row->tone == TERMINAL_PLAIN ? "" : terminal_tone(stream, TERMINAL_PLAIN),
                terminal_tone(stream, TERMINAL_FAINT), ms_width,
                timeline_round_ms(timeline_offset_us(t, i)), terminal_tone(stream, TERMINAL_PLAIN),
                row->text);
    }
}

cJSON *timeline_json(const struct timeline *t)
{
    cJSON *list = cJSON_CreateArray();
    char time[RFC3339_SIZE];

    for (size_t i = 0; list != NULL && i < t->count; i++) {
        cJSON *row = cJSON_CreateObject();

        rfc3339_write(time, t->rows[i].at_us);
        cJSON_AddStringToObject(row, "what", t->rows[i].what);
        cJSON_AddStringToObject(row, "time", time);
        cJSON_AddNumberToObject(row, "ms", (double)timeline_offset_us(t, i) / 1000);
        cJSON_AddStringToObject(row, "text", t->rows[i].text);
        cJSON_AddItemToArray(list, row);
    }
    return list;
}
