/* SPDX-License-Identifier: MIT
 *
 * json_variants.h - JSON text as other serializers would write it: other white space and escapes.
 * Pure.
 *
 * Works token by token, so numbers and the order of members are kept, and no input is rejected.
 */
#ifndef DAEMON_HINTS_JSON_VARIANTS_H
#define DAEMON_HINTS_JSON_VARIANTS_H

#include <stddef.h>

#include <hookline.h>

/* Returns the number of variants. */
unsigned json_variants_count(void);

/* Writes variant `n` of `json`. Returns its length, or 0 if it is empty or exceeds `size`. */
size_t json_variants_write(unsigned n, hookline_bytes json, char *out, size_t size);

#endif
