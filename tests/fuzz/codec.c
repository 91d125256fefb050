/* SPDX-License-Identifier: MIT
 *
 * Fuzzes our fast decoders against libsodium's, used for secrets. An input is the text to decode.
 */
#include <string.h>

#include "lib/codec.h"
#include "tests/fuzz/fuzz.h"

enum {
    ROOM = 64
};

static void check_size(enum encoding encoding, hookline_bytes text, size_t size)
{
    unsigned char ours[ROOM], theirs[ROOM];
    size_t our_len = 0, their_len = 0;
    bool taken = hookline_codec_decode_public(encoding, text, ours, size, &our_len);

    bool may_lack_padding = encoding == ENCODING_BASE64 && text.len % 4 != 0;
    bool secret_taken = hookline_codec_decode_secret(encoding, text, theirs, size, &their_len);

    fuzz_check(taken == (secret_taken && !may_lack_padding));
    fuzz_check(!taken || (our_len == their_len && memcmp(ours, theirs, our_len) == 0));
}

static void check_round_trip(enum encoding encoding, const unsigned char *bytes, size_t len)
{
    char text[2 * ROOM + 1];
    unsigned char back[ROOM];
    size_t back_len, text_len = hookline_codec_encode(encoding, bytes, len, text, sizeof(text));

    fuzz_check(hookline_codec_decode_public(encoding, (hookline_bytes){text, text_len}, back, ROOM,
                                            &back_len));
    fuzz_check(back_len == len && memcmp(back, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum encoding encodings[] = {ENCODING_HEX, ENCODING_BASE64, ENCODING_BASE64URL};
    hookline_bytes text = {(const char *)data, size};

    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        check_size(encodings[i], text, 32);
        check_size(encodings[i], text, 33);
        check_size(encodings[i], text, ROOM);
        if (size <= ROOM)
            check_round_trip(encodings[i], data, size);
    }
    return 0;
}
