/* SPDX-License-Identifier: MIT */
#include "cli/emulator/api.h"

#include <stdlib.h>
#include <string.h>

#include "cli/emulator/api_call.h"

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

/* ---- paths */

static int api_path_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of a path up to the next slash; undoes %XX. An empty one fits no {}. */
static bool api_path_decode_part(const char **path, char part[API_PART_SIZE])
{
    size_t len = 0;
    const char *at = *path;

    for (; *at != '/' && *at != '\0'; at++) {
        int c = (unsigned char)*at;

        if (c == '%') {
            int high = api_path_hex_digit(at[1]), low = high < 0 ? -1 : api_path_hex_digit(at[2]);

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
