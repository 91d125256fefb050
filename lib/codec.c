/* SPDX-License-Identifier: MIT */
#include "codec.h"

#include <string.h>

#include <sodium.h>

static bool decode_base64(hookline_bytes text, int variant, unsigned char *out, size_t size,
                          size_t *len)
{
    /* Where char is signed, libsodium 1.0.18 takes every byte above 127 for an "A". */
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.base[i] > 127)
            return false;
    return sodium_base642bin(out, size, text.base, text.len, NULL, len, NULL, variant) == 0;
}

bool codec_decode(enum encoding encoding, hookline_bytes text, unsigned char *out, size_t size,
                  size_t *len)
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
        return decode_base64(text, sodium_base64_VARIANT_ORIGINAL, out, size, len);
    case ENCODING_BASE64URL:
        return decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, size, len) ||
               decode_base64(text, sodium_base64_VARIANT_URLSAFE, out, size, len);
    }
    return false;
}

bool codec_decode_unpadded(hookline_bytes text, unsigned char *out, size_t size, size_t *len)
{
    return decode_base64(text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, out, size, len);
}

size_t codec_encode(enum encoding encoding, const unsigned char *bytes, size_t len, char *out,
                    size_t size)
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
