/* SPDX-License-Identifier: MIT */
#include "daemon/base/buffer.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    BUFFER_SIZE_MIN = 256
};

/* Marks the buffer full, so that later appends reach buffer_grow() and fail there: the inline
 * functions need not test `failure`. */
static bool buffer_fail(struct buffer *buffer, enum buffer_failure failure)
{
    buffer->size = buffer->len;
    buffer->failure = failure;
    return false;
}

/* Returns a size with room for `more` bytes and a NUL. Doubling does not overflow, because no
 * object is larger than PTRDIFF_MAX. */
static size_t buffer_next_size(const struct buffer *buffer, size_t more)
{
    size_t size = buffer->size < BUFFER_SIZE_MIN / 2 ? BUFFER_SIZE_MIN : 2 * buffer->size;

    if (buffer->max > 0 && size > buffer->max)
        size = buffer->max + 1;
    return size > buffer->len + more ? size : buffer->len + more + 1;
}

bool buffer_grow(struct buffer *buffer, size_t more)
{
    size_t size;
    char *base;

    if (buffer->failure != BUFFER_NO_FAILURE)
        return false;
    if (buffer->max > 0 && more > buffer->max - buffer->len)
        return buffer_fail(buffer, BUFFER_TOO_LONG);
    if (more >= PTRDIFF_MAX - buffer->len)
        return buffer_fail(buffer, BUFFER_NO_MEMORY);
    size = buffer_next_size(buffer, more);
    if ((base = realloc(buffer->base, size)) == NULL)
        return buffer_fail(buffer, BUFFER_NO_MEMORY);
    buffer->base = base;
    buffer->size = size;
    return true;
}

char *buffer_text(struct buffer *buffer)
{
    char *end = buffer_reserve(buffer, 0);

    if (end == NULL)
        return NULL;
    *end = '\0';
    return buffer->base;
}

char *buffer_take(struct buffer *buffer)
{
    char *text = buffer_text(buffer);

    if (text != NULL)
        *buffer = (struct buffer){.max = buffer->max};
    return text;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->base);
    *buffer = (struct buffer){.max = buffer->max};
}
