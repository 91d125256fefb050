/* SPDX-License-Identifier: MIT
 *
 * json_variants.h - JSON text as other serializers would write it: other white space and escapes;
 * strings inside JSON. Pure.
 *
 * Works token by token, so numbers and the order of members are kept, and no input is rejected.
 */
#ifndef DAEMON_HINTS_JSON_VARIANTS_H
#define DAEMON_HINTS_JSON_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>

#include <hookline.h>

/* Returns the number of variants. */
unsigned json_variants_count(void);

/* Writes variant `n` of `json`. Returns its length, or 0 if it is empty or exceeds `size`. */
size_t json_variants_write(unsigned n, hookline_bytes json, char *out, size_t size);

/* Finds the next string in `json`, without its quotes, and moves *json behind it. Returns false at the
 * end. */
bool json_variants_next_string(hookline_bytes *json, hookline_bytes *string);

/* Writes the text of a string to `out`, which has string.len bytes. Returns its length. */
size_t json_variants_decode(hookline_bytes string, char *out);

#endif
