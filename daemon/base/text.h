/* SPDX-License-Identifier: MIT
 *
 * text.h - UTF-8, and untrusted text made safe for a terminal. Pure, except for the streams.
 *
 * Control, bidirectional and invisible characters and invalid UTF-8 are unsafe: they move the
 * cursor, change colours or reverse the direction of writing. They are written as \x1b or \u{202e}.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_TEXT_H
#define DAEMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TEXT_NO_CHAR = -1
};

/* Decodes the first UTF-8 character (RFC 3629) of `text` and sets *used to its length. Returns
 * TEXT_NO_CHAR with length 1 for an invalid byte. `len` is at least 1. */
int32_t text_decode_char(const char *text, size_t len, size_t *used);

bool text_is_utf8(const char *text, size_t len);

/* Copies whole characters while they fit, and a NUL. Returns the length without the NUL. A NULL
 * text is empty. */
size_t text_copy_printable(char *to, size_t size, const char *text, size_t len);

void text_write_printable(FILE *out, const char *text, size_t len);

/* Like text_write_printable(), but keeps newlines and tabs. */
void text_write_lines(FILE *out, const char *text, size_t len);

/* Writes JSON on one line with an equal value: unsafe characters become JSON escapes (\u202e). */
void text_write_json(FILE *out, const char *json, size_t len);

enum {
    TEXT_REDACTED_MAX = 512
};

/* Copies untrusted text as part of one line: escapes unsafe characters, turns white space into
 * blanks, replaces each `hidden` (NULL or empty: none) with "(hidden)", and ends a cut text with
 * "...". `size` is 16 to TEXT_REDACTED_MAX. */
void text_copy_redacted(char *out, size_t size, const char *bytes, size_t len, const char *hidden);

#endif
