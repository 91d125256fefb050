/* SPDX-License-Identifier: MIT
 *
 * include.h - the files beside a configuration, each of which holds some of its sources and
 * destinations. In a config those of the file itself come first, then theirs, in the order of their
 * names; a place such as "sources/7/scheme" counts through all of them.
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

/* The files that the pattern finds, which may be none. It is relative to the folder of `file`.
 * False with errno. */
bool include_open(struct include *include, const char *file, const char *pattern);
void include_close(struct include *include);

struct include_place {
    char file[4096];
    char key[256];
};

/* In which file, and as what, that stands which is `key` in the config of `file`. Reads the files
 * again. */
void include_find(const char *file, const char *key, struct include_place *place);

#endif
