/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <stdlib.h>
#include <string.h>

#include "member.h"
#include "verifier.h"

/* Reads seconds, milliseconds or RFC 3339, as TIME_ANY of timestamp.h; drops the fraction of a
 * number. Returns -1 on other values. */
static int64_t event_time(struct member m)
{
    const char *point = m.kind == MEMBER_NUMBER ? memchr(m.text.base, '.', m.text.len) : NULL;
    int64_t seconds;

    if (point != NULL)
        m.text.len = (size_t)(point - m.text.base);
    return (m.kind == MEMBER_STRING || m.kind == MEMBER_NUMBER) &&
                   hookline_timestamp_read(TIME_ANY, m.text, &seconds)
               ? seconds
               : -1;
}

static int is_test(const struct scheme *s, const char *type)
{
    for (size_t i = 0; type != NULL && i < SCHEME_TESTS_MAX && s->event.test[i] != NULL; i++)
        if (strcmp(s->event.test[i], type) == 0)
            return 1;
    return 0;
}

/* Allocates struct and texts as one block, so that one free() releases both. */
static hookline_event *event_new_packed(hookline_bytes id, struct member type)
{
    size_t type_size = type.kind == MEMBER_STRING ? MEMBER_DECODED_SIZE(type) : 0;
    hookline_event *event = malloc(sizeof(*event) + id.len + 1 + type_size);
    char *text;

    if (event == NULL)
        return NULL;
    *event = (hookline_event){.created_at = -1};
    text = (char *)(event + 1);
    if (id.len > 0) {
        event->id = memcpy(text, id.base, id.len);
        text[id.len] = '\0';
    }
    if (type_size > 0) {
        event->type = text + id.len + 1;
        hookline_member_decode(type, text + id.len + 1);
    }
    return event;
}

static struct member event_member(hookline_bytes payload, const char *path)
{
    return path == NULL ? (struct member){.kind = MEMBER_ABSENT}
                        : hookline_member_find(payload, path);
}

/* Returns true if the payload has to be JSON: the scheme says so, or the scheme reads a member and
 * the payload begins like an object. */
static bool event_is_json(const struct scheme *s, hookline_bytes payload)
{
    return s->event.json || ((s->event.type != NULL || s->event.created != NULL) &&
                             hookline_member_is_begun(payload));
}

int hookline_event_read(hookline_event **out, const hookline_verifier *v, const hookline_result *r)
{
    if (out == NULL)
        return HOOKLINE_BAD_CALL;
    *out = NULL;
    if (v == NULL || r == NULL || !hookline_accepted(*r))
        return HOOKLINE_BAD_CALL;
    *out = event_new_packed(r->id, event_member(r->payload, v->scheme.event.type));
    if (*out == NULL)
        return HOOKLINE_NO_MEMORY;
    (*out)->created_at = event_time(event_member(r->payload, v->scheme.event.created));
    (*out)->test = is_test(&v->scheme, (*out)->type);
    if (event_is_json(&v->scheme, r->payload))
        (*out)->unreadable = hookline_member_problem(r->payload);
    return 0;
}

void hookline_event_free(hookline_event **event)
{
    if (event == NULL)
        return;
    free(*event);
    *event = NULL;
}
