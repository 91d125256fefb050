/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TEXTS = 8
};

static void list_texts(struct entry *entry, hookline_bytes *texts[TEXTS])
{
    hookline_bytes *all[TEXTS] = {
        &entry->source, &entry->scheme, &entry->id,      &entry->mac,
        &entry->type,   &entry->remote, &entry->headers, &entry->body,
    };

    memcpy(texts, all, sizeof(all));
}

size_t entry_size(const struct entry *entry)
{
    struct entry copy = *entry;
    hookline_bytes *texts[TEXTS];
    size_t size = 0;

    list_texts(&copy, texts);
    for (size_t i = 0; i < TEXTS; i++)
        size += texts[i]->len;
    return size;
}

struct entry *entry_copy(const struct entry *entry)
{
    struct entry *copy = malloc(sizeof(*copy) + entry_size(entry));
    hookline_bytes *texts[TEXTS];
    char *to;

    if (copy == NULL)
        return NULL;
    *copy = *entry;
    to = (char *)(copy + 1);
    list_texts(copy, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i]->base == NULL)
            continue;
        memcpy(to, texts[i]->base, texts[i]->len);
        texts[i]->base = to;
        to += texts[i]->len;
    }
    return copy;
}

/* "name: value\n" ends where the next one begins. */
static hookline_bytes value_of(const char *line, const char *end, size_t name_len)
{
    const char *value = line + name_len + 2;

    return value <= end ? (hookline_bytes){value, (size_t)(end - value)} : (hookline_bytes){0};
}

hookline_bytes entry_header(const struct entry *entry, const char *name)
{
    const char *line = entry->headers.base, *stop = line + entry->headers.len;
    size_t len = strlen(name);

    while (line != NULL && line < stop) {
        const char *end = memchr(line, '\n', (size_t)(stop - line));

        if (end == NULL)
            break;
        if ((size_t)(end - line) > len && line[len] == ':' && strncasecmp(line, name, len) == 0)
            return value_of(line, end, len);
        line = end + 1;
    }
    return (hookline_bytes){0};
}
