/* SPDX-License-Identifier: MIT
 *
 * Secrets, tolerances and codes of verifiers.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

static struct delivery d;

static void make_foil(void)
{
    deliver(&d, "foil");
}

static void drop(void)
{
    delivery_free(&d);
}

/* ---- secrets */

static const struct {
    const char *scheme, *secret;
} unusable[] = {
    {"foil", NULL},
    {"foil", ""},
    {"foil", " "},
    {"foil", "\t\r\n"},
    {"foil", SECRET "\n"},
    {"foil", SECRET "\r\n"},
    {"foil", SECRET " "},
    {"foil", " " SECRET},
    {"foil", "\v" SECRET},
    {"foil", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="},
    {"foil", "whsk_6Xb/dCcHpPea"},
    {"standard", NULL},
    {"standard", ""},
    {"standard", "whsec_"},
    {"standard", "whsec_%"},
    {"standard", "whsec_xyz!"},
    {"standard", "whsec_="},
    {"standard", "whsec_===="},
    {"standard", "whsec_A"},
    {"standard", "whsec_AB"},
    {"standard", "whsec_AA==="},
    {"standard", "whsec_AA= ="},
    {"standard", "whsec_MfKQ-r8G"},
    {"standard", "whsec_whsec_MfKQ9r8GKYqr"},
    {"standard", "whsec_ MfKQ9r8GKYqr"},
    {"standard", "v1,whsec_MfKQ9r8GKYqr"},
    {"standard", "WHSEC_MfKQ9r8GKYqr"},
    {"standard", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="},
    {"standard", "whsk_6Xb/dCcHpPea"},
};

START_TEST(a_secret_that_cannot_be_right_is_refused_and_leaves_nothing_that_could_verify)
{
    hookline_verifier *v = d.v;
    int code = hookline_verifier_new(&v, unusable[_i].scheme, unusable[_i].secret);

    ck_assert_int_eq(code, HOOKLINE_BAD_SECRET);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(hookline_verify(v, &d.req, NOW).reason, HOOKLINE_BAD_CALL);
}
END_TEST

static const struct {
    const char *description, *secret, *problem; /* NULL: usable */
} problems[] = {
    {"content {body}", "a-secret", NULL},
    {"content {body}", NULL, "is empty"},
    {"content {body}", "", "is empty"},
    {"content {body}", "a-secret\n", "white space"},
    {"content {body}", "\ta-secret", "white space"},
    {"content {body}", "a-secret\v", "white space"},
    {"content {body}",
     "\x08"
     "a-secret\x0e",
     NULL},
    {"content {body}; secret base64", "not base64!", "not base64"},
    {"content {body}; secret base64 whsec_", "whsec_", "empty behind its prefix"},
    {"content {body}; secret hex", "0g", "not hex"},
    {"content {body}; secret hex", "0aF1", NULL},
    {"content {body}", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
     "signature algorithm"},
    {"content {body}; secret base64", "-----BEGIN CERTIFICATE-----", "signature algorithm"},
    {"content {body}",
     "MCowBQYDK2VwAyEADmoqm39BAUzjrCWIkWzc7Ir9unOtmN+/y+ioYvQZmXk=", "signature algorithm"},
    {"content {body}; secret base64", "MCowBQYDK2VwAyEADmoqm39BAUzjrCWIkWzc7Ir9unOtmN+/y+ioYvQZmXk",
     "signature algorithm"},
    {"content {body}",
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3onvmcOn3oiKvLo+57WEGAZ1yK7f\n"
     "+G0v2oVfxFJgY/Bqq+3fAwOYJ51bUHI+qwdH2xWbJVr8ad5eksgx0ZeD8Q==",
     "signature algorithm"},
    {"content {body}", "MC4CAQAwBQYDK2VwBCIEIJzbG5rJEibqLGG6vUGItp0PjplUdhy8Yw7VUW1Uxoo7",
     "signature algorithm"},
    {"content {body}", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAY\"}",
     "signature algorithm"},
    {"content {body}", "{a-secret}", NULL},
    {"content {body}", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me", "signature algorithm"},
    {"content {body}; secret base64 whsec_",
     "whsec_MCowBQYDK2VwAyEADmoqm39BAUzjrCWIkWzc7Ir9unOtmN+/y+ioYvQZmXk=", "signature algorithm"},
    {"content {body}", "ecdsa-sha2-nistp256 AAAAE2VjZHNh", "signature algorithm"},
    {"content {body}",
     "<RSAKeyValue><Modulus>tNuH</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
     "signature algorithm"},
    {"content {body}", "whpk_MCow", "signature algorithm"},
    {"content {body}", "MCowBQYDK2VwAyEA", NULL},
    {"content {body}; secret base64", "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", NULL},
};

START_TEST(a_secret_is_usable_or_the_problem_is_said)
{
    char description[128];
    const char *problem;

    snprintf(description, sizeof(description), "signature X; encoding hex; %s",
             problems[_i].description);
    problem = hookline_secret_problem(description, problems[_i].secret);
    if (problems[_i].problem == NULL)
        ck_assert_ptr_null(problem);
    else
        ck_assert_msg(problem != NULL && strstr(problem, problems[_i].problem) != NULL, "%s",
                      problem == NULL ? "usable" : problem);
}
END_TEST

/* The first bytes of DER, and its size: a sequence of a sequence or of an integer. */
static const struct {
    const char *first;
    size_t size;
    bool is_der;
} sequences[] = {
    {"\x30\x03\x02\x01", 5, true},        {"\x30\x03\x30\x01", 5, true},
    {"\x30\x7f\x30\x01", 129, true},      {"\x30\x81\x80\x30", 131, true},
    {"\x30\x81\x7f\x02", 130, true},      {"\x30\x82\x01\x06\x30", 266, true},
    {"\x30\x82\x01\x06\x02", 266, true},  {"\x30\x82\x01\x06\x03", 266, false},
    {"\x30\x82\x01\x06\x30", 265, false}, {"\x30\x82\x01\x06\x30", 267, false},
    {"\x30\x83\x01\x06\x30", 266, false}, {"\x30\x81\x80\x30", 130, false},
    {"\x30\x81\x80\x04", 131, false},     {"\x30\x04\x02\x01", 5, false},
    {"\x30\x02\x02\x01", 5, false},       {"\x31\x03\x02\x01", 5, false},
    {"\x30\x03\x04\x01", 5, false},       {"\x30\x02\x30\x02", 4, false},
};

START_TEST(der_is_known_by_its_first_bytes_and_its_size)
{
    static const int variants[] = {
        sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    unsigned char bytes[300];
    char secret[500] = "whsec_";

    memset(bytes, 0xff, sizeof(bytes)); /* "/" or "_" */
    memcpy(bytes, sequences[_i].first, strlen(sequences[_i].first));
    for (int v = 0; v < COUNT(variants); v++) {
        const char *problem;

        sodium_bin2base64(secret + 6, sizeof(secret) - 6, bytes, sequences[_i].size, variants[v]);
        problem = hookline_secret_problem("signature X; encoding hex; content {body}", secret);
        ck_assert_int_eq(problem != NULL, sequences[_i].is_der);
        problem = hookline_secret_problem("signature X; encoding hex; content {body}", secret + 6);
        ck_assert_int_eq(problem != NULL, sequences[_i].is_der);
    }
}
END_TEST

START_TEST(a_second_secret_is_held_to_the_same_rules_and_leaves_the_first)
{
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new(&v, unusable[_i].scheme, SECRET), 0);
    ck_assert_int_eq(hookline_verifier_add_secret(v, unusable[_i].secret), HOOKLINE_BAD_SECRET);
    ck_assert_int_eq(hookline_verifier_add_secret(v, OTHER_SECRET), 0);
    hookline_verifier_free(&v);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

/* RFC 2104 pads an empty key to zeros, a publicly known key. */
START_TEST(a_secret_that_would_be_an_empty_key_makes_no_verifier)
{
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new(&v, "foil", "\0whsec"), HOOKLINE_BAD_SECRET);
    ck_assert_int_eq(hookline_verifier_new_custom(
                         &v, "signature X; encoding hex; content {body}; secret hex", "", NULL, 0),
                     HOOKLINE_BAD_SECRET);
}
END_TEST

static const struct {
    size_t len;
    int code;
} lengths[] = {{1, 0}, {63, 0}, {64, 0}, {65, 0}, {511, 0}, {512, 0}, {513, HOOKLINE_BAD_SECRET}};

START_TEST(a_secret_has_512_bytes_at_most)
{
    char secret[514] = "";
    hookline_verifier *v;

    memset(secret, 's', lengths[_i].len);
    ck_assert_int_eq(hookline_verifier_new(&v, "foil", secret), lengths[_i].code);
    hookline_verifier_free(&v);
}
END_TEST

START_TEST(a_verifier_has_eight_secrets_at_most)
{
    for (int i = 1; i < HOOKLINE_SECRETS_MAX; i++)
        ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), HOOKLINE_BAD_SECRET);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

START_TEST(the_secret_that_matched_is_told_wherever_it_stands)
{
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new(&v, "foil", _i == 0 ? SECRET : "other"), 0);
    for (int i = 1; i < HOOKLINE_SECRETS_MAX; i++)
        ck_assert_int_eq(hookline_verifier_add_secret(v, i == _i ? SECRET : "other"), 0);
    ck_assert_int_eq(hookline_verify(v, &d.req, NOW).secret, _i);
    hookline_verifier_free(&v);
}
END_TEST

/* _i has one bit for each of two signatures and two secrets. */
START_TEST(every_secret_is_tried_against_every_signature)
{
    static const char *const wrong[] = {"wrong 1", "wrong 2", "wrong 3", "wrong 4"};
    hookline_verifier *sender, *receiver;
    hookline_signature s;
    hookline_request req = d.req;
    int first = _i & 4 ? 0 : _i & 8 ? 1 : -1, expected = _i & 3 ? first : -1;

    ck_assert_int_eq(hookline_verifier_new(&sender, "stripe", _i & 1 ? SECRET : wrong[0]), 0);
    ck_assert_int_eq(hookline_verifier_add_secret(sender, _i & 2 ? SECRET : wrong[1]), 0);
    ck_assert_int_eq(hookline_verifier_new(&receiver, "stripe", _i & 4 ? SECRET : wrong[2]), 0);
    ck_assert_int_eq(hookline_verifier_add_secret(receiver, _i & 8 ? SECRET : wrong[3]), 0);
    ck_assert_int_eq(hookline_sign(sender, &d.req, (hookline_bytes){NULL, 0}, NOW, &s), 0);
    req.headers = &s.headers;
    ck_assert_int_eq(hookline_verify(receiver, &req, NOW).secret, expected);
    hookline_verifier_free(&sender);
    hookline_verifier_free(&receiver);
}
END_TEST

START_TEST(the_shortest_key_is_measured_after_decoding)
{
    char longest[HOOKLINE_SECRET_LENGTH_MAX + 1] = "";
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new(&v, "standard", "whsec_AAAAAAAAAAAAAAAAAAAAAAAA"), 0);
    ck_assert_uint_eq(hookline_verifier_key_bytes(v), 18);
    ck_assert_int_eq(hookline_verifier_add_secret(v, "whsec_AAAAAAAAAAA="), 0);
    ck_assert_uint_eq(hookline_verifier_key_bytes(v), 8);
    ck_assert_int_eq(hookline_verifier_add_secret(v, "whsec_AAAAAAAAAAAAAAAA"), 0);
    ck_assert_uint_eq(hookline_verifier_key_bytes(v), 8);
    hookline_verifier_free(&v);
    memset(longest, 's', HOOKLINE_SECRET_LENGTH_MAX);
    ck_assert_int_eq(hookline_verifier_new(&v, "foil", longest), 0);
    ck_assert_uint_eq(hookline_verifier_key_bytes(v), HOOKLINE_SECRET_LENGTH_MAX);
    hookline_verifier_free(&v);
    ck_assert_uint_eq(hookline_verifier_key_bytes(d.v), strlen(SECRET));
    ck_assert_uint_eq(hookline_verifier_key_bytes(NULL), 0);
}
END_TEST

/* Lets the kernel write to the verifier, because a program that did so would end. */
static bool is_read_only(hookline_verifier *v)
{
    int ends[2], got;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    got = (int)read(ends[0], v, 1);
    ck_assert(got == 1 || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return got < 0;
}

START_TEST(no_byte_of_a_verifier_can_be_written_by_mistake)
{
    ck_assert(is_read_only(d.v));
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    ck_assert(is_read_only(d.v));
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, ""), HOOKLINE_BAD_SECRET);
    ck_assert(is_read_only(d.v));
    ck_assert_int_eq(hookline_verifier_set_tolerance(d.v, 1, 1), 0);
    ck_assert(is_read_only(d.v));
}
END_TEST

/* ---- tolerance */

static const struct {
    int64_t past, future, age;
    const char *reason;
} windows[] = {
    {300, 300, 300, "verified"},
    {300, 300, 301, "timestamp_too_old"},
    {300, 300, -300, "verified"},
    {300, 300, -301, "timestamp_too_new"},
    {0, 0, 0, "verified"},
    {0, 0, 1, "timestamp_too_old"},
    {0, 0, -1, "timestamp_too_new"},
    {0, 300, 1, "timestamp_too_old"},
    {0, 300, -300, "verified"},
    {300, 0, -1, "timestamp_too_new"},
    {300, 0, 300, "verified"},
    {86400, 86400, 86400, "verified"},
    {86400, 86400, 86401, "timestamp_too_old"},
    {86400, 86400, -86400, "verified"},
    {86400, 86400, -86401, "timestamp_too_new"},
};

START_TEST(a_time_on_the_border_of_the_window_is_good_and_one_second_further_is_not)
{
    ck_assert_int_eq(hookline_verifier_set_tolerance(d.v, windows[_i].past, windows[_i].future), 0);
    d.now = NOW + windows[_i].age;
    ck_assert_str_eq(verdict(&d), windows[_i].reason);
}
END_TEST

static const int64_t no_tolerances[][2] = {
    {-1, 0}, {0, -1}, {86401, 0}, {0, 86401}, {INT64_MIN, 0}, {0, INT64_MAX},
};

START_TEST(a_tolerance_that_is_none_is_refused_and_changes_nothing)
{
    ck_assert_int_eq(
        hookline_verifier_set_tolerance(d.v, no_tolerances[_i][0], no_tolerances[_i][1]),
        HOOKLINE_BAD_TOLERANCE);
    d.now = NOW + 300;
    ck_assert_str_eq(verdict(&d), "verified");
    d.now = NOW + 301;
    ck_assert_str_eq(verdict(&d), "timestamp_too_old");
}
END_TEST

START_TEST(a_tolerance_of_zero_does_not_switch_the_window_off)
{
    ck_assert_int_eq(hookline_verifier_set_tolerance(d.v, 0, 0), 0);
    d.now = NOW + 86400;
    ck_assert_str_eq(verdict(&d), "timestamp_too_old");
}
END_TEST

START_TEST(a_scheme_without_a_time_is_accepted_at_any_time_and_never_called_fresh)
{
    delivery_free(&d);
    deliver(&d, "github");
    d.now = INT64_MAX;
    ck_assert_str_eq(verdict(&d), "verified");
    ck_assert_int_eq(verify(&d).fresh, 0);
    ck_assert_int_eq(verify(&d).signed_at, -1);
}
END_TEST

/* ---- NULL and empty arguments */

START_TEST(nothing_may_be_null)
{
    hookline_verifier *v = d.v;

    ck_assert_int_eq(hookline_verifier_new(NULL, "foil", SECRET), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_verifier_new(&v, NULL, SECRET), HOOKLINE_BAD_CALL);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(hookline_verifier_add_secret(NULL, SECRET), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_verifier_set_tolerance(NULL, 1, 1), HOOKLINE_BAD_CALL);
    ck_assert_ptr_null(hookline_secret_problem(NULL, SECRET));
    ck_assert_ptr_null(hookline_secret_problem("no description", SECRET));
}
END_TEST

START_TEST(freeing_nothing_is_nothing_and_freeing_twice_is_once)
{
    hookline_verifier_free(NULL);
    hookline_verifier_free(&d.v);
    ck_assert_ptr_null(d.v);
    hookline_verifier_free(&d.v);
}
END_TEST

/* ---- codes and version */

static const int codes[] = {
    HOOKLINE_VERIFIED,
    HOOKLINE_NOT_CHECKED,
    HOOKLINE_MISSING_HEADER,
    HOOKLINE_AMBIGUOUS_HEADER,
    HOOKLINE_BAD_SIGNATURE_FORMAT,
    HOOKLINE_BAD_TIMESTAMP,
    HOOKLINE_MISMATCH,
    HOOKLINE_TOO_OLD,
    HOOKLINE_TOO_NEW,
    HOOKLINE_ID_MISMATCH,
    HOOKLINE_BAD_PAYLOAD,
    HOOKLINE_BAD_ID,
    HOOKLINE_BAD_CALL,
    HOOKLINE_NO_MEMORY,
    HOOKLINE_NO_CRYPTO,
    HOOKLINE_BAD_SCHEME,
    HOOKLINE_BAD_SECRET,
    HOOKLINE_BAD_TOLERANCE,
};

START_TEST(every_code_has_a_name_and_a_sentence)
{
    ck_assert_str_ne(hookline_code_name(codes[_i]), "unknown");
    ck_assert_uint_gt(strlen(hookline_code_text(codes[_i])), 10);
}
END_TEST

START_TEST(no_two_codes_share_a_name_or_a_sentence)
{
    for (int i = 0; i < _i; i++) {
        ck_assert_str_ne(hookline_code_name(codes[i]), hookline_code_name(codes[_i]));
        ck_assert_str_ne(hookline_code_text(codes[i]), hookline_code_text(codes[_i]));
    }
}
END_TEST

START_TEST(a_number_that_is_no_code_is_unknown)
{
    static const int others[] = {2, -11, -63, -70, INT32_MIN, INT32_MAX};

    for (int i = 0; i < COUNT(others); i++)
        ck_assert_str_eq(hookline_code_name(others[i]), "unknown");
    ck_assert_ptr_nonnull(hookline_code_text(2));
}
END_TEST

START_TEST(the_library_has_the_version_of_its_header)
{
    ck_assert_str_eq(hookline_version(), HOOKLINE_VERSION);
}
END_TEST

static TCase *secrets_case(void)
{
    TCase *tc = tcase_create("secrets");

    tcase_add_checked_fixture(tc, make_foil, drop);
    tcase_add_loop_test(
        tc, a_secret_that_cannot_be_right_is_refused_and_leaves_nothing_that_could_verify, 0,
        COUNT(unusable));
    tcase_add_loop_test(tc, a_secret_is_usable_or_the_problem_is_said, 0, COUNT(problems));
    tcase_add_loop_test(tc, der_is_known_by_its_first_bytes_and_its_size, 0, COUNT(sequences));
    tcase_add_loop_test(tc, a_second_secret_is_held_to_the_same_rules_and_leaves_the_first, 0,
                        COUNT(unusable));
    tcase_add_test(tc, a_secret_that_would_be_an_empty_key_makes_no_verifier);
    tcase_add_loop_test(tc, a_secret_has_512_bytes_at_most, 0, COUNT(lengths));
    tcase_add_test(tc, a_verifier_has_eight_secrets_at_most);
    tcase_add_loop_test(tc, the_secret_that_matched_is_told_wherever_it_stands, 0,
                        HOOKLINE_SECRETS_MAX);
    tcase_add_loop_test(tc, every_secret_is_tried_against_every_signature, 0, 16);
    tcase_add_test(tc, the_shortest_key_is_measured_after_decoding);
    tcase_add_test(tc, no_byte_of_a_verifier_can_be_written_by_mistake);
    return tc;
}

static TCase *rest_case(void)
{
    TCase *tc = tcase_create("tolerance and codes");

    tcase_add_checked_fixture(tc, make_foil, drop);
    tcase_add_loop_test(tc,
                        a_time_on_the_border_of_the_window_is_good_and_one_second_further_is_not, 0,
                        COUNT(windows));
    tcase_add_loop_test(tc, a_tolerance_that_is_none_is_refused_and_changes_nothing, 0,
                        COUNT(no_tolerances));
    tcase_add_test(tc, a_tolerance_of_zero_does_not_switch_the_window_off);
    tcase_add_test(tc, a_scheme_without_a_time_is_accepted_at_any_time_and_never_called_fresh);
    tcase_add_test(tc, nothing_may_be_null);
    tcase_add_test(tc, freeing_nothing_is_nothing_and_freeing_twice_is_once);
    tcase_add_loop_test(tc, every_code_has_a_name_and_a_sentence, 0, COUNT(codes));
    tcase_add_loop_test(tc, no_two_codes_share_a_name_or_a_sentence, 0, COUNT(codes));
    tcase_add_test(tc, a_number_that_is_no_code_is_unknown);
    tcase_add_test(tc, the_library_has_the_version_of_its_header);
    return tc;
}

Suite *suite(void)
{
    Suite *s = suite_create("verifier");

    suite_add_tcase(s, secrets_case());
    suite_add_tcase(s, rest_case());
    return s;
}
