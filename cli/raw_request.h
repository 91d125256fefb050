/* SPDX-License-Identifier: MIT
 *
 * raw_request.h - parses a saved HTTP/1 request: request line, headers, and a body by
 * Content-Length, in chunks, or to the end of the file. Accepts bare LF, because editors save it.
 * Pure.
 *
 * Ownership  raw_request_read() fills a request, raw_request_free() releases it. Method, target and
 *            body point into the parsed bytes; headers are copies.
 */
#ifndef CLI_RAW_REQUEST_H
#define CLI_RAW_REQUEST_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- header lines
 *
 * Ownership  A zeroed struct is an empty list; header_lines_free() releases the entries. */

enum {
    HEADER_LINES_WHY_SIZE = 160,
    HEADER_LINES_MAX = 1000
};

struct header_lines {
    hookline_header *entries;
    size_t count;
};

/* Appends a copy of "Name: value", `len` bytes without a line ending. Returns false on error, with
 * the reason in `why`, which never quotes the value, because it may be a secret. */
bool header_lines_add(struct header_lines *lines, const char *line, size_t len,
                      char why[HEADER_LINES_WHY_SIZE]);

/* Returns the list for hookline_find_in_list(), valid until the next header_lines_add(). */
hookline_header_list header_lines_list(const struct header_lines *lines);

void header_lines_free(struct header_lines *lines);

/* ---- request */

enum {
    RAW_REQUEST_WHY_SIZE = 256
};

struct raw_request {
    hookline_bytes method, target;
    struct header_lines headers;
    hookline_bytes body;
    size_t ignored; /* bytes after the end of the body */
};

/* Parses `bytes`, joining chunks in place. Returns false on error, with the reason in `why`, often
 * as "line N: ...", and nothing to free. */
bool raw_request_read(struct raw_request *request, char *bytes, size_t len,
                      char why[RAW_REQUEST_WHY_SIZE]);
void raw_request_free(struct raw_request *request);

#endif
