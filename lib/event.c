/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "member.h"
#include "verifier.h"

static const cJSON *find(const cJSON *object, const char *path)
{
    char name[SCHEME_TEXT_MAX];

    while (path != NULL && object != NULL) {
        size_t len = strcspn(path, ".");

        memcpy(name, path, len);
        name[len] = '\0';
        object = cJSON_GetObjectItemCaseSensitive(object, name);
        path = path[len] == '.' ? path + len + 1 : NULL;
    }
    return object;
}

static const char *find_text(const cJSON *object, const char *path)
{
    return path == NULL ? NULL : cJSON_GetStringValue(find(object, path));
}

/* Whole numbers of seconds or milliseconds, or RFC 3339, as timestamp.h reads TIME_ANY. */
static int64_t find_time(const cJSON *object, const char *path)
{
    const cJSON *item = path == NULL ? NULL : find(object, path);
    const char *text = cJSON_GetStringValue(item);
    char digits[TIMESTAMP_SIZE];
    int64_t seconds;

    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15) {
        timestamp_write(TIME_SECONDS, (int64_t)item->valuedouble, digits);
        text = digits;
    }
    return text != NULL && timestamp_read(TIME_ANY, (hookline_bytes){text, strlen(text)}, &seconds)
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

/* cJSON does not tell a malformed document from a lack of memory, and takes some documents that
 * are no JSON; our own answer to the sender depends on the difference. */
static int parse_object(const struct scheme *s, hookline_bytes payload, cJSON **json)
{
    *json = NULL;
    if (!member_is_object(payload))
        return s->event.json ? HOOKLINE_BAD_PAYLOAD : 0;
    *json = cJSON_ParseWithLength(payload.base, payload.len);
    return *json == NULL ? HOOKLINE_NO_MEMORY : 0;
}

/* Struct and texts in one block, so that one free() releases them. */
static hookline_event *pack(const char *id, size_t id_len, const char *type)
{
    size_t type_size = type == NULL ? 0 : strlen(type) + 1;
    hookline_event *event = malloc(sizeof(*event) + id_len + 1 + type_size);
    char *text = (char *)(event + 1);

    if (event == NULL)
        return NULL;
    *event = (hookline_event){.created_at = -1};
    if (id_len > 0) {
        event->id = memcpy(text, id, id_len);
        text[id_len] = '\0';
    }
    if (type_size > 0)
        event->type = memcpy(text + id_len + 1, type, type_size);
    return event;
}

int hookline_event_read(hookline_event **out, const hookline_verifier *v, const hookline_result *r)
{
    cJSON *json;
    const char *type;
    int code;

    if (out == NULL)
        return HOOKLINE_BAD_CALL;
    *out = NULL;
    if (v == NULL || r == NULL || !hookline_accepted(*r))
        return HOOKLINE_BAD_CALL;
    if ((code = parse_object(&v->scheme, r->payload, &json)) < 0)
        return code;
    type = find_text(json, v->scheme.event.type);
    if ((*out = pack(r->id.base, r->id.len, type)) != NULL) {
        (*out)->created_at = find_time(json, v->scheme.event.created);
        (*out)->test = is_test(&v->scheme, type);
    }
    cJSON_Delete(json);
    return *out == NULL ? HOOKLINE_NO_MEMORY : 0;
}

void hookline_event_free(hookline_event **event)
{
    if (event == NULL)
        return;
    free(*event);
    *event = NULL;
}
