/* SPDX-License-Identifier: MIT */
#include "cli/stream.h"

#include <stdlib.h>
#include <string.h>

/* There is always room for a NUL. */
static bool append(struct stream_text *t, const char *bytes, size_t len)
{
    if (len > STREAM_EVENT_MAX - t->len)
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

static bool tell(struct stream *s, bool (*each)(void *data, const struct stream_event *event),
                 void *data)
{
    const struct stream_event event = {
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

static bool is(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Lines of data are put together with line ends between them. */
static bool add_data(struct stream *s, const char *value, size_t len)
{
    bool good = (!s->has_data || append(&s->data, "\n", 1)) && append(&s->data, value, len);

    s->has_data = true;
    return good;
}

static void set_name(struct stream *s, const char *value, size_t len)
{
    if (len >= sizeof(s->name))
        len = sizeof(s->name) - 1;
    memcpy(s->name, value, len);
    s->name[len] = '\0';
}

static bool take_line(struct stream *s, bool (*each)(void *data, const struct stream_event *event),
                      void *data)
{
    const char *line = s->line.base, *colon = memchr(line, ':', s->line.len);
    size_t name = colon == NULL ? s->line.len : (size_t)(colon - line);
    size_t at = colon == NULL ? name : name + 1;

    if (s->line.len == 0)
        return tell(s, each, data);
    at += at < s->line.len && line[at] == ' ';
    if (colon == line) {
        const struct stream_event comment = {true, "", line + at, s->line.len - at};

        return each(data, &comment);
    }
    if (is(line, name, "data"))
        return add_data(s, line + at, s->line.len - at);
    if (is(line, name, "event"))
        set_name(s, line + at, s->line.len - at);
    return true;
}

static bool end_line(struct stream *s, bool (*each)(void *data, const struct stream_event *event),
                     void *data)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool good = append(&s->line, "", 0);

    if (good && !s->not_at_head && s->line.len >= 3 && memcmp(s->line.base, mark, 3) == 0) {
        s->line.len -= 3;
        memmove(s->line.base, s->line.base + 3, s->line.len + 1);
    }
    s->not_at_head = true;
    good = good && take_line(s, each, data);
    s->line.len = 0;
    return good;
}

bool stream_take(struct stream *s, const char *bytes, size_t len,
                 bool (*each)(void *data, const struct stream_event *event), void *data)
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
        if (!append(&s->line, bytes, run))
            return false;
        if (run < len) {
            s->after_cr = bytes[run++] == '\r';
            if (!end_line(s, each, data))
                return false;
        }
        bytes += run;
        len -= run;
    }
    return true;
}

void stream_free(struct stream *s)
{
    free(s->line.base);
    free(s->data.base);
    *s = (struct stream){0};
}
