/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the reader of single members against cJSON. An input is a path, a line feed and a
 * document. cJSON accepts more than RFC 8259, so the target compares only documents that the reader
 * accepts.
 */
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/member.h"
#include "tests/fuzz/fuzz.h"

static const cJSON *find(const cJSON *object, const char *path)
{
    while (object != NULL) {
        size_t len = strcspn(path, ".");
        char *name = strndup(path, len);

        fuzz_check(name != NULL);
        object = cJSON_GetObjectItemCaseSensitive(object, name);
        free(name);
        if (path[len] == '\0')
            return object;
        path += len + 1;
    }
    return NULL;
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
        fuzz_check(cJSON_IsString(theirs));
        fuzz_check(ours.escaped ||
                   (strlen(theirs->valuestring) == ours.text.len &&
                    memcmp(theirs->valuestring, ours.text.base, ours.text.len) == 0));
        break;
    case MEMBER_NUMBER: {
        char *digits = strndup(ours.text.base, ours.text.len);
        double number = strtod(digits, NULL);

        fuzz_check(cJSON_IsNumber(theirs));
        /* cJSON reads the first 63 characters. */
        fuzz_check(number == theirs->valuedouble || isnan(number) || ours.text.len > 63);
        free(digits);
        break;
    }
    case MEMBER_NULL:
        fuzz_check(cJSON_IsNull(theirs));
        break;
    case MEMBER_OBJECT:
        fuzz_check(cJSON_IsObject(theirs));
        fuzz_check(hookline_member_problem(ours.text) == NULL);
        break;
    case MEMBER_OTHER:
        fuzz_check(cJSON_IsBool(theirs) || cJSON_IsArray(theirs));
        break;
    }
}

/* The reader does not decode non-ASCII escapes in names. */
static bool is_ascii(const char *path)
{
    while (*path != '\0' && (unsigned char)*path < 0x80)
        path++;
    return *path == '\0';
}

static void check_document(const char *path, hookline_bytes json)
{
    struct member found = hookline_member_find(json, path);
    cJSON *tree;

    if (found.text.len > 0)
        fuzz_check(found.text.base >= json.base &&
                   found.text.base + found.text.len <= json.base + json.len);
    /* cJSON ends a string at a NUL, and has limits for numbers, nesting and surrogates. */
    if (memmem(json.base, json.len, "\\u0000", 6) != NULL ||
        hookline_member_problem(json) != NULL ||
        (tree = cJSON_ParseWithLength(json.base, json.len)) == NULL)
        return;
    fuzz_check(cJSON_IsObject(tree));
    if (is_ascii(path))
        check_same(find(tree, path), found);
    else
        fuzz_check(found.kind == MEMBER_ABSENT || find(tree, path) != NULL);
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
