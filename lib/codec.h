/* SPDX-License-Identifier: MIT
 *
 * codec.h - bytes to text and back, in canonical form only.
 *
 * Ownership  The caller owns every buffer.
 * Threads    Any thread.
 * Errors     false, or a length of 0.
 */
#ifndef CODEC_H
#define CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <hookline.h>

enum encoding {
    ENCODING_TEXT,
    ENCODING_HEX, /* reads either case, writes lower case */
    ENCODING_BASE64,
    ENCODING_BASE64URL, /* writes no padding, reads both */
};

/* Decodes up to `size` bytes and sets *len. Returns false if the text is not canonical or too long.
 * Runs in time independent of the bytes. Accepts text without padding, as dashboards show it. */
bool hookline_codec_decode_secret(enum encoding encoding, hookline_bytes text, unsigned char *out,
                                  size_t size, size_t *len);

/* Decodes public text such as the signatures of a request, five times as fast. Does not support
 * ENCODING_TEXT. ENCODING_BASE64 needs padding. */
bool hookline_codec_decode_public(enum encoding encoding, hookline_bytes text, unsigned char *out,
                                  size_t size, size_t *len);

/* Returns the value of a digit, 0 to 15, or a greater number for any other character. Not
 * constant-time, so not for secrets. */
unsigned hookline_codec_hex_digit(char c);

/* Writes the text of `len` bytes to `out`, NUL-terminated. Returns its length, or 0 if `size` is
 * too small. */
size_t hookline_codec_encode(enum encoding encoding, const unsigned char *bytes, size_t len,
                             char *out, size_t size);

#endif
