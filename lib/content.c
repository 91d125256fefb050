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

static bool is_word_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

/* Returns the number of leading letters, digits, "-" and "_". */
static size_t word_length(hookline_bytes value)
{
    size_t len = 0;

    while (len < value.len && is_word_character(value.base[len]))
        len++;
    return len;
}

/* Returns true if part i could end elsewhere under the same signature (scheme_danger.c). A value
 * before text must not hold the byte of the text that touches it. Before a URL or a time of RFC
 * 3339 it must be a word: the first other character then belongs to the neighbour. */
static bool crosses(const struct scheme *s, const hookline_request *req, size_t i,
                    hookline_bytes value)
{
    bool before_body = i < hookline_scheme_body(s);
    const struct part *inner = before_body ? &s->content[i + 1] : &s->content[i - 1];

    switch (inner->kind) {
    case PART_LITERAL:
        return memchr(value.base, inner->text[before_body ? 0 : inner->len - 1], value.len) != NULL;
    case PART_URL:
        return word_length(value) < value.len || word_length(req->url) == req->url.len;
    default:
        return word_length(value) < value.len;
    }
}

/* Returns true for a method of RFC 9110 and RFC 5789. None begins or ends with another one, so that a
 * method ends at a known place. */
static bool is_method(hookline_bytes method)
{
    static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                          "DELETE", "OPTIONS", "CONNECT", "TRACE"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strlen(methods[i]) == method.len && memcmp(methods[i], method.base, method.len) == 0)
            return true;
    return false;
}

static int gather_header(const struct scheme *s, const hookline_request *req, size_t i,
                         hookline_bytes *value)
{
    int code = hookline_content_header(req, s->content[i].text, value);

    return code == 0 && crosses(s, req, i, *value) ? HOOKLINE_AMBIGUOUS_HEADER : code;
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
            code = crosses(s, req, i, id) ? HOOKLINE_BAD_ID : 0;
            break;
        case PART_HEADER:
            code = gather_header(s, req, i, &part[i]);
            break;
        case PART_BODY:
            part[i] = req->body;
            break;
        case PART_METHOD:
            part[i] = req->method;
            code = is_method(req->method) ? 0 : HOOKLINE_AMBIGUOUS_HEADER;
            break;
        case PART_URL:
            part[i] = req->url;
            break;
        }
    }
    return code;
}
