/* SPDX-License-Identifier: MIT */
#include "cli/sse.h"

#include <stdlib.h>
#include <string.h>

/* There is always room for a NUL. */
static bool sse_append(struct sse_buffer *t, const char *bytes, size_t len)
{
    if (len > SSE_EVENT_MAX - t->len)
        return false;
    if (t->size < t->len + len + 1) {
        size_t size = 2 * (t->len + len) + 64;
        char *base = realloc(t->base, size);

        if (base == NULL)
            return false;
        t->base = base;
        t->size = size;
    }
    if (len > 0)
        memcpy(t->base + t->len, bytes, len);
    t->len += len;
    t->base[t->len] = '\0';
    return true;
}

static bool sse_emit(struct sse_parser *s, bool (*each)(void *data, const struct sse_event *event),
                     void *data)
{
    const struct sse_event event = {
        .name = s->name[0] == '\0' ? "message" : s->name,
        .data = s->data.base,
        .len = s->data.len,
    };
    bool good = !s->has_data || each(data, &event);

    s->data.len = 0;
    s->has_data = false;
    s->name[0] = '\0';
    return good;
}

static bool sse_field_is(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Lines of data are put together with line ends between them. */
static bool sse_add_data(struct sse_parser *s, const char *value, size_t len)
{
    bool good = (!s->has_data || sse_append(&s->data, "\n", 1)) && sse_append(&s->data, value, len);

    s->has_data = true;
    return good;
}

static void sse_set_name(struct sse_parser *s, const char *value, size_t len)
{
    if (len >= sizeof(s->name))
        len = sizeof(s->name) - 1;
    memcpy(s->name, value, len);
    s->name[len] = '\0';
}

static bool sse_take_line(struct sse_parser *s,
                          bool (*each)(void *data, const struct sse_event *event), void *data)
{
    const char *line = s->line.base, *colon = memchr(line, ':', s->line.len);
    size_t name = colon == NULL ? s->line.len : (size_t)(colon - line);
    size_t at = colon == NULL ? name : name + 1;

    if (s->line.len == 0)
        return sse_emit(s, each, data);
    at += at < s->line.len && line[at] == ' ';
    if (colon == line) {
        const struct sse_event comment = {true, "", line + at, s->line.len - at};

        return each(data, &comment);
    }
    if (sse_field_is(line, name, "data"))
        return sse_add_data(s, line + at, s->line.len - at);
    if (sse_field_is(line, name, "event"))
        sse_set_name(s, line + at, s->line.len - at);
    return true;
}

static bool sse_end_line(struct sse_parser *s,
                         bool (*each)(void *data, const struct sse_event *event), void *data)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool good = sse_append(&s->line, "", 0);

    if (good && !s->not_at_head && s->line.len >= 3 && memcmp(s->line.base, mark, 3) == 0) {
        s->line.len -= 3;
        memmove(s->line.base, s->line.base + 3, s->line.len + 1);
    }
    s->not_at_head = true;
    good = good && sse_take_line(s, each, data);
    s->line.len = 0;
    return good;
}

bool sse_parse(struct sse_parser *s, const char *bytes, size_t len,
               bool (*each)(void *data, const struct sse_event *event), void *data)
{
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
        if (!sse_append(&s->line, bytes, run))
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
    free(s->line.base);
    free(s->data.base);
    *s = (struct sse_parser){0};
}
