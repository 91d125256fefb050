/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <string.h>

int hookline_content_header(const hookline_request *req, const char *name, hookline_bytes *value)
{
    size_t count = req->find_header(req->headers, name, value);

    if (count > 1)
        return HOOKLINE_AMBIGUOUS_HEADER;
    return count == 0 || value->len == 0 ? HOOKLINE_MISSING_HEADER : 0;
}

bool hookline_content_id_is_sound(hookline_bytes id)
{
    if (id.len == 0 || id.len > CONTENT_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (id.base[i] <= ' ' || id.base[i] > '~')
            return false;
    return true;
}

bool hookline_content_id_of(struct member m, hookline_bytes *id)
{
    if ((m.kind != MEMBER_STRING && m.kind != MEMBER_NUMBER) || m.escaped ||
        !hookline_content_id_is_sound(m.text))
        return false;
    *id = m.text;
    return true;
}

bool hookline_content_time_of(struct member m, enum time_unit unit, int64_t *seconds)
{
    char text[128]; /* the longest time that may have escapes: some encoders escape "+" */

    if (m.kind != MEMBER_STRING && m.kind != MEMBER_NUMBER)
        return false;
    if (m.escaped) {
        if (m.text.len > sizeof(text))
            return false;
        m.text = (hookline_bytes){text, hookline_member_decode(m, text)};
    }
    return hookline_timestamp_read(unit, m.text, seconds);
}

static bool is_word(hookline_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.base[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* Returns true if bytes of the value could belong to its neighbour under the same signature.
 * Without a separator only letters, digits, "-" and "_" are safe, because an id must not absorb a
 * timestamp or the start of a JSON body. */
static bool crosses(hookline_bytes value, const struct part *neighbour, size_t nearest)
{
    if (neighbour->kind == PART_LITERAL)
        return memchr(value.base, neighbour->text[nearest], value.len) != NULL;
    return !is_word(value);
}

static bool crosses_a_joint(const struct scheme *s, size_t i, hookline_bytes value)
{
    const struct part *part = &s->content[i];

    return (i > 0 && crosses(value, part - 1, part[-1].len - 1)) ||
           (i + 1 < s->parts && crosses(value, part + 1, 0));
}

static int gather_header(const struct scheme *s, const hookline_request *req, size_t i,
                         hookline_bytes *value)
{
    int code = hookline_content_header(req, s->content[i].text, value);

    if (code == 0 && crosses_a_joint(s, i, *value))
        code = HOOKLINE_AMBIGUOUS_HEADER;
    return code;
}

int hookline_content_gather(const struct scheme *s, const hookline_request *req,
                            hookline_bytes timestamp, hookline_bytes id, hookline_bytes part[])
{
    int code = 0;

    for (size_t i = 0; i < s->parts && code == 0; i++) {
        switch (s->content[i].kind) {
        case PART_LITERAL:
            part[i] = (hookline_bytes){s->content[i].text, s->content[i].len};
            break;
        case PART_TIMESTAMP:
            part[i] = timestamp;
            break;
        case PART_ID:
            part[i] = id;
            code = crosses_a_joint(s, i, id) ? HOOKLINE_BAD_ID : 0;
            break;
        case PART_HEADER:
            code = gather_header(s, req, i, &part[i]);
            break;
        case PART_BODY:
            part[i] = req->body;
            break;
        case PART_METHOD:
            part[i] = req->method;
            break;
        case PART_URL:
            part[i] = req->url;
            break;
        }
    }
    return code;
}
