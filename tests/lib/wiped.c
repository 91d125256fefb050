/* SPDX-License-Identifier: MIT
 *
 * Copies of keys and of expected MACs do not stay on the stack. The program links the library's
 * sources with a wrapped sodium_memzero(), which tells each block before it is wiped.
 */
#include <string.h>

#include <sodium.h>

#include "lib/mac.h"
#include "tests/lib/delivery.h"
#include "tests/run.h"

void __real_sodium_memzero(void *block, size_t len);
void __wrap_sodium_memzero(void *block, size_t len);

enum {
    WIPED_MAX = 16
};

static struct {
    size_t len;
    unsigned char bytes[HOOKLINE_SECRET_LENGTH_MAX];
} wiped[WIPED_MAX];
static int calls;

void __wrap_sodium_memzero(void *block, size_t len)
{
    ck_assert(calls < WIPED_MAX && len <= sizeof(wiped[0].bytes));
    wiped[calls].len = len;
    memcpy(wiped[calls++].bytes, block, len);
    __real_sodium_memzero(block, len);
}

/* Counts the wiped blocks of this length that begin with these bytes. */
static int count_wiped(size_t len, const void *bytes, size_t known)
{
    int count = 0;

    for (int i = 0; i < calls; i++)
        count += wiped[i].len == len && memcmp(wiped[i].bytes, bytes, known) == 0;
    return count;
}

static struct delivery d;

static void make_standard(void)
{
    deliver(&d, "standard");
    calls = 0;
}

static void drop(void)
{
    delivery_free(&d);
}

START_TEST(the_padded_key_is_wiped)
{
    const unsigned char padded[] = {'k' ^ 0x5c, 'e' ^ 0x5c, 'y' ^ 0x5c, 0x5c, 0x5c};
    struct mac_key key;

    hookline_mac_key_set(&key, (const unsigned char *)"key", 3);
    ck_assert_int_eq(count_wiped(64, padded, sizeof(padded)), 1);
}
END_TEST

START_TEST(the_hash_of_the_key_and_of_the_text_is_wiped)
{
    const hookline_bytes text = {"text", 4};
    unsigned char mac[MAC_SIZE];
    struct mac_key key;

    hookline_mac_key_set(&key, (const unsigned char *)"key", 3);
    hookline_mac_compute(&key, &text, 1, mac);
    ck_assert_int_eq(count_wiped(sizeof(SHA256_CTX), "", 0), 1);
}
END_TEST

START_TEST(the_mac_that_a_forged_request_should_have_is_wiped)
{
    hookline_result r = verify(&d);

    calls = 0;
    set_header(&d, "webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    ck_assert_str_eq(verdict(&d), "signature_mismatch");
    ck_assert_int_eq(count_wiped(MAC_SIZE, r.mac, sizeof(r.mac)), 1);
}
END_TEST

START_TEST(the_bytes_of_a_secret_that_were_looked_at_are_wiped)
{
    static const char key[] = "\x31\xf2\x90\xf6\xbf\x06\x29\x8a";
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new(&v, "standard", SECRET), 0);
    ck_assert_int_eq(count_wiped(HOOKLINE_SECRET_LENGTH_MAX, key, sizeof(key) - 1), 1);
    hookline_verifier_free(&v);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("wiped");
    TCase *tc = tcase_create("wiped");

    tcase_add_checked_fixture(tc, make_standard, drop);
    tcase_add_test(tc, the_padded_key_is_wiped);
    tcase_add_test(tc, the_hash_of_the_key_and_of_the_text_is_wiped);
    tcase_add_test(tc, the_mac_that_a_forged_request_should_have_is_wiped);
    tcase_add_test(tc, the_bytes_of_a_secret_that_were_looked_at_are_wiped);
    suite_add_tcase(s, tc);
    return s;
}
