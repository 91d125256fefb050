/* SPDX-License-Identifier: MIT
 *
 * text.h - texts that strangers chose, so that they can do nothing to a terminal. Pure, but
 * for the stream.
 *
 * What moves the cursor, changes colours or the direction of writing, or is no UTF-8, is written as
 * \x1b or \u{202e}.
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

/* Decodes the character of UTF-8, RFC 3629, at the beginning of `text`, whose `len` is not 0, and sets
 * *used to its length; TEXT_NO_CHAR and 1 for what is none. */
int32_t text_decode_char(const char *text, size_t len, size_t *used);

bool text_is_utf8(const char *text, size_t len);

/* Writes what fits, with a NUL, and never a part of a character. Returns the length of what was
 * written. NULL is an empty text. */
size_t text_copy_printable(char *to, size_t size, const char *text, size_t len);

void text_write_printable(FILE *out, const char *text, size_t len);

/* Likewise, but line ends and tabs are left as they are. */
void text_write_lines(FILE *out, const char *text, size_t len);

/* JSON on one line stays the same JSON: there \u202e and the like are written. */
void text_write_json(FILE *out, const char *json, size_t len);

/* ---- what others say as part of one line of ours: printable, of limited length, and
 * without what must not be repeated. Pure. */

enum {
    TEXT_REDACTED_MAX = 512
};

/* Copies what fits into `out`, whose `size` is from 16 to TEXT_REDACTED_MAX, with "..." for what does
 * not. White space becomes a blank, and other odd characters what printable.h writes for them.
 * Where `hidden`, which may be NULL or empty, occurs "(hidden)" is written. */
void text_copy_redacted(char *out, size_t size, const char *bytes, size_t len, const char *hidden);

#endif
