/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "verifier.h"

static struct member event_find(hookline_bytes payload, const char *path)
{
    return path == NULL ? (struct member){.kind = MEMBER_ABSENT}
                        : hookline_member_find(payload, path);
}

/* The result has the id already, unless the body writes it with escapes. */
static struct member event_find_id(const struct scheme *s, const hookline_result *r)
{
    if (r->id.len > 0)
        return (struct member){.kind = MEMBER_STRING, .text = r->id};
    return event_find(r->payload, s->id.source == FROM_BODY ? s->id.name[0] : NULL);
}

/* Cuts the fraction off a number without an exponent. */
static hookline_bytes number_whole(hookline_bytes text)
{
    const char *point = memchr(text.base, '.', text.len);

    if (point != NULL && memchr(text.base, 'e', text.len) == NULL &&
        memchr(text.base, 'E', text.len) == NULL)
        text.len = (size_t)(point - text.base);
    return text;
}

/* Reads seconds, milliseconds or RFC 3339, as TIME_ANY of timestamp.h. Returns -1 on other values.
 * */
static int64_t event_time_of(struct member m)
{
    int64_t seconds;

    if (m.kind == MEMBER_NUMBER)
        m.text = number_whole(m.text);
    return hookline_content_time_of(m, TIME_ANY, &seconds) ? seconds : -1;
}

static int is_test(const struct scheme *s, const char *type)
{
    for (size_t i = 0; type != NULL && i < SCHEME_TESTS_MAX && s->event.test[i] != NULL; i++)
        if (strcmp(s->event.test[i], type) == 0)
            return 1;
    return 0;
}

/* Sets event->id or leaves it NULL. Returns the reason if the payload has an id that is none. */
static const char *event_set_id(hookline_event *event, struct member m, char *text)
{
    hookline_bytes id = {text, hookline_member_decode(m, text)};

    if (m.kind == MEMBER_OBJECT || m.kind == MEMBER_OTHER)
        return "the id is no string or number";
    if (m.kind != MEMBER_STRING && m.kind != MEMBER_NUMBER)
        return NULL;
    if (!hookline_content_id_is_sound(id))
        return "the id is not 1 to 256 characters of printable ASCII without blanks";
    text[id.len] = '\0';
    event->id = text;
    return NULL;
}

/* As event_set_id(). A NUL would cut the type of a C string, so that it might equal another one. */
static const char *event_set_type(hookline_event *event, struct member m, char *text)
{
    size_t len = hookline_member_decode(m, text);

    if (m.kind == MEMBER_MALFORMED || m.kind == MEMBER_ABSENT || m.kind == MEMBER_NULL)
        return NULL;
    if (m.kind != MEMBER_STRING)
        return "the type is no string";
    if (memchr(text, '\0', len) != NULL)
        return "the type contains a NUL character";
    text[len] = '\0';
    event->type = text;
    return NULL;
}

/* Allocates struct and texts as one block, so that one free() releases both. */
static hookline_event *event_new_packed(const struct scheme *s, const hookline_result *r)
{
    struct member id = event_find_id(s, r), type = event_find(r->payload, s->event.type);
    hookline_event *event = malloc(sizeof(*event) + id.text.len + 1 + type.text.len + 1);
    const char *bad_id, *bad_type;
    char *text = (char *)(event + 1);

    if (event == NULL)
        return NULL;
    *event = (hookline_event){0};
    bad_id = event_set_id(event, id, text);
    bad_type = event_set_type(event, type, text + id.text.len + 1);
    event->unreadable = bad_id != NULL ? bad_id : bad_type;
    event->created_at = event_time_of(event_find(r->payload, s->event.created));
    event->test = is_test(s, event->type);
    return event;
}

/* Sets *damage to the first damage of the payload, or to NULL. A payload that does not begin as an
 * object is damaged only if the sender says that it sends JSON. Returns false without memory. */
static bool event_check_payload(const char **damage, const struct scheme *s, hookline_bytes payload)
{
    unsigned char few[512], *levels = few;
    size_t size = MEMBER_LEVELS_SIZE(payload.len);

    *damage = NULL;
    if (!s->event.json && !hookline_member_opens_object(payload))
        return true;
    if (size > sizeof(few) && (levels = malloc(size)) == NULL)
        return false;
    *damage = hookline_member_damage(payload, levels);
    if (levels != few)
        free(levels);
    return true;
}

int hookline_event_read(hookline_event **out, const hookline_verifier *v, const hookline_result *r)
{
    const char *damage;

    if (out == NULL)
        return HOOKLINE_BAD_CALL;
    *out = NULL;
    if (v == NULL || r == NULL || !hookline_accepted(*r))
        return HOOKLINE_BAD_CALL;
    if (!event_check_payload(&damage, &v->scheme, r->payload) ||
        (*out = event_new_packed(&v->scheme, r)) == NULL)
        return HOOKLINE_NO_MEMORY;
    if (damage != NULL)
        (*out)->unreadable = damage;
    return 0;
}

void hookline_event_free(hookline_event **event)
{
    if (event == NULL)
        return;
    free(*event);
    *event = NULL;
}
