/* SPDX-License-Identifier: MIT
 *
 * Encodings are canonical: each byte sequence has exactly one text.
 */
#include "lib/codec.h"

#include <ctype.h>
#include <string.h>

#include "tests/run.h"

static unsigned char out[64];
static size_t len;

static bool decode(enum encoding encoding, const char *text, size_t size)
{
    return hookline_codec_decode_public(encoding, (hookline_bytes){text, strlen(text)}, out, size,
                                        &len);
}

static bool decode_secret(enum encoding encoding, const char *text, size_t size)
{
    return hookline_codec_decode_secret(encoding, (hookline_bytes){text, strlen(text)}, out, size,
                                        &len);
}

static const struct {
    enum encoding encoding;
    const char *text, *bytes;
} pairs[] = {
    {ENCODING_HEX, "", ""},
    {ENCODING_HEX, "666f6f", "foo"},
    {ENCODING_HEX, "4a6f", "Jo"},
    {ENCODING_BASE64, "", ""},
    {ENCODING_BASE64, "Zg==", "f"},
    {ENCODING_BASE64, "Zm8=", "fo"},
    {ENCODING_BASE64, "Zm9v", "foo"},
    {ENCODING_BASE64, "Zm9vYmFy", "foobar"},
    {ENCODING_BASE64, "Pz8/Pj4+", "?\?\?>>>"},
    {ENCODING_BASE64URL, "Zg", "f"},
    {ENCODING_BASE64URL, "Zm8", "fo"},
    {ENCODING_BASE64URL, "Pz8_Pj4-", "?\?\?>>>"},
};

START_TEST(bytes_become_text_and_text_becomes_bytes)
{
    char text[64];
    size_t size = strlen(pairs[_i].bytes);

    ck_assert(decode(pairs[_i].encoding, pairs[_i].text, sizeof(out)));
    ck_assert_uint_eq(len, size);
    ck_assert_mem_eq(out, pairs[_i].bytes, size);
    hookline_codec_encode(pairs[_i].encoding, out, size, text, sizeof(text));
    ck_assert_str_eq(text, pairs[_i].text);
}
END_TEST

static const struct {
    enum encoding encoding;
    const char *text;
} wrong[] = {
    {ENCODING_HEX, "6"},
    {ENCODING_HEX, "666"},
    {ENCODING_HEX, "6g"},
    {ENCODING_HEX, "0x66"},
    {ENCODING_HEX, " 66"},
    {ENCODING_HEX, "66 "},
    {ENCODING_HEX, "66:6f"},
    {ENCODING_HEX, "66\n"},
    {ENCODING_BASE64, "Z"},
    {ENCODING_BASE64, "Zg"},
    {ENCODING_BASE64, "Zg="},
    {ENCODING_BASE64, "Zg==="},
    {ENCODING_BASE64, "Zh=="},
    {ENCODING_BASE64, "Zm9="},
    {ENCODING_BASE64, "Zm8"},
    {ENCODING_BASE64, "Zm9v===="},
    {ENCODING_BASE64, "Zg==Zg=="},
    {ENCODING_BASE64, "Zm 9v"},
    {ENCODING_BASE64, "Zm9v\n"},
    {ENCODING_BASE64, "Pz8_Pj4-"},
    {ENCODING_BASE64, "===="},
    {ENCODING_BASE64, "Z\xc1=="},
    {ENCODING_BASE64, "\x80\xff\xc1\xe1"},
    {ENCODING_BASE64URL, "Zh"},
    {ENCODING_BASE64URL, "Zg="},
    {ENCODING_BASE64URL, "Zg==="},
    {ENCODING_BASE64URL, "Pz8/"},
    {ENCODING_BASE64URL, "Zm8\xff"},
};

START_TEST(text_that_is_not_canonical_is_refused)
{
    ck_assert(!decode(wrong[_i].encoding, wrong[_i].text, sizeof(out)));
}
END_TEST

START_TEST(hex_is_read_in_either_case)
{
    ck_assert(decode(ENCODING_HEX, "4A6F", sizeof(out)));
    ck_assert_mem_eq(out, "Jo", 2);
}
END_TEST

START_TEST(base64_for_urls_is_read_with_padding_too)
{
    ck_assert(decode(ENCODING_BASE64URL, "Zg==", sizeof(out)));
    ck_assert_uint_eq(len, 1);
}
END_TEST

START_TEST(a_secret_may_lack_its_padding_but_not_half_of_it)
{
    ck_assert(decode_secret(ENCODING_BASE64, "Zg", sizeof(out)));
    ck_assert(decode_secret(ENCODING_BASE64, "Zg==", sizeof(out)));
    ck_assert(!decode_secret(ENCODING_BASE64, "Zg=", sizeof(out)));
    ck_assert(!decode_secret(ENCODING_BASE64, "Zh", sizeof(out)));
    ck_assert(!decode_secret(ENCODING_BASE64, "\xe9\xe9", sizeof(out)));
}
END_TEST

/* Replaces a letter of value 0 by each of the 256 characters. */
START_TEST(only_the_letter_a_is_an_a)
{
    char text[] = "Zg?A";
    hookline_bytes four = {text, 4};

    text[2] = (char)_i;
    ck_assert_int_eq(hookline_codec_decode_public(ENCODING_BASE64, four, out, 64, &len) &&
                         out[1] == 0 && out[2] == 0,
                     _i == 'A');
    ck_assert_int_eq(hookline_codec_decode_secret(ENCODING_BASE64, four, out, 64, &len) &&
                         out[1] == 0 && out[2] == 0,
                     _i == 'A');
}
END_TEST

/* Puts each of the 256 characters at each of four places, and at all four. */
static const struct {
    enum encoding encoding;
    const char *digits;
    unsigned bits; /* of a digit */
} alphabets[] = {
    {ENCODING_HEX, "0123456789abcdef", 4},
    {ENCODING_BASE64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6},
    {ENCODING_BASE64URL, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6},
};

static void four_digits(int alphabet, const char text[4], int first, int last, int value)
{
    hookline_bytes four = {text, 4};
    enum encoding encoding = alphabets[alphabet].encoding;
    unsigned bits = alphabets[alphabet].bits;
    unsigned long number = 0;

    for (int at = 0; at < 4; at++)
        number = number << bits | (unsigned long)(at >= first && at <= last ? value : 0);
    ck_assert_int_eq(hookline_codec_decode_public(encoding, four, out, 64, &len), value >= 0);
    for (unsigned i = 0; value >= 0 && i < bits / 2; i++)
        ck_assert_uint_eq(out[i], number >> (4 * bits - 8 * (i + 1)) & 0xff);
    ck_assert_int_eq(hookline_codec_decode_secret(encoding, four, out, 64, &len), value >= 0);
}

START_TEST(a_character_is_one_digit_wherever_it_stands_or_none_anywhere)
{
    const char *digits = alphabets[_i].digits;

    for (int c = 0; c < 256; c++) {
        const char *at = c == 0 ? NULL : strchr(digits, _i == 0 ? tolower(c) : c);
        int value = at == NULL ? -1 : (int)(at - digits);

        if (_i > 0 && c == '=')
            continue;
        for (int place = 0; place < 5; place++) {
            char text[4];

            memset(text, place == 4 ? c : digits[0], sizeof(text));
            text[place % 4] = (char)c;
            four_digits(_i, text, place == 4 ? 0 : place, place == 4 ? 3 : place, value);
        }
    }
}
END_TEST

START_TEST(padding_in_front_of_a_text_is_none_of_it)
{
    static const char padding[] = "=";

    ck_assert(hookline_codec_decode_public(ENCODING_BASE64, (hookline_bytes){&padding[1], 0}, out,
                                           64, &len));
    ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(text_is_the_bytes_that_it_is)
{
    ck_assert(
        hookline_codec_decode_secret(ENCODING_TEXT, (hookline_bytes){"a\0\xff", 3}, out, 3, &len));
    ck_assert_mem_eq(out, "a\0\xff", 3);
    ck_assert_uint_eq(len, 3);
}
END_TEST

static const struct {
    enum encoding encoding;
    const char *text;
} longer[] = {
    {ENCODING_HEX, "666f6f"},
    {ENCODING_BASE64, "Zm9v"},
    {ENCODING_BASE64URL, "Zm9v"},
};

START_TEST(what_has_no_room_is_refused)
{
    ck_assert(!decode(longer[_i].encoding, longer[_i].text, 2));
    ck_assert(decode(longer[_i].encoding, longer[_i].text, 3));
    ck_assert(!decode_secret(longer[_i].encoding, longer[_i].text, 2));
    ck_assert(!decode_secret(ENCODING_TEXT, "foo", 2));
}
END_TEST

START_TEST(what_has_no_room_is_not_written)
{
    char text[8] = "";

    ck_assert_uint_eq(hookline_codec_encode(ENCODING_HEX, (const unsigned char *)"foo", 3, text, 6),
                      0);
    ck_assert_uint_eq(hookline_codec_encode(ENCODING_HEX, (const unsigned char *)"foo", 3, text, 7),
                      6);
    ck_assert_uint_eq(
        hookline_codec_encode(ENCODING_BASE64, (const unsigned char *)"foo", 3, text, 4), 0);
    ck_assert_uint_eq(
        hookline_codec_encode(ENCODING_BASE64, (const unsigned char *)"foo", 3, text, 5), 4);
    ck_assert_uint_eq(
        hookline_codec_encode(ENCODING_TEXT, (const unsigned char *)"foo", 3, text, 8), 0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("codec");
    TCase *tc = tcase_create("codec");

    tcase_add_loop_test(tc, bytes_become_text_and_text_becomes_bytes, 0, COUNT(pairs));
    tcase_add_loop_test(tc, text_that_is_not_canonical_is_refused, 0, COUNT(wrong));
    tcase_add_test(tc, hex_is_read_in_either_case);
    tcase_add_test(tc, base64_for_urls_is_read_with_padding_too);
    tcase_add_test(tc, a_secret_may_lack_its_padding_but_not_half_of_it);
    tcase_add_loop_test(tc, only_the_letter_a_is_an_a, 0, 256);
    tcase_add_loop_test(tc, a_character_is_one_digit_wherever_it_stands_or_none_anywhere, 0,
                        COUNT(alphabets));
    tcase_add_test(tc, padding_in_front_of_a_text_is_none_of_it);
    tcase_add_test(tc, text_is_the_bytes_that_it_is);
    tcase_add_loop_test(tc, what_has_no_room_is_refused, 0, COUNT(longer));
    tcase_add_test(tc, what_has_no_room_is_not_written);
    suite_add_tcase(s, tc);
    return s;
}
