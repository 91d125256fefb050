/* SPDX-License-Identifier: MIT */
#include "codec.h"

#include <string.h>

#include <sodium.h>

/* libsodium 1.0.18 accepts bytes from 0x80 upwards as base64 digits. */
static bool is_ascii(hookline_bytes text)
{
    unsigned all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.base[i];
    return all < 0x80;
}

static bool codec_decode_base64(hookline_bytes text, int variant, unsigned char *out, size_t size,
                                size_t *len)
{
    return is_ascii(text) &&
           sodium_base642bin(out, size, text.base, text.len, NULL, len, NULL, variant) == 0;
}

bool hookline_codec_decode_secret(enum encoding encoding, hookline_bytes text, unsigned char *out,
                                  size_t size, size_t *len)
{
    switch (encoding) {
    case ENCODING_TEXT:
        if (text.len > size)
            return false;
        memcpy(out, text.base, text.len);
        *len = text.len;
        return true;
    case ENCODING_HEX:
        return sodium_hex2bin(out, size, text.base, text.len, NULL, len, NULL) == 0;
    case ENCODING_BASE64:
        return codec_decode_base64(text, sodium_base64_VARIANT_ORIGINAL, out, size, len) ||
               codec_decode_base64(text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, out, size, len);
    case ENCODING_BASE64URL:
        return codec_decode_base64(text, sodium_base64_VARIANT_URLSAFE, out, size, len) ||
               codec_decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, size, len);
    }
    return false;
}

unsigned hookline_codec_hex_digit(char c)
{
    /* Values plus one, so that unlisted characters (0) become UINT_MAX. */
    static const unsigned char above[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };

    return above[(unsigned char)c] - 1U;
}

static bool decode_public_hex(hookline_bytes text, unsigned char *out, size_t size, size_t *len)
{
    unsigned all = 0;

    *len = text.len / 2;
    if (text.len % 2 != 0 || *len > size)
        return false;
    for (size_t i = 0; i < *len; i++) {
        unsigned high = hookline_codec_hex_digit(text.base[2 * i]);
        unsigned low = hookline_codec_hex_digit(text.base[2 * i + 1]);

        all |= high | low;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return all < 16;
}

/* Values of base64 and base64url digits; the two forms differ in 62 and 63. 64 marks other bytes.
 * */
static const unsigned char base64_digit[128] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, /*                  */
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, /*                  */
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 62, 64, 63, /*  !"#$%&'()*+,-./ */
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, /* 0123456789:;<=>? */
    64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, /* @ABCDEFGHIJKLMNO */
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63, /* PQRSTUVWXYZ[\]^_ */
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* `abcdefghijklmno */
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64, /* pqrstuvwxyz{|}~  */
};

static bool has(hookline_bytes text, char c)
{
    return text.len > 0 && memchr(text.base, c, text.len) != NULL;
}

/* Removes the padding. Returns false if the padding does not fit the length. */
static bool strip_padding(hookline_bytes *text, bool optional)
{
    size_t padding = 0;

    while (padding < 2 && padding < text->len && text->base[text->len - 1 - padding] == '=')
        padding++;
    if (text->len % 4 != 0 && (padding > 0 || !optional))
        return false;
    text->len -= padding;
    return text->len % 4 != 1;
}

static bool decode_public_base64(hookline_bytes text, bool url, unsigned char *out, size_t size,
                                 size_t *len)
{
    unsigned all = 0, bits = 0, count = 0;

    if (!strip_padding(&text, url) || has(text, url ? '+' : '-') || has(text, url ? '/' : '_'))
        return false;
    *len = text.len / 4 * 3 + text.len % 4 * 3 / 4;
    if (*len > size)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.base[i];
        unsigned digit = c < sizeof(base64_digit) ? base64_digit[c] : 64;

        all |= digit;
        bits = bits << 6 | digit;
        if ((count += 6) >= 8)
            *out++ = (unsigned char)(bits >> (count -= 8));
    }
    /* Reject non-zero trailing bits: two texts would decode to the same bytes. */
    return all < 64 && (bits & ((1U << count) - 1)) == 0;
}

bool hookline_codec_decode_public(enum encoding encoding, hookline_bytes text, unsigned char *out,
                                  size_t size, size_t *len)
{
    if (encoding == ENCODING_HEX)
        return decode_public_hex(text, out, size, len);
    return decode_public_base64(text, encoding == ENCODING_BASE64URL, out, size, len);
}

size_t hookline_codec_encode(enum encoding encoding, const unsigned char *bytes, size_t len,
                             char *out, size_t size)
{
    int variant = encoding == ENCODING_BASE64URL ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                                                 : sodium_base64_VARIANT_ORIGINAL;
    size_t needed =
        encoding == ENCODING_HEX ? 2 * len + 1 : sodium_base64_encoded_len(len, variant);

    if (encoding == ENCODING_TEXT || size < needed)
        return 0;
    if (encoding == ENCODING_HEX)
        sodium_bin2hex(out, size, bytes, len);
    else
        sodium_bin2base64(out, size, bytes, len, variant);
    return strlen(out);
}
