/* SPDX-License-Identifier: MIT
 *
 * excerpt.h - the beginning of a receiver's answer as a text that JSON can carry. Pure.
 */
#ifndef CLI_EMULATOR_EXCERPT_H
#define CLI_EMULATOR_EXCERPT_H

#include <stddef.h>

enum {
    COURIER_EXCERPT_MAX = 4096 /* bytes, as TruLayer says */
};

/* Valid UTF-8 of COURIER_EXCERPT_MAX bytes at most, which ends at the end of a character: what is no UTF-8,
 * and NUL, becomes U+FFFD. For free(); NULL without memory. */
char *courier_excerpt_make(const char *bytes, size_t len);

#endif
