/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <string.h>

enum {
    ID_MAX = 256
};

int content_header(const hookline_request *req, const char *name, hookline_bytes *value)
{
    size_t count = req->find_header(req->headers, name, value);

    if (count > 1)
        return HOOKLINE_AMBIGUOUS_HEADER;
    return count == 0 || value->len == 0 ? HOOKLINE_MISSING_HEADER : 0;
}

bool content_id_is_sound(hookline_bytes id)
{
    if (id.len == 0 || id.len > ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (id.base[i] <= ' ' || id.base[i] > '~')
            return false;
    return true;
}

/* Whether a value holds what separates it from its neighbours: then it could have been cut
 * differently, and the signature would be the same. */
static bool crosses_a_joint(const struct scheme *s, size_t i, hookline_bytes value)
{
    const struct part *before = i > 0 ? &s->content[i - 1] : NULL;
    const struct part *after = i + 1 < s->parts ? &s->content[i + 1] : NULL;

    if (before != NULL && before->kind == PART_LITERAL &&
        memchr(value.base, before->text[before->len - 1], value.len) != NULL)
        return true;
    return after != NULL && after->kind == PART_LITERAL &&
           memchr(value.base, after->text[0], value.len) != NULL;
}

static int gather_header(const struct scheme *s, const hookline_request *req, size_t i,
                         hookline_bytes *value)
{
    int code = content_header(req, s->content[i].text, value);

    if (code == 0 && crosses_a_joint(s, i, *value))
        code = HOOKLINE_AMBIGUOUS_HEADER;
    return code;
}

int content_gather(const struct scheme *s, const hookline_request *req, hookline_bytes timestamp,
                   hookline_bytes id, hookline_bytes part[])
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
