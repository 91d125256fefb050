/* SPDX-License-Identifier: MIT */
#include "daemon/receive/request_head.h"

#include <string.h>
#include <strings.h>

#include <h2o.h>

#include "daemon/base/header_name.h"

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
    const h2o_headers_t *all = headers;
    size_t len = strlen(name), found = 0;

    for (size_t i = 0; i < all->size; i++)
        if (request_head_has_name(&all->entries[i], name, len) && found++ == 0)
            *value = request_head_trim(all->entries[i].value);
    return found;
}

/* Returns true if a Connection header names the header. */
static bool request_head_is_hop_by_hop(const h2o_headers_t *all, const h2o_header_t *header)
{
    for (size_t i = 0; i < all->size; i++) {
        const h2o_header_t *connection = &all->entries[i];
        h2o_iovec_t names = connection->value;
        const char *name;
        size_t len;

        if (connection->name != &H2O_TOKEN_CONNECTION->buf)
            continue;
        while ((name = h2o_next_token(&names, ',', &len, NULL)) != NULL)
            if (len == header->name->len && strncasecmp(name, header->name->base, len) == 0)
                return true;
    }
    return false;
}

static bool request_head_is_kept(const h2o_headers_t *all, const h2o_header_t *header)
{
    return header_name_travels(header->name->base, header->name->len) &&
           !request_head_is_hop_by_hop(all, header);
}

hookline_bytes request_head_write(const void *headers, h2o_mem_pool_t *pool)
{
    const h2o_headers_t *all = headers;
    size_t size = 0, len = 0;
    char *text;

    for (size_t i = 0; i < all->size; i++)
        size += all->entries[i].name->len + all->entries[i].value.len + 3;
    text = h2o_mem_alloc_pool(pool, size + 1);
    for (size_t i = 0; i < all->size; i++) {
        const h2o_header_t *header = &all->entries[i];
        hookline_bytes value = request_head_trim(header->value);

        if (!request_head_is_kept(all, header))
            continue;
        for (size_t j = 0; j < header->name->len; j++)
            text[len++] = (char)h2o_tolower(header->name->base[j]);
        text[len++] = ':';
        text[len++] = ' ';
        for (size_t j = 0; j < value.len; j++)
            text[len++] =
                (unsigned char)value.base[j] < 0x20 && value.base[j] != '\t' ? ' ' : value.base[j];
        text[len++] = '\n';
    }
    return (hookline_bytes){text, len};
}

/* ---- path */

hookline_bytes request_head_path(const h2o_req_t *req, hookline_bytes *query)
{
    size_t end = req->query_at == SIZE_MAX ? req->path.len : req->query_at;

    *query = (hookline_bytes){NULL, 0};
    if (req->query_at != SIZE_MAX)
        *query = (hookline_bytes){req->path.base + end + 1, req->path.len - end - 1};
    return (hookline_bytes){req->path.base, end};
}
