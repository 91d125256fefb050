/* SPDX-License-Identifier: MIT
 *
 * sse.h - server-sent events out of the bytes of an answer, as they come, in whatever pieces.
 * Pure.
 *
 * Of an event its name and its data are heeded, ids and times to reconnect are not; comments are
 * told, too, since they show that somebody lives.
 *
 * Ownership  A zeroed struct is a stream of which nothing has come; sse_free() releases what it
 *            holds.
 */
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buffer.h"

enum {
    SSE_NAME_SIZE = 32,     /* longer names are cut */
    SSE_EVENT_MAX = 8 << 20 /* bytes of a line, and of an event */
};

struct sse_parser {
    struct buffer line, data;
    char name[SSE_NAME_SIZE];
    bool has_data;    /* also of an event with empty data */
    bool after_cr;    /* a '\n' that comes now ends no line */
    bool not_at_head; /* no byte order mark may come any more */
};

struct sse_event {
    bool is_comment;
    const char *name; /* "message" unless it says another; of a comment "" */
    const char *data; /* with a NUL behind it */
    size_t len;
};

/* Calls `each` for every event and comment that has its end. False if `each` returned false, if an
 * event is too long, or without memory: then the stream has no further use. */
bool sse_parse(struct sse_parser *stream, const char *bytes, size_t len,
               bool (*each)(void *data, const struct sse_event *event), void *data);

void sse_free(struct sse_parser *stream);

#endif
