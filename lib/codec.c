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
        break;
    }
    return codec_decode_base64(text, sodium_base64_VARIANT_URLSAFE, out, size, len) ||
           codec_decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, size, len);
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

/* Values plus one of the digits of base64 and base64url, so that unlisted characters (0) become
 * UINT_MAX. */
#define LETTERS_AND_DIGITS                                                                         \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,            \
    ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,            \
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,            \
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51,            \
    ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,            \
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62

static const unsigned char base64_above[2][256] = {
    {LETTERS_AND_DIGITS, ['+'] = 63, ['/'] = 64},
    {LETTERS_AND_DIGITS, ['-'] = 63, ['_'] = 64},
};

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

    if (!strip_padding(&text, url))
        return false;
    *len = text.len / 4 * 3 + text.len % 4 * 3 / 4;
    if (*len > size)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = base64_above[url][(unsigned char)text.base[i]] - 1U;

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
