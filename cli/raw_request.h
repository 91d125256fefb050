/* SPDX-License-Identifier: MIT
 *
 * raw_request.h - an HTTP/1 request as bytes, read as a server would: request line, headers, and a
 * body by Content-Length, in chunks, or to the end. Line ends may be LF alone, as editors and
 * copies have it. Pure.
 *
 * Ownership  raw_request_read() fills in, raw_request_free() releases; what is not said to be a
 *            copy points into the bytes, which it may change.
 */
#ifndef CLI_RAW_REQUEST_H
#define CLI_RAW_REQUEST_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- headers as people write them, "Name: value", read into a list.
 *
 * Ownership  A zeroed struct is an empty list; header_lines_free() releases what it holds. */

enum {
    HEADER_LINES_WHY_SIZE = 160,
    HEADER_LINES_MAX = 1000
};

struct header_lines {
    hookline_header *entries;
    size_t count;
};

/* Adds a copy of the line, which is not terminated and has no line end. False, and in `why` what
 * is wrong with it; never its value, which may be a secret. */
bool header_lines_add(struct header_lines *lines, const char *line, size_t len,
                      char why[HEADER_LINES_WHY_SIZE]);

/* For hookline_find_in_list(); good until a line is added. */
hookline_header_list header_lines_list(const struct header_lines *lines);

void header_lines_free(struct header_lines *lines);

enum {
    RAW_REQUEST_WHY_SIZE = 256
};

struct raw_request {
    hookline_bytes method, target;
    struct header_lines headers; /* copies */
    hookline_bytes body;
    size_t ignored; /* bytes behind a body of Content-Length or in chunks */
};

/* False, and in `why` "line N: what is wrong" or so; then there is nothing to free. A body in
 * chunks is put together in place. */
bool raw_request_read(struct raw_request *request, char *bytes, size_t len,
                      char why[RAW_REQUEST_WHY_SIZE]);
void raw_request_free(struct raw_request *request);

#endif
