/* SPDX-License-Identifier: MIT
 *
 * buffer.h - bytes that are appended one after the other, in memory that grows by doubling.
 *
 * Ownership  The memory is the buffer's until buffer_take(). A zeroed struct is an empty buffer.
 * Threads    One owner.
 * Errors     The first failed append stays in `failure`, and all later ones fail, too: callers
 *            check once, after the last one. The bytes from before it remain.
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
    size_t len, size; /* `size` counts one byte more than can be appended, for a NUL */
    size_t max;       /* limit of `len`, never lowered; 0: none */
    enum buffer_failure failure;
};

/* Makes room for `more` bytes and a NUL. False, and `failure`, if there is none. */
bool buffer_grow(struct buffer *buffer, size_t more);

/* Returns where the next `more` bytes go; the caller writes them and adds them to `len`. NULL on
 * failure. Inline, as are the next ones, because a line of the log takes a hundred appends. */
static inline char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->size - buffer->len <= more && !buffer_grow(buffer, more))
        return NULL;
    return buffer->base + buffer->len;
}

/* Appends all of the bytes or none of them. */
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

/* Drops the bytes behind the first `len`, and the failure of an append. Keeps the memory. */
void buffer_truncate(struct buffer *buffer, size_t len);

/* The bytes with a NUL behind them, which `len` does not count; NULL if an append has failed. */
char *buffer_text(struct buffer *buffer);

/* Gives the same to the caller, for free(), and leaves an empty buffer. On failure NULL, and the
 * buffer is as it was. */
char *buffer_take(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
