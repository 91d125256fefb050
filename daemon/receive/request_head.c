/* SPDX-License-Identifier: MIT */
#include "daemon/receive/request_head.h"

#include <string.h>
#include <strings.h>

#include <h2o.h>

static bool request_head_line_names(const char *line, size_t len, const char *name)
{
    size_t name_len = strlen(name);

    return len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0;
}

bool request_head_is_ambiguous(const char *head, size_t len)
{
    unsigned found = 0;

    while (len > 0) {
        const char *end = memchr(head, '\n', len);
        size_t line_len = end == NULL ? len : (size_t)(end - head) + 1;

        found += request_head_line_names(head, line_len, "content-length") ||
                 request_head_line_names(head, line_len, "transfer-encoding");
        head += line_len;
        len -= line_len;
    }
    return found > 1;
}

/* ---- headers */

static hookline_bytes request_head_trim(h2o_iovec_t value)
{
    while (value.len > 0 && (value.base[value.len - 1] == ' ' || value.base[value.len - 1] == '\t'))
        value.len--;
    return (hookline_bytes){value.base, value.len};
}

static bool request_head_has_name(const h2o_header_t *header, const char *name, size_t len)
{
    return header->name->len == len && strncasecmp(header->name->base, name, len) == 0;
}

size_t request_head_find(const void *headers, const char *name, hookline_bytes *value)
{
    const struct request_head *self = headers;
    const h2o_headers_t *all = self->all;
    size_t len = strlen(name), found = 0;

    for (size_t i = 0; i < all->size; i++) {
        const h2o_header_t *header = &all->entries[i];

        if (!request_head_has_name(header, name, len))
            continue;
        if (i < REQUEST_HEAD_FIELDS_MAX)
            self->used->at[i] = 1;
        if (found++ == 0)
            *value = request_head_trim(header->value);
    }
    return found;
}

static bool request_head_is_kept(const struct request_head *headers, const h2o_header_t *header,
                                 size_t i)
{
    return (i < REQUEST_HEAD_FIELDS_MAX && headers->used->at[i]) ||
           request_head_has_name(header, H2O_STRLIT("content-type")) ||
           request_head_has_name(header, H2O_STRLIT("user-agent"));
}

hookline_bytes request_head_write(const struct request_head *headers, h2o_mem_pool_t *pool)
{
    const h2o_headers_t *all = headers->all;
    size_t size = 0, len = 0;
    char *text;

    for (size_t i = 0; i < all->size; i++)
        if (request_head_is_kept(headers, &all->entries[i], i))
            size += all->entries[i].name->len + all->entries[i].value.len + 3;
    text = h2o_mem_alloc_pool(pool, size + 1);
    for (size_t i = 0; i < all->size; i++) {
        const h2o_header_t *header = &all->entries[i];
        hookline_bytes value = request_head_trim(header->value);

        if (!request_head_is_kept(headers, header, i))
            continue;
        for (size_t j = 0; j < header->name->len; j++)
            text[len++] = (char)h2o_tolower(header->name->base[j]);
        text[len++] = ':';
        text[len++] = ' ';
        for (size_t j = 0; j < value.len; j++)
            text[len++] = value.base[j] == '\n' ? ' ' : value.base[j];
        text[len++] = '\n';
    }
    return (hookline_bytes){text, len};
}
