/* SPDX-License-Identifier: MIT */
#include "daemon/conf/complaint.h"

#include <stdio.h>
#include <string.h>

static void prepend(struct complaint *c, const char *part)
{
    char rest[sizeof(c->path)];

    memcpy(rest, c->path, sizeof(rest));
    snprintf(c->path, sizeof(c->path), "%s%s%.*s", part, rest[0] == '\0' ? "" : "/",
             (int)(sizeof(rest) - 1 - strlen(part) - 1), rest);
}

void complaint_hear(cyaml_log_t level, void *data, const char *format, va_list args)
{
    struct complaint *c = data;
    char line[256], part[64];
    const char *text = line;
    unsigned entry;

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "Load: ", 6) == 0)
        text += 6;
    if (sscanf(text, " in mapping field '%63[^']'", part) == 1) {
        prepend(c, part);
    } else if (sscanf(text, " in sequence entry '%u'", &entry) == 1) {
        snprintf(part, sizeof(part), "%u", entry == 0 ? 0 : entry - 1);
        prepend(c, part);
    } else if (c->sentence[0] == '\0' && strcmp(text, "Backtrace:") != 0) {
        snprintf(c->sentence, sizeof(c->sentence), "%s", text);
        if (sscanf(text, "Unexpected key: %63s", part) == 1)
            prepend(c, part);
    }
}

/* The name of the key that it is about, and ": "; of an item, that of its list. */
static void name_key(const struct complaint *c, char *to, size_t size)
{
    size_t end = strlen(c->path), begin;

    while (end > 0 && strchr("0123456789/", c->path[end - 1]) != NULL)
        end--;
    for (begin = end; begin > 0 && c->path[begin - 1] != '/';)
        begin--;
    snprintf(to, size, "%s%.*s%s", c->path[end] == '\0' ? "" : "an item of ", (int)(end - begin),
             c->path + begin, end == begin ? "" : ": ");
}

static const char *of_kind(const char *kind)
{
    return strcmp(kind, "MAPPING") == 0    ? "a mapping, lines of KEY: VALUE"
           : strcmp(kind, "SEQUENCE") == 0 ? "a list, lines of - ITEM"
                                           : "one text or number";
}

size_t complaint_write(const struct complaint *c, const char *otherwise, char *to, size_t size)
{
    char key[80], kind[16], number[64], sign;
    unsigned long length;
    int len;

    name_key(c, key, sizeof(key));
    if (sscanf(c->sentence, "Expecting %15[A-Z]", kind) == 1)
        len = snprintf(to, size, "%sexpected %s", key, of_kind(kind));
    else if (sscanf(c->sentence, "STRING length %c %lu", &sign, &length) == 2)
        len = snprintf(to, size, "%sexpected %s %lu bytes", key,
                       sign == '<' ? "at least" : "at most", length);
    else if (sscanf(c->sentence, "Invalid %*[UINTuint64_] value: '%63[0-9]", number) == 1)
        len = snprintf(to, size, "%s%s is too large", key, number);
    else if (strncmp(c->sentence, "Invalid ENUM", 12) == 0)
        len = snprintf(to, size, "%s; expected %s", c->sentence,
                       strcmp(key, "answer: ") == 0 ? "stored or upstream" : "true or false");
    else
        len = snprintf(to, size, "%s", c->sentence[0] == '\0' ? otherwise : c->sentence);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}
