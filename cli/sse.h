/* SPDX-License-Identifier: MIT
 *
 * sse.h - incremental parser of server-sent events. Pure.
 *
 * Reports an event's name and data, and ignores `id` and `retry`. Reports comments too, because
 * they are the server's keep-alive.
 *
 * Ownership  A zeroed struct is a new stream; sse_free() releases its buffers.
 * Errors     See sse_parse(); the stream is unusable after an error.
 */
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buffer.h"

enum {
    SSE_NAME_SIZE = 32,     /* longer names are truncated */
    SSE_EVENT_MAX = 8 << 20 /* bytes, of a line and of an event */
};

struct sse_parser {
    struct buffer line, data;
    char name[SSE_NAME_SIZE];
    bool has_data;    /* true for empty data too */
    bool after_cr;    /* a next '\n' belongs to that '\r' */
    bool not_at_head; /* past the place of a byte order mark */
};

struct sse_event {
    bool is_comment;
    const char *name; /* "message" by default; "" for a comment */
    const char *data; /* NUL-terminated; `len` excludes the NUL */
    size_t len;
};

/* Calls `each` for every complete event and comment. Returns false if `each` does, if an event is
 * longer than SSE_EVENT_MAX, or on ENOMEM. */
bool sse_parse(struct sse_parser *stream, const char *bytes, size_t len,
               bool (*each)(void *data, const struct sse_event *event), void *data);

void sse_free(struct sse_parser *stream);

#endif
