/* SPDX-License-Identifier: MIT */
#include "daemon/store/entry.h"

#include <stdlib.h>
#include <string.h>

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

bool entry_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value)
{
    const char *line = rest->base;
    const char *end = rest->len == 0 ? NULL : memchr(line, '\n', rest->len);
    const char *colon = end == NULL ? NULL : memmem(line, (size_t)(end - line), ": ", 2);

    if (colon == NULL)
        return false;
    *name = (hookline_bytes){line, (size_t)(colon - line)};
    *value = (hookline_bytes){colon + 2, (size_t)(end - colon - 2)};
    rest->base = end + 1;
    rest->len -= (size_t)(end + 1 - line);
    return true;
}
