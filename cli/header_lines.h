/* SPDX-License-Identifier: MIT
 *
 * header_lines.h - headers as people write them, "Name: value", read into a list.
 *
 * Ownership  A zeroed struct is an empty list; header_lines_free() releases what it holds.
 */
#ifndef CLI_HEADER_LINES_H
#define CLI_HEADER_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <hookline.h>

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

#endif
