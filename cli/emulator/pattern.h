/* SPDX-License-Identifier: MIT
 *
 * pattern.h - whether an id looks as its provider's do. Pure.
 */
#ifndef CLI_EMULATOR_PATTERN_H
#define CLI_EMULATOR_PATTERN_H

#include <stdbool.h>

/* The prefix and 32 lower-case hex digits. */
bool id_is_hex(const char *text, const char *prefix);

/* "org_" and 26 characters of Crockford's base32. */
bool id_is_organization(const char *text);

/* A UUID of any version, in any case. */
bool id_is_uuid(const char *text);

#endif
