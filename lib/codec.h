/* SPDX-License-Identifier: MIT
 *
 * codec.h - bytes as text and back, in the one canonical form only.
 */
#ifndef CODEC_H
#define CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <hookline.h>

enum encoding {
    ENCODING_TEXT,
    ENCODING_HEX, /* either case is read, lower case is written */
    ENCODING_BASE64,
    ENCODING_BASE64URL, /* written without padding, read with or without */
};

/* Decodes at most `size` bytes and sets *len. False if the text is not canonical or too long. The
 * time it takes does not depend on the bytes. Padding may be left out, as dashboards do. */
bool codec_decode_secret(enum encoding encoding, hookline_bytes text, unsigned char *out,
                         size_t size, size_t *len);

/* The same for what is no secret, such as the signatures that a request claims, in a fifth of the
 * time. The encoding is not ENCODING_TEXT, and ENCODING_BASE64 must be padded. */
bool codec_decode_public(enum encoding encoding, hookline_bytes text, unsigned char *out,
                         size_t size, size_t *len);

/* 0 to 15; more if it is no digit. Not for secrets. */
unsigned codec_hex_digit(char c);

/* Writes the text of `len` bytes to `out`, NUL-terminated, and returns its length; 0 if it
 * does not fit. */
size_t codec_encode(enum encoding encoding, const unsigned char *bytes, size_t len, char *out,
                    size_t size);

#endif
