/* SPDX-License-Identifier: MIT */
#include "cli/emulator/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/json.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

const struct api_request *api_request(const struct api_call *call)
{
    return &call->request;
}

const char *api_header(const struct api_call *call, const char *name)
{
    for (const struct api_header *header = call->headers; header->name != NULL; header++)
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

const char *api_request_id(const struct api_call *call)
{
    return call->id;
}

/* ---- answers */

void api_answer_bytes(struct api_call *call, int status, const char *type, const char *bytes,
                      size_t len)
{
    const struct api_answer answer = {.status = status, .type = type, .body = bytes, .len = len};

    call->answer(call, &answer);
}

void api_reset(struct api_call *call)
{
    call->answer(call, &(struct api_answer){.reset = true});
}

void api_answer_with(struct api_call *call, int status, cJSON *json, const char *name,
                     const char *value)
{
    struct api_answer answer = {.status = status, .more = {name, value}};
    char *text = NULL;

    if (json != NULL) {
        text = cJSON_PrintUnformatted(json);
        answer.type = "application/json";
        answer.body = text == NULL ? "{}" : text;
        answer.len = strlen(answer.body);
        if (text == NULL)
            answer.status = 503;
    }
    cJSON_Delete(json);
    call->answer(call, &answer);
    cJSON_free(text);
}

void api_answer(struct api_call *call, int status, cJSON *json)
{
    api_answer_with(call, status, json, NULL, NULL);
}

void api_json_text(cJSON *object, const char *name, const char *text)
{
    if (text == NULL)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

void api_json_time(cJSON *object, const char *name, int64_t us)
{
    char text[RFC3339_SIZE];

    rfc3339_write(text, us);
    cJSON_AddStringToObject(object, name, text);
}

/* ---- paths */

static int api_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the segment up to the next slash. Returns false for an empty or bad one. */
static bool api_path_decode_part(const char **path, char part[API_PART_SIZE])
{
    size_t len = 0;
    const char *at = *path;

    for (; *at != '/' && *at != '\0'; at++) {
        int c = (unsigned char)*at;

        if (c == '%') {
            int high = api_hex_digit(at[1]), low = high < 0 ? -1 : api_hex_digit(at[2]);

            if (low < 0)
                return false;
            c = high << 4 | low;
            at += 2;
        }
        if (c < 0x20 || c == 0x7f || len == API_PART_SIZE - 1)
            return false;
        part[len++] = (char)c;
    }
    part[len] = '\0';
    *path = at;
    return len > 0;
}

bool api_path_fits(const struct api_request *request, const char *pattern,
                   char parts[][API_PART_SIZE])
{
    const char *path = request->path;
    size_t found = 0;

    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) == 0) {
            if (!api_path_decode_part(&path, parts[found++]))
                return false;
            pattern += 2;
        } else if (*path++ != *pattern++) {
            return false;
        }
    }
    return *path == '\0';
}

/* ---- routes */

const struct api_route *api_route_find(const struct api_route *routes, struct api_context *ctx,
                                       char methods[API_METHODS_SIZE])
{
    const struct api_request *request = api_request(ctx->call);
    size_t used = 0;

    methods[0] = '\0';
    for (const struct api_route *route = routes; route->pattern != NULL; route++) {
        if (!api_path_fits(request, route->pattern, ctx->parts))
            continue;
        if (strcmp(route->method, request->method) == 0)
            return route;
        used += (size_t)snprintf(methods + used, API_METHODS_SIZE - used, "%s%s",
                                 used > 0 ? ", " : "", route->method);
        if (used >= API_METHODS_SIZE)
            used = API_METHODS_SIZE - 1;
    }
    return NULL;
}

bool api_path_is_below(const struct api_request *request, const char *path)
{
    size_t len = strlen(path);

    return strncmp(request->path, path, len) == 0 &&
           (request->path[len] == '\0' || request->path[len] == '/');
}

bool api_route_table_serve(const struct api_route_table *routes, struct emulator *emulator,
                           struct api_call *call)
{
    struct api_context ctx = {.emulator = emulator, .call = call};
    char methods[API_METHODS_SIZE];
    const struct api_route *route;

    if (!api_path_is_below(api_request(call), routes->root))
        return false;
    route = api_route_find(routes->list, &ctx, methods);
    if (route == NULL && methods[0] != '\0')
        routes->refuse_method(call, methods);
    else if (route == NULL)
        routes->refuse_path(call);
    else if (routes->admit(&ctx, route->right))
        route->answer(&ctx);
    return true;
}

const char *api_bearer_token(const struct api_call *call)
{
    static const char scheme[] = "Bearer ";
    const char *value = api_header(call, "authorization");

    if (value == NULL || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    value += sizeof(scheme) - 1;
    value += strspn(value, " ");
    return *value != '\0' ? value : NULL;
}

/* Decodes one character and advances; -1 for a broken escape. */
static int api_query_next_character(const char **text)
{
    int high, low;

    if (**text == '+') {
        ++*text;
        return ' ';
    }
    if (**text != '%')
        return (unsigned char)*(*text)++;
    if ((high = api_hex_digit((*text)[1])) < 0 || (low = api_hex_digit((*text)[2])) < 0)
        return -1;
    *text += 3;
    return high * 16 + low;
}

static bool api_query_read_value(const char *text, char *value, size_t size)
{
    size_t len = 0;
    int c = 1;

    while (*text != '\0' && *text != '&' && len + 1 < size &&
           (c = api_query_next_character(&text)) > 0)
        value[len++] = (char)c;
    value[len] = '\0';
    if ((*text == '\0' || *text == '&') && c > 0 && text_is_utf8(value, len))
        return true;
    value[0] = '\0';
    return false;
}

bool api_query_parameter(const struct api_request *request, const char *name, char *value,
                         size_t size)
{
    size_t len = strlen(name);
    const char *at = request->query;

    value[0] = '\0';
    while (at != NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return api_query_read_value(at + len + 1, value, size);
        if ((at = strchr(at, '&')) != NULL)
            at++;
    }
    return true;
}
