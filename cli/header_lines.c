/* SPDX-License-Identifier: MIT */
#include "cli/header_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool header_lines_is_name(const char *text, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!alnum && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return len > 0;
}

static bool header_lines_is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static hookline_bytes header_lines_trim(const char *text, size_t len)
{
    while (len > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return (hookline_bytes){text, len};
}

/* Name and value in one piece, which the name's pointer owns. */
static bool header_lines_append(struct header_lines *lines, const char *name, size_t name_len,
                                hookline_bytes value)
{
    hookline_header *bigger =
        realloc(lines->entries, (lines->count + 1) * sizeof(lines->entries[0]));
    char *text = malloc(name_len + 1 + value.len + 1);

    if (bigger != NULL)
        lines->entries = bigger;
    if (bigger == NULL || text == NULL) {
        free(text);
        return false;
    }
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    memcpy(text + name_len + 1, value.base, value.len);
    text[name_len + 1 + value.len] = '\0';
    lines->entries[lines->count++] = (hookline_header){text, {text + name_len + 1, value.len}};
    return true;
}

bool header_lines_add(struct header_lines *lines, const char *line, size_t len,
                      char why[HEADER_LINES_WHY_SIZE])
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon == NULL ? 0 : (size_t)(colon - line);
    hookline_bytes value;

    if (colon == NULL) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "expected \"Name: value\": there is no colon");
        return false;
    }
    if (!header_lines_is_name(line, name_len)) {
        snprintf(why, HEADER_LINES_WHY_SIZE,
                 "expected \"Name: value\": what is in front of the colon is no header's name");
        return false;
    }
    value = header_lines_trim(colon + 1, len - name_len - 1);
    if (!header_lines_is_value(value.base, value.len)) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "%.*s: a header's value has no control characters",
                 name_len > 64 ? 64 : (int)name_len, line);
        return false;
    }
    if (lines->count == HEADER_LINES_MAX) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "there are more than %d headers", HEADER_LINES_MAX);
        return false;
    }
    if (header_lines_append(lines, line, name_len, value))
        return true;
    snprintf(why, HEADER_LINES_WHY_SIZE, "out of memory");
    return false;
}

hookline_header_list header_lines_list(const struct header_lines *lines)
{
    return (hookline_header_list){lines->entries, lines->count};
}

void header_lines_free(struct header_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free((char *)lines->entries[i].name);
    free(lines->entries);
    *lines = (struct header_lines){NULL, 0};
}
