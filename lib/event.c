/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "member.h"
#include "verifier.h"

/* Sets *value to the string or number at `path`, else to NULL, and parses nothing else. Fails with
 * HOOKLINE_NO_MEMORY only, because member.c has already checked the syntax. */
static int event_read_member(hookline_bytes payload, const char *path, cJSON **value)
{
    struct member m = {.kind = MEMBER_ABSENT};

    *value = NULL;
    if (path != NULL)
        m = hookline_member_find(payload, path);
    if (m.kind != MEMBER_STRING && m.kind != MEMBER_NUMBER)
        return 0;
    *value = m.kind == MEMBER_NUMBER ? cJSON_ParseWithLength(m.text.base, m.text.len)
                                     : cJSON_ParseWithLength(m.text.base - 1, m.text.len + 2);
    return *value == NULL ? HOOKLINE_NO_MEMORY : 0;
}

/* Reads seconds, milliseconds or RFC 3339, as TIME_ANY of timestamp.h. Returns -1 on other values.
 * */
static int64_t time_of(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);
    char digits[TIMESTAMP_SIZE];
    int64_t seconds;

    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15) {
        hookline_timestamp_write(TIME_SECONDS, (int64_t)item->valuedouble, digits);
        text = digits;
    }
    return text != NULL &&
                   hookline_timestamp_read(TIME_ANY, (hookline_bytes){text, strlen(text)}, &seconds)
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
static hookline_event *event_new_packed(const char *id, size_t id_len, const char *type)
{
    size_t type_size = type == NULL ? 0 : strlen(type) + 1;
    hookline_event *event = malloc(sizeof(*event) + id_len + 1 + type_size);
    char *text;

    if (event == NULL)
        return NULL;
    *event = (hookline_event){.created_at = -1};
    text = (char *)(event + 1);
    if (id_len > 0) {
        event->id = memcpy(text, id, id_len);
        text[id_len] = '\0';
    }
    if (type_size > 0)
        event->type = memcpy(text + id_len + 1, type, type_size);
    return event;
}

static int event_read_payload(hookline_event **out, const struct scheme *s,
                              const hookline_result *r)
{
    hookline_bytes payload = r->payload;
    cJSON *type = NULL, *created = NULL;
    int code = 0;

    if (!hookline_member_is_object(payload)) {
        if (s->event.json)
            return HOOKLINE_BAD_PAYLOAD;
        payload = (hookline_bytes){"{}", 2};
    }
    if (event_read_member(payload, s->event.type, &type) < 0 ||
        event_read_member(payload, s->event.created, &created) < 0 ||
        (*out = event_new_packed(r->id.base, r->id.len, cJSON_GetStringValue(type))) == NULL) {
        code = HOOKLINE_NO_MEMORY;
    } else {
        (*out)->created_at = time_of(created);
        (*out)->test = is_test(s, (*out)->type);
    }
    cJSON_Delete(type);
    cJSON_Delete(created);
    return code;
}

int hookline_event_read(hookline_event **out, const hookline_verifier *v, const hookline_result *r)
{
    if (out == NULL)
        return HOOKLINE_BAD_CALL;
    *out = NULL;
    if (v == NULL || r == NULL || !hookline_accepted(*r))
        return HOOKLINE_BAD_CALL;
    return event_read_payload(out, &v->scheme, r);
}

void hookline_event_free(hookline_event **event)
{
    if (event == NULL)
        return;
    free(*event);
    *event = NULL;
}
