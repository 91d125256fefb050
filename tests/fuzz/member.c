/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the reader of JSON against cJSON. An input is a path, a line feed and a document. cJSON
 * accepts more than RFC 8259 in some places and less in others, so the target compares documents
 * that both accept.
 */
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/member.h"
#include "tests/fuzz/fuzz.h"

/* The last member of this name, as the reader takes it; cJSON itself takes the first. */
static const cJSON *find_last(const cJSON *object, const char *name)
{
    const cJSON *item, *found = NULL;

    cJSON_ArrayForEach(item, object) if (strcmp(item->string, name) == 0) found = item;
    return found;
}

static const cJSON *find(const cJSON *object, const char *path)
{
    while (cJSON_IsObject(object)) {
        size_t len = strcspn(path, ".");
        char *name = strndup(path, len);

        fuzz_check(name != NULL);
        object = find_last(object, name);
        free(name);
        if (path[len] == '\0')
            return object;
        path += len + 1;
    }
    return NULL;
}

static const char *damage_of(hookline_bytes json)
{
    unsigned char *levels = malloc(MEMBER_LEVELS_SIZE(json.len));
    const char *damage;

    fuzz_check(levels != NULL);
    damage = hookline_member_damage(json, levels);
    free(levels);
    return damage;
}

static void check_string(const cJSON *theirs, struct member ours)
{
    char *value = malloc(ours.text.len + 1);
    size_t len;

    fuzz_check(value != NULL && cJSON_IsString(theirs));
    len = hookline_member_decode(ours, value);
    fuzz_check(len <= ours.text.len && hookline_member_equals(ours, (hookline_bytes){value, len}));
    fuzz_check(strlen(theirs->valuestring) == len && memcmp(theirs->valuestring, value, len) == 0);
    free(value);
}

static void check_same(const cJSON *theirs, struct member ours)
{
    switch (ours.kind) {
    case MEMBER_MALFORMED:
        fuzz_check(!"a document that is an object is not malformed");
        break;
    case MEMBER_ABSENT:
        fuzz_check(theirs == NULL);
        break;
    case MEMBER_STRING:
        check_string(theirs, ours);
        break;
    case MEMBER_NUMBER: {
        char *digits = strndup(ours.text.base, ours.text.len);
        double number = strtod(digits, NULL);

        fuzz_check(cJSON_IsNumber(theirs));
        fuzz_check(number == theirs->valuedouble || isnan(number));
        free(digits);
        break;
    }
    case MEMBER_NULL:
        fuzz_check(cJSON_IsNull(theirs));
        break;
    case MEMBER_OBJECT:
        fuzz_check(cJSON_IsObject(theirs));
        fuzz_check(damage_of(ours.text) == NULL);
        break;
    case MEMBER_OTHER:
        fuzz_check(cJSON_IsBool(theirs) || cJSON_IsArray(theirs));
        break;
    }
}

static void check_document(const char *path, hookline_bytes json)
{
    struct member found = hookline_member_find(json, path);
    const char *damage = damage_of(json);
    cJSON *tree;

    if (found.text.len > 0)
        fuzz_check(found.text.base >= json.base &&
                   found.text.base + found.text.len <= json.base + json.len);
    fuzz_check(damage == NULL || damage[0] != '\0');
    fuzz_check(damage != NULL || found.kind != MEMBER_MALFORMED);
    fuzz_check(damage != NULL || hookline_member_opens_object(json));
    /* cJSON ends a string at a NUL. */
    if (memmem(json.base, json.len, "\\u0000", 6) != NULL || damage != NULL)
        return;
    if ((tree = cJSON_ParseWithLength(json.base, json.len)) != NULL)
        check_same(find(tree, path), found);
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *feed = size == 0 ? NULL : memchr(text, '\n', size);
    char *path, *json;
    size_t len;

    if (feed == NULL)
        return 0;
    len = size - (size_t)(feed + 1 - text);
    path = strndup(text, (size_t)(feed - text));
    json = malloc(len > 0 ? len : 1);
    fuzz_check(path != NULL && json != NULL);
    memcpy(json, feed + 1, len);
    check_document(path, (hookline_bytes){json, len});
    free(json);
    free(path);
    return 0;
}
