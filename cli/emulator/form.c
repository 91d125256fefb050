/* SPDX-License-Identifier: MIT */
#include "cli/emulator/form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/client.h"
#include "daemon/base/json.h"

/* What is looked at, and where its problems go. */
struct form_context {
    struct form_problems *problems;
    const char *path; /* of the object, with its dot; "" for the body */
};

static struct form_problem *form_add_problem(const struct form_context *ctx, const char *name,
                                             const struct form_field *field, enum form_issue issue,
                                             const cJSON *received)
{
    struct form_problems *problems = ctx->problems;
    struct form_problem *problem = &problems->items[problems->count];
    size_t len;

    if (problems->count == FORM_PROBLEMS_MAX)
        return NULL;
    problems->count++;
    *problem = (struct form_problem){.field = field, .issue = issue, .received = received};
    snprintf(problem->name, sizeof(problem->name), "%s%s", ctx->path, name);
    /* What was cut in the middle of a character would be no JSON in an answer. */
    for (len = strlen(problem->name); !json_is_utf8(problem->name, len);)
        problem->name[--len] = '\0';
    return problem;
}

static void form_expect(struct form_problem *problem, const char *what)
{
    if (problem != NULL)
        snprintf(problem->expected, sizeof(problem->expected), "%s", what);
}

static void form_expect_least(struct form_problem *problem, size_t least, const char *of_what)
{
    if (problem != NULL)
        snprintf(problem->expected, sizeof(problem->expected), "at least %zu %s%s", least, of_what,
                 least == 1 ? "" : "s");
}

static bool form_is_one_of(const char *text, const char *const *allowed)
{
    for (; *allowed != NULL; allowed++)
        if (strcmp(text, *allowed) == 0)
            return true;
    return false;
}

static size_t form_count_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* Of a single slash libcurl makes two. */
static bool form_is_url(const char *text)
{
    return (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) &&
           client_url_problem(text) == NULL;
}

static void form_check_text(const struct form_context *ctx, const struct form_field *field,
                            const cJSON *text)
{
    if (!cJSON_IsString(text))
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, text), "string");
    else if (form_count_characters(text->valuestring) < field->least)
        form_expect_least(form_add_problem(ctx, field->name, field, FORM_TOO_SHORT, text),
                          field->least, "character");
    else if (field->allowed != NULL && !form_is_one_of(text->valuestring, field->allowed))
        form_expect(form_add_problem(ctx, field->name, field, FORM_NOT_ALLOWED, text),
                    "one of the allowed values");
    else if (field->kind == FORM_URL && !form_is_url(text->valuestring))
        form_expect(form_add_problem(ctx, field->name, field, FORM_NO_URL, text),
                    "an http or https URL");
}

static void form_check_texts(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *array)
{
    const cJSON *item;
    int number = 0;

    if (!cJSON_IsArray(array)) {
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, array), "array");
        return;
    }
    if ((size_t)cJSON_GetArraySize(array) < field->least)
        form_expect_least(form_add_problem(ctx, field->name, field, FORM_TOO_SHORT, array),
                          field->least, "item");
    cJSON_ArrayForEach(item, array)
    {
        char name[FORM_NAME_SIZE];

        snprintf(name, sizeof(name), "%s[%d]", field->name, number++);
        if (!cJSON_IsString(item))
            form_expect(form_add_problem(ctx, name, field, FORM_WRONG_TYPE, item), "string");
        else if (field->allowed != NULL && !form_is_one_of(item->valuestring, field->allowed))
            form_expect(form_add_problem(ctx, name, field, FORM_NOT_ALLOWED, item),
                        "one of the allowed values");
    }
}

static void form_check_field(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *value);

static void form_check_object(const struct form_context *ctx, const struct form_field *field,
                              const cJSON *object)
{
    char path[FORM_NAME_SIZE];
    const struct form_context inside = {ctx->problems, path};

    if (!cJSON_IsObject(object)) {
        form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, object), "object");
        return;
    }
    snprintf(path, sizeof(path), "%s%s.", ctx->path, field->name);
    for (const struct form_field *f = field->fields; f->name != NULL; f++)
        form_check_field(&inside, f, cJSON_GetObjectItemCaseSensitive(object, f->name));
}

static void form_check_field(const struct form_context *ctx, const struct form_field *field,
                             const cJSON *value)
{
    if (value == NULL) {
        if (field->required)
            form_expect(form_add_problem(ctx, field->name, field, FORM_MISSING, NULL), "a value");
        return;
    }
    if (field->nullable && cJSON_IsNull(value))
        return;
    switch (field->kind) {
    case FORM_TEXT:
    case FORM_URL:
        form_check_text(ctx, field, value);
        break;
    case FORM_BOOL:
        if (!cJSON_IsBool(value))
            form_expect(form_add_problem(ctx, field->name, field, FORM_WRONG_TYPE, value),
                        "boolean");
        break;
    case FORM_TEXTS:
        form_check_texts(ctx, field, value);
        break;
    case FORM_OBJECT:
        form_check_object(ctx, field, value);
        break;
    }
}

static bool form_has_field(const struct form_field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return true;
    return false;
}

/* cJSON's strings end there, so what is behind it would be lost. It takes \u12g4 for one, too. */
static bool form_has_nul(const char *text, size_t len)
{
    if (memchr(text, '\0', len) != NULL)
        return true;
    while ((text = strchr(text, '\\')) != NULL) {
        if (text[1] == 'u' &&
            (strspn(text + 2, "0123456789abcdefABCDEF") < 4 || strncmp(text + 2, "0000", 4) == 0))
            return true;
        text += text[1] != '\0' ? 2 : 1;
    }
    return false;
}

cJSON *form_parse(const char *text, size_t len)
{
    if (form_has_nul(text, len) || !json_is_utf8(text, len))
        return NULL;
    return cJSON_ParseWithOpts(text, NULL, 1);
}

bool form_check(const struct form_field *fields, const cJSON *value, bool closed,
                struct form_problems *problems)
{
    const struct form_context ctx = {problems, ""};
    const cJSON *member;

    problems->count = 0;
    if (!cJSON_IsObject(value)) {
        form_expect(form_add_problem(&ctx, "", NULL, FORM_WRONG_TYPE, value), "object");
        return false;
    }
    for (const struct form_field *f = fields; f->name != NULL; f++)
        form_check_field(&ctx, f, cJSON_GetObjectItemCaseSensitive(value, f->name));
    cJSON_ArrayForEach(member, value)
    {
        if (closed && !form_has_field(fields, member->string))
            form_add_problem(&ctx, member->string, NULL, FORM_UNKNOWN, member);
    }
    return problems->count == 0;
}
