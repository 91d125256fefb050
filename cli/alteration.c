/* SPDX-License-Identifier: MIT */
#include "cli/alteration.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "daemon/base/moment.h"
#include "daemon/base/iso_time.h"

static struct faults_body faults_body_fail(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE],
                                           const char *what)
{
    free(body.base);
    snprintf(why, FAULTS_BODY_WHY_SIZE, "%s", what);
    return (struct faults_body){NULL, 0};
}

/* ---- time */

/* cJSON's strings end at a NUL: keys that hold one are not found. */
static cJSON *faults_find_member(cJSON *json, const char *path)
{
    while (json != NULL && *path != '\0') {
        char name[128];
        size_t len = strcspn(path, ".");

        if (len >= sizeof(name))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        json = cJSON_GetObjectItemCaseSensitive(json, name);
        path += len;
        path += *path == '.';
    }
    return json;
}

static cJSON *faults_later_text(const char *text, int64_t shift_s)
{
    char out[RFC3339_SIZE];
    int64_t us;

    if (!rfc3339_read(text, &us) || us + shift_s * 1000000 < 0)
        return NULL;
    rfc3339_write(out, us + shift_s * 1000000);
    return cJSON_CreateString(out);
}

static cJSON *faults_later_number(double number, int64_t shift_s)
{
    const double milliseconds = 1e11; /* and more */

    return cJSON_CreateNumber(number + (double)shift_s * (number >= milliseconds ? 1000 : 1));
}

struct faults_body faults_shift_time(struct faults_body body, const char *path, int64_t shift_s,
                                     char why[FAULTS_BODY_WHY_SIZE])
{
    cJSON *json = cJSON_ParseWithLength(body.base, body.len), *at = faults_find_member(json, path),
          *later = NULL;
    char *text = NULL;

    if (cJSON_IsString(at))
        later = faults_later_text(at->valuestring, shift_s);
    else if (cJSON_IsNumber(at))
        later = faults_later_number(at->valuedouble, shift_s);
    if (later != NULL) {
        char *old = at->valuestring;

        /* The member keeps its name, its place and its kind. */
        at->valuestring = later->valuestring;
        at->valueint = later->valueint;
        at->valuedouble = later->valuedouble;
        later->valuestring = old;
        text = cJSON_PrintUnformatted(json);
    }
    cJSON_Delete(later);
    cJSON_Delete(json);
    if (text == NULL)
        return faults_body_fail(body, why, "the body has no time in it that could be another");
    free(body.base);
    return (struct faults_body){text, strlen(text)};
}

/* ---- size */

struct faults_body faults_oversize(struct faults_body body, uint64_t size,
                                   char why[FAULTS_BODY_WHY_SIZE])
{
    char *bigger;

    if (body.len >= size)
        return body;
    if (size > SIZE_MAX / 2 || (bigger = realloc(body.base, (size_t)size)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    memset(bigger + body.len, ' ', (size_t)size - body.len);
    return (struct faults_body){bigger, (size_t)size};
}

/* ---- one character */

static char faults_next_character(char c)
{
    switch (c) {
    case '9':
        return '0';
    case 'z':
        return 'a';
    case 'Z':
        return 'A';
    default:
        return (char)(c + 1);
    }
}

/* The last letter or digit, so that what is JSON mostly remains so. */
struct faults_body faults_tamper(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    if (body.len == 0)
        return faults_oversize(body, 1, why);
    for (size_t i = body.len; i-- > 0;) {
        char c = body.base[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            body.base[i] = faults_next_character(c);
            return body;
        }
    }
    body.base[body.len - 1] ^= 1;
    return body;
}

/* ---- spelling */

static bool faults_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Leaves the white space between JSON's tokens out, and with `spaced` writes one blank behind each
 * comma and colon. `out` has room for twice the body. */
static size_t faults_rewrite_spaces(struct faults_body body, bool spaced, char *out)
{
    bool inside = false; /* of a string */
    size_t len = 0;

    for (size_t i = 0; i < body.len; i++) {
        char c = body.base[i];

        if (inside) {
            out[len++] = c;
            if (c == '\\' && i + 1 < body.len)
                out[len++] = body.base[++i];
            inside = c != '"';
        } else if (!faults_is_space(c)) {
            out[len++] = c;
            inside = c == '"';
            if (spaced && (c == ',' || c == ':'))
                out[len++] = ' ';
        }
    }
    return len;
}

static bool faults_body_is(struct faults_body body, const char *text, size_t len)
{
    return body.len == len && memcmp(body.base, text, len) == 0;
}

struct faults_body faults_reencode(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    cJSON *json = cJSON_ParseWithLength(body.base, body.len);
    char *text;
    size_t len;

    cJSON_Delete(json);
    if (json == NULL)
        return faults_body_fail(body, why,
                                "the body is no JSON, which could be written in another way");
    if (body.len > SIZE_MAX / 4 || (text = malloc(2 * body.len + 1)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    len = faults_rewrite_spaces(body, true, text);
    if (faults_body_is(body, text, len))
        len = faults_rewrite_spaces(body, false, text);
    /* It has neither a comma nor a colon. */
    if (faults_body_is(body, text, len))
        text[len++] = '\n';
    free(body.base);
    return (struct faults_body){text, len};
}

/* ---- line ends */

struct faults_body faults_crlf(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    size_t len = 0, bare = 0, pairs = 0;
    char *text;

    for (size_t i = 0; i < body.len; i++) {
        bool pair = body.base[i] == '\n' && i > 0 && body.base[i - 1] == '\r';

        pairs += pair;
        bare += body.base[i] == '\n' && !pair;
    }
    if (body.len > SIZE_MAX / 4 || (text = malloc(2 * body.len + 2)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    for (size_t i = 0; i < body.len; i++) {
        bool pair = i + 1 < body.len && body.base[i] == '\r' && body.base[i + 1] == '\n';

        if (pair && bare == 0)
            continue;
        if (body.base[i] == '\n' && bare > 0 && (i == 0 || body.base[i - 1] != '\r'))
            text[len++] = '\r';
        text[len++] = body.base[i];
    }
    if (bare == 0 && pairs == 0) {
        text[len++] = '\r';
        text[len++] = '\n';
    }
    free(body.base);
    return (struct faults_body){text, len};
}
