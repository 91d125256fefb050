/* SPDX-License-Identifier: MIT
 *
 * HMAC-SHA256 against the vectors of RFC 4231.
 */
#include "lib/mac.h"

#include <stdio.h>
#include <string.h>

#include "tests/run.h"

/* A count repeats the single byte of a key or text. */
static const struct {
    const char *key;
    size_t key_count;
    const char *text;
    size_t text_count;
    const char *mac;
} rfc4231[] = {
    {"\x0b", 20, "Hi There", 1, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", 1, "what do ya want for nothing?", 1,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"\xaa", 20, "\xdd", 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 1,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"\xaa", 131,
     "This is a test using a larger than block-size key and a larger than block-size data. The "
     "key needs to be hashed before being used by the HMAC algorithm.",
     1, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static hookline_bytes repeat(char *buffer, const char *text, size_t count)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < count; i++)
        memcpy(buffer + i * len, text, len);
    return (hookline_bytes){buffer, count * len};
}

static void in_hex(const unsigned char mac[MAC_SIZE], char hex[2 * MAC_SIZE + 1])
{
    for (size_t i = 0; i < MAC_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
}

START_TEST(the_vectors_of_the_rfc_are_computed)
{
    char key_buffer[256], text_buffer[256], hex[2 * MAC_SIZE + 1];
    hookline_bytes key = repeat(key_buffer, rfc4231[_i].key, rfc4231[_i].key_count);
    hookline_bytes text = repeat(text_buffer, rfc4231[_i].text, rfc4231[_i].text_count);
    unsigned char mac[MAC_SIZE];
    struct mac_key k;

    hookline_mac_key_set(&k, (const unsigned char *)key.base, key.len);
    hookline_mac_compute(&k, &text, 1, mac);
    in_hex(mac, hex);
    ck_assert_str_eq(hex, rfc4231[_i].mac);
}
END_TEST

START_TEST(the_key_without_bytes_is_a_block_of_zeros)
{
    hookline_bytes text = {"", 0};
    char hex[2 * MAC_SIZE + 1];
    unsigned char mac[MAC_SIZE];
    struct mac_key k;

    hookline_mac_key_set(&k, (const unsigned char *)"", 0);
    hookline_mac_compute(&k, &text, 1, mac);
    in_hex(mac, hex);
    ck_assert_str_eq(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

/* Splits the text at _i, once with an empty part in between. */
START_TEST(the_mac_of_parts_is_the_mac_of_the_whole)
{
    const char *text = "0123456789012345678901234567890123456789012345678901234567890123456789";
    hookline_bytes whole = {text, 70};
    hookline_bytes parts[] = {{text, (size_t)_i}, {NULL, 0}, {text + _i, 70 - (size_t)_i}};
    unsigned char one[MAC_SIZE], three[MAC_SIZE];
    struct mac_key k;

    hookline_mac_key_set(&k, (const unsigned char *)"key", 3);
    hookline_mac_compute(&k, &whole, 1, one);
    hookline_mac_compute(&k, parts, 3, three);
    ck_assert(hookline_mac_equal(one, three));
}
END_TEST

START_TEST(a_key_can_be_used_again)
{
    hookline_bytes text = {"text", 4};
    unsigned char first[MAC_SIZE], second[MAC_SIZE];
    struct mac_key k;

    hookline_mac_key_set(&k, (const unsigned char *)"key", 3);
    hookline_mac_compute(&k, &text, 1, first);
    hookline_mac_compute(&k, &text, 1, second);
    ck_assert_mem_eq(first, second, MAC_SIZE);
}
END_TEST

START_TEST(macs_that_differ_in_one_bit_are_not_equal)
{
    unsigned char a[MAC_SIZE] = {0}, b[MAC_SIZE] = {0};

    ck_assert(hookline_mac_equal(a, b));
    b[_i / 8] = (unsigned char)(1 << _i % 8);
    ck_assert(!hookline_mac_equal(a, b));
    ck_assert(!hookline_mac_equal(b, a));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("mac");
    TCase *tc = tcase_create("mac");

    tcase_add_loop_test(tc, the_vectors_of_the_rfc_are_computed, 0, COUNT(rfc4231));
    tcase_add_test(tc, the_key_without_bytes_is_a_block_of_zeros);
    tcase_add_loop_test(tc, the_mac_of_parts_is_the_mac_of_the_whole, 0, 71);
    tcase_add_test(tc, a_key_can_be_used_again);
    tcase_add_loop_test(tc, macs_that_differ_in_one_bit_are_not_equal, 0, 8 * MAC_SIZE);
    suite_add_tcase(s, tc);
    return s;
}
