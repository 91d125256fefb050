/* SPDX-License-Identifier: MIT
 *
 * yaml_line.h - the line of a YAML file on which something is said. libcyaml checks documents but
 * keeps no line numbers for what it read.
 */
#ifndef DAEMON_CONF_YAML_LINE_H
#define DAEMON_CONF_YAML_LINE_H

#include <stddef.h>

/* `path` is keys and indexes joined by "/": "sources/0/scheme". The line of the deepest part of
 * it that there is, from 1 on; in a file that is no YAML, the line on which that shows; 0 if the
 * file cannot be read. */
unsigned yaml_line_of(const char *file, const char *path);

/* How many items the list at `path` has; 0 if there is none. */
size_t yaml_line_count(const char *file, const char *path);

/* The text at `path`, which free() releases, or NULL. */
char *yaml_line_text(const char *file, const char *path);

/* Of the first key that is no text, as in {{name}}; 0 if there is none. */
unsigned yaml_line_of_odd_key(const char *file);

/* Where another document begins, or something that is none; 0 if the file ends with the first. */
unsigned yaml_line_of_more(const char *file);

/* The first of `keys`, wherever in the file it stands, whose value is no whole number in plain
 * decimal, nor a list of such, and its line. NULL if there is none. */
const char *yaml_line_of_no_number(const char *file, const char *const keys[], size_t count,
                                   unsigned *line);

#endif
