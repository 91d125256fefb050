/* SPDX-License-Identifier: MIT
 *
 * include.h - list of the files that match the pattern of the key `include`, sorted by name.
 *
 * A module of its own, because the fuzz target replaces it.
 *
 * Ownership  include_open() allocates the list, include_close() frees it.
 * Errors     false with errno.
 */
#ifndef DAEMON_CONF_INCLUDE_H
#define DAEMON_CONF_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct include {
    size_t count;
    char **files;
};

/* Lists the files that match the pattern, relative to the folder of `file`; may find none. */
bool include_open(struct include *include, const char *file, const char *pattern);
void include_close(struct include *include);

#endif
