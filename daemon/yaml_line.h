/* SPDX-License-Identifier: MIT
 *
 * yaml_line.h - the line of a YAML file on which something is said. libcyaml checks documents but
 * keeps no line numbers for what it read.
 */
#ifndef YAML_LINE_H
#define YAML_LINE_H

/* `path` is keys and indexes joined by "/": "sources/0/scheme". The line of the deepest part of
 * it that there is, from 1 on; 0 if the file cannot be read as YAML. */
unsigned yaml_line_of(const char *file, const char *path);

#endif
