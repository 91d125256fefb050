/* SPDX-License-Identifier: MIT
 *
 * json_variants.h - a JSON text as other programs would have written it: with other white space, and
 * other escapes in its strings. Pure.
 *
 * Token by token, so that numbers and the order of the members stay, and text that is no JSON is
 * written as something else that is none.
 */
#ifndef DAEMON_HINTS_JSON_VARIANTS_H
#define DAEMON_HINTS_JSON_VARIANTS_H

#include <stddef.h>

#include <hookline.h>

/* How many ways there are. */
unsigned json_variants_count(void);

/* Writes it in the n-th way. Returns the length; 0 if that is more than `size`, or nothing. */
size_t json_variants_write(unsigned n, hookline_bytes json, char *out, size_t size);

#endif
