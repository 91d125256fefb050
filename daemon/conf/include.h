/* SPDX-License-Identifier: MIT
 *
 * include.h - the files that the key `include` names by a pattern, each with sources and
 * destinations. A struct config holds those of the file itself first, then those of the included
 * files in the order of their names.
 *
 * Ownership  include_open() makes the list, include_close() releases it.
 */
#ifndef DAEMON_CONF_INCLUDE_H
#define DAEMON_CONF_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct include {
    size_t count;
    char **files;
};

/* Lists the files that match the pattern, relative to the folder of `file`; no match is no error.
 * False with errno. */
bool include_open(struct include *include, const char *file, const char *pattern);
void include_close(struct include *include);

#endif
