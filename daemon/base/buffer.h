/* SPDX-License-Identifier: MIT
 *
 * buffer.h - append-only byte buffer that doubles its memory.
 *
 * Ownership  The buffer owns its memory until buffer_take(). A zeroed struct is an empty buffer.
 * Threads    One owner.
 * Errors     Sticky: after a failed append `failure` is set and later appends fail as well, so that
 *            callers check once, after the last append. Earlier bytes remain.
 */
#ifndef DAEMON_BASE_BUFFER_H
#define DAEMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum buffer_failure {
    BUFFER_NO_FAILURE = 0,
    BUFFER_NO_MEMORY,
    BUFFER_TOO_LONG, /* more than `max` bytes */
};

struct buffer {
    char *base;
    size_t len, size; /* `size` includes one byte for a NUL */
    size_t max;       /* limit of `len`, never lowered; 0: no limit */
    enum buffer_failure failure;
};

/* Reserves `more` bytes and a NUL. Returns false and sets `failure` if that is impossible. */
bool buffer_grow(struct buffer *buffer, size_t more);

/* Returns the place of the next `more` bytes, NULL on failure. The caller writes them and adds
 * their number to `len`. The appends are inline because a log line takes a hundred of them. */
static inline char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->size - buffer->len <= more && !buffer_grow(buffer, more))
        return NULL;
    return buffer->base + buffer->len;
}

/* Appends all of the bytes, or none on failure. */
static inline bool buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
    char *to = buffer_reserve(buffer, len);

    if (to == NULL)
        return false;
    memcpy(to, bytes, len);
    buffer->len += len;
    return true;
}

static inline bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

static inline bool buffer_append_char(struct buffer *buffer, char c)
{
    return buffer_append(buffer, &c, 1);
}

/* Keeps the first `len` bytes and the memory; clears `failure`. */
static inline void buffer_truncate(struct buffer *buffer, size_t len)
{
    buffer->len = len;
    buffer->failure = BUFFER_NO_FAILURE;
}

/* Returns the bytes, NUL-terminated; `len` excludes the NUL. NULL after a failed append. */
char *buffer_text(struct buffer *buffer);

/* Like buffer_text(), but the caller owns the result, for free(), and the buffer becomes empty.
 * After a failed append: NULL, and the buffer stays as it is. */
char *buffer_take(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
