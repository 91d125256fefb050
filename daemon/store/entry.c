/* SPDX-License-Identifier: MIT */
#include "daemon/store/entry.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_TEXTS = 8
};

static void delivery_row_texts(struct delivery_row *row, hookline_bytes *texts[ROW_TEXTS])
{
    hookline_bytes *all[ROW_TEXTS] = {
        &row->source, &row->scheme, &row->id,      &row->mac,
        &row->type,   &row->remote, &row->headers, &row->body,
    };

    memcpy(texts, all, sizeof(all));
}

size_t delivery_row_size(const struct delivery_row *row)
{
    struct delivery_row copy = *row;
    hookline_bytes *texts[ROW_TEXTS];
    size_t size = 0;

    delivery_row_texts(&copy, texts);
    for (size_t i = 0; i < ROW_TEXTS; i++)
        size += texts[i]->len;
    return size;
}

struct delivery_row *delivery_row_copy(const struct delivery_row *row)
{
    struct delivery_row *copy = malloc(sizeof(*copy) + delivery_row_size(row));
    hookline_bytes *texts[ROW_TEXTS];
    char *to;

    if (copy == NULL)
        return NULL;
    *copy = *row;
    to = (char *)(copy + 1);
    delivery_row_texts(copy, texts);
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        if (texts[i]->base == NULL)
            continue;
        memcpy(to, texts[i]->base, texts[i]->len);
        texts[i]->base = to;
        to += texts[i]->len;
    }
    return copy;
}

bool delivery_row_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value)
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
