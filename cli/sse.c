/* SPDX-License-Identifier: MIT */
#include "cli/sse.h"

#include <string.h>

static bool sse_emit(struct sse_parser *s, bool (*each)(void *data, const struct sse_event *event),
                     void *data)
{
    const struct sse_event event = {
        .name = s->name[0] == '\0' ? "message" : s->name,
        .data = s->data.base,
        .len = s->data.len,
    };
    bool good = !s->has_data || each(data, &event);

    buffer_truncate(&s->data, 0);
    s->has_data = false;
    s->name[0] = '\0';
    return good;
}

static bool sse_field_is(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Joins data lines with newlines. */
static bool sse_add_data(struct sse_parser *s, const char *value, size_t len)
{
    if (s->has_data)
        buffer_append_char(&s->data, '\n');
    buffer_append(&s->data, value, len);
    s->has_data = true;
    return buffer_text(&s->data) != NULL;
}

static void sse_set_name(struct sse_parser *s, const char *value, size_t len)
{
    if (len >= sizeof(s->name))
        len = sizeof(s->name) - 1;
    memcpy(s->name, value, len);
    s->name[len] = '\0';
}

static bool sse_take_line(struct sse_parser *s, const char *line, size_t len,
                          bool (*each)(void *data, const struct sse_event *event), void *data)
{
    const char *colon = memchr(line, ':', len);
    size_t name = colon == NULL ? len : (size_t)(colon - line);
    size_t at = colon == NULL ? name : name + 1;

    if (len == 0)
        return sse_emit(s, each, data);
    at += at < len && line[at] == ' ';
    if (colon == line) {
        const struct sse_event comment = {true, "", line + at, len - at};

        return each(data, &comment);
    }
    if (sse_field_is(line, name, "data"))
        return sse_add_data(s, line + at, len - at);
    if (sse_field_is(line, name, "event"))
        sse_set_name(s, line + at, len - at);
    return true;
}

static bool sse_end_line(struct sse_parser *s,
                         bool (*each)(void *data, const struct sse_event *event), void *data)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *line = buffer_text(&s->line);
    size_t skipped = !s->not_at_head && line != NULL && strncmp(line, mark, 3) == 0 ? 3 : 0;
    bool good = line != NULL && sse_take_line(s, line + skipped, s->line.len - skipped, each, data);

    s->not_at_head = true;
    buffer_truncate(&s->line, 0);
    return good;
}

bool sse_parse(struct sse_parser *s, const char *bytes, size_t len,
               bool (*each)(void *data, const struct sse_event *event), void *data)
{
    s->line.max = s->data.max = SSE_EVENT_MAX;
    while (len > 0) {
        size_t run = 0;

        if (s->after_cr && bytes[0] == '\n') {
            s->after_cr = false;
            bytes++, len--;
            continue;
        }
        s->after_cr = false;
        while (run < len && bytes[run] != '\n' && bytes[run] != '\r')
            run++;
        if (!buffer_append(&s->line, bytes, run))
            return false;
        if (run < len) {
            s->after_cr = bytes[run++] == '\r';
            if (!sse_end_line(s, each, data))
                return false;
        }
        bytes += run;
        len -= run;
    }
    return true;
}

void sse_free(struct sse_parser *s)
{
    buffer_free(&s->line);
    buffer_free(&s->data);
    *s = (struct sse_parser){0};
}
