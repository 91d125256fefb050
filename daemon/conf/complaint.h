/* SPDX-License-Identifier: MIT
 *
 * complaint.h - what libcyaml says of an error: a sentence, then where it stood, from the inside to
 * the outside. Its line is the last one that it understood, so the path is taken instead.
 */
#ifndef DAEMON_CONF_COMPLAINT_H
#define DAEMON_CONF_COMPLAINT_H

#include <stdarg.h>
#include <stddef.h>

#include <cyaml/cyaml.h>

struct complaint {
    char sentence[256];
    char path[256];
};

/* libcyaml's log function, for the complaint that its `data` is, zeroed before. */
void complaint_hear(cyaml_log_t level, void *data, const char *format, va_list args);

/* In words for those who know YAML and not libcyaml; `otherwise` if it said nothing. Returns the
 * length of what is there. */
size_t complaint_write(const struct complaint *c, const char *otherwise, char *to, size_t size);

#endif
