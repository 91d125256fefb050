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

/* Decodes at most `size` bytes and sets *len. False if the text is not canonical or too long. */
bool codec_decode(enum encoding encoding, hookline_bytes text, unsigned char *out, size_t size,
                  size_t *len);

/* The same for base64 without its padding. */
bool codec_decode_unpadded(hookline_bytes text, unsigned char *out, size_t size, size_t *len);

/* Writes the text of `len` bytes to `out`, NUL-terminated, and returns its length; 0 if it
 * does not fit. */
size_t codec_encode(enum encoding encoding, const unsigned char *bytes, size_t len, char *out,
                    size_t size);

#endif
