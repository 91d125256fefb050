/* SPDX-License-Identifier: MIT
 *
 * hookline_verify() accepts signatures of hookline_sign(). The canonical vectors test the bytes.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

static struct delivery d;
static hookline_signature out;
static const hookline_bytes no_id = {NULL, 0};

static void make_standard(void)
{
    deliver(&d, "standard");
}

static void drop(void)
{
    delivery_free(&d);
}

static int sign(hookline_bytes id)
{
    return hookline_sign(d.v, &d.req, id, d.now, &out);
}

/* Replaces the fixture's scheme. */
static void make(const char *description)
{
    delivery_free(&d);
    deliver_custom(&d, description);
}

static const char *value_of(const char *name)
{
    static char text[2048];
    hookline_bytes value = {"", 0};

    ck_assert_uint_eq(hookline_find_in_list(&out.headers, name, &value), 1);
    snprintf(text, sizeof(text), "%.*s", (int)value.len, value.base);
    return text;
}

START_TEST(what_a_scheme_signs_it_accepts)
{
    delivery_free(&d);
    deliver(&d, hookline_scheme_at((size_t)_i)->name);
    ck_assert_str_eq(verdict(&d), "verified");
    ck_assert_int_eq(verify(&d).secret, 0);
}
END_TEST

START_TEST(what_a_scheme_signs_with_two_secrets_it_accepts)
{
    delivery_free(&d);
    deliver(&d, hookline_scheme_at((size_t)_i)->name);
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    sign_again(&d);
    ck_assert_str_eq(verdict(&d), "verified");
    ck_assert_int_eq(verify(&d).secret, 0);
}
END_TEST

START_TEST(what_a_scheme_signs_one_who_has_the_secret_as_the_second_accepts)
{
    hookline_verifier *other;

    delivery_free(&d);
    deliver(&d, hookline_scheme_at((size_t)_i)->name);
    ck_assert_int_eq(
        hookline_verifier_new(&other, hookline_scheme_at((size_t)_i)->name, OTHER_SECRET), 0);
    ck_assert_int_eq(hookline_verify(other, &d.req, NOW).reason, HOOKLINE_MISMATCH);
    ck_assert_int_eq(hookline_verifier_add_secret(other, SECRET), 0);
    ck_assert_int_eq(hookline_verify(other, &d.req, NOW).secret, 1);
    hookline_verifier_free(&other);
}
END_TEST

START_TEST(schemes_with_lists_sign_with_every_secret)
{
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    sign_again(&d);
    ck_assert_uint_eq(find_header(&d, "webhook-signature")->value.len, 2 * 47 + 1);
}
END_TEST

START_TEST(a_receiver_that_knows_only_the_second_secret_accepts_a_list)
{
    hookline_verifier *other;

    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    sign_again(&d);
    ck_assert_int_eq(hookline_verifier_new(&other, "standard", OTHER_SECRET), 0);
    ck_assert_int_eq(hookline_verify(other, &d.req, NOW).reason, HOOKLINE_VERIFIED);
    hookline_verifier_free(&other);
}
END_TEST

START_TEST(schemes_without_lists_sign_with_the_first_secret)
{
    delivery_free(&d);
    deliver(&d, "foil");
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    sign_again(&d);
    ck_assert_uint_eq(find_header(&d, "X-Foil-Signature")->value.len, 64);
}
END_TEST

START_TEST(eight_secrets_fit)
{
    for (int i = 1; i < HOOKLINE_SECRETS_MAX; i++)
        ck_assert_int_eq(hookline_verifier_add_secret(d.v, OTHER_SECRET), 0);
    ck_assert_int_eq(sign((hookline_bytes){"m", 1}), 0);
    ck_assert_uint_eq(strlen(value_of("webhook-signature")), 8 * 47 + 7);
}
END_TEST

/* ---- the id */

START_TEST(an_id_that_the_scheme_sends_is_needed)
{
    ck_assert_int_eq(sign(no_id), HOOKLINE_BAD_ID);
}
END_TEST

static const char *const bad_ids[] = {"msg.1", "two words", "\x01", "\x7f", "\xc3\xa9", "a\nb"};

START_TEST(an_id_that_the_scheme_does_not_allow_is_refused)
{
    ck_assert_int_eq(sign((hookline_bytes){bad_ids[_i], strlen(bad_ids[_i])}), HOOKLINE_BAD_ID);
}
END_TEST

START_TEST(an_id_may_have_the_first_and_the_last_printable_character)
{
    ck_assert_int_eq(sign((hookline_bytes){"!~", 2}), 0);
}
END_TEST

START_TEST(an_id_has_256_bytes_at_most)
{
    char id[257];

    memset(id, 'm', sizeof(id));
    ck_assert_int_eq(sign((hookline_bytes){id, 256}), 0);
    ck_assert_int_eq(sign((hookline_bytes){id, 257}), HOOKLINE_BAD_ID);
}
END_TEST

START_TEST(an_id_that_must_equal_one_in_the_body_is_taken_from_there)
{
    delivery_free(&d);
    deliver(&d, "shodai");
    ck_assert_int_eq(sign(no_id), 0);
    ck_assert_str_eq(value_of("X-Shodai-Webhook-Id"), "msg_1");
}
END_TEST

static const char *const bodies_without_id[] = {
    "", "hello", "{}", "{\"id\":null}", "{\"id\":{}}", "{\"id\":\"a\\u0062\"}", "{\"id\":\"\"}",
};

START_TEST(a_body_without_an_id_gives_none)
{
    delivery_free(&d);
    deliver(&d, "shodai");
    set_body(&d, bodies_without_id[_i]);
    ck_assert_int_eq(sign(no_id), HOOKLINE_BAD_ID);
}
END_TEST

START_TEST(an_id_that_the_scheme_does_not_send_is_not_sent)
{
    delivery_free(&d);
    deliver(&d, "github");
    ck_assert_int_eq(sign((hookline_bytes){"two words", 9}), 0);
    ck_assert_uint_eq(out.headers.count, 1);
}
END_TEST

/* ---- signed content and its encoding */

START_TEST(a_time_is_written_as_the_scheme_writes_it)
{
    static const struct {
        const char *unit, *text;
    } units[] = {{"seconds", "1800000000"},
                 {"milliseconds", "1800000000000"},
                 {"rfc3339", "2027-01-15T08:00:00Z"},
                 {"any", "2027-01-15T08:00:00Z"}};
    char description[128];

    snprintf(description, sizeof(description),
             "signature S; encoding hex; timestamp header T %s; content {timestamp}.{body}",
             units[_i].unit);
    make(description);
    ck_assert_int_eq(sign(no_id), 0);
    ck_assert_str_eq(value_of("T"), units[_i].text);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

static const char *const shapes[] = {
    "signature S; encoding base64url; content {body}",
    "signature S also T; encoding base64; content {body}",
    "signature S; list bare; encoding hex; content {body}",
    "signature S; list bare; prefix v0=; encoding base64; content {body}",
    "signature S; list bare; prefix whole v0=; encoding hex; content {body}",
    "signature S; list tagged v1; encoding hex; content {body}",
    "signature S; list tagged v1; prefix x-; encoding hex; content {body}",
    "signature S; list pairs comma v1; encoding base64; content {body}",
    "signature S; list pairs semicolon v1; prefix sha256=; encoding hex; content {body}",
    "signature S;list pairs comma v;encoding hex;timestamp pair t any;content {timestamp}.{body}",
    "signature S|R; encoding hex; id header I|J; content {id}/{body}",
};

START_TEST(every_shape_of_a_list_is_accepted_with_one_secret_and_with_three)
{
    make(shapes[_i]);
    ck_assert_str_eq(verdict(&d), "verified");
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, "second"), 0);
    ck_assert_int_eq(hookline_verifier_add_secret(d.v, "third"), 0);
    sign_again(&d);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

START_TEST(a_description_with_as_many_test_types_as_there_may_be_keeps_its_beginning)
{
    make("prefix v0=; signature S; encoding hex; content {body}; event test a b c d");
    ck_assert_int_eq(sign(no_id), 0);
    ck_assert_int_eq(strncmp(value_of("S"), "v0=", 3), 0);
}
END_TEST

START_TEST(of_two_sets_of_names_the_first_is_sent)
{
    delivery_free(&d);
    deliver(&d, "svix");
    ck_assert_int_eq(sign((hookline_bytes){"m", 1}), 0);
    ck_assert_uint_eq(strlen(value_of("svix-signature")), 47);
}
END_TEST

static void make_with_headers(const char *description)
{
    hookline_verifier *v;

    delivery_free(&d);
    deliver(&d, "github");
    ck_assert_int_eq(hookline_verifier_new_custom(&v, description, "s", NULL, 0), 0);
    hookline_verifier_free(&d.v);
    d.v = v;
    d.list.count = 0;
}

START_TEST(a_header_that_is_signed_is_needed)
{
    make_with_headers("signature S; encoding hex; content {header:A}.{body}");
    ck_assert_int_eq(sign(no_id), HOOKLINE_MISSING_HEADER);
    set_header(&d, "A", "1");
    ck_assert_int_eq(sign(no_id), 0);
    d.header[d.list.count++] = d.header[0];
    ck_assert_int_eq(sign(no_id), HOOKLINE_AMBIGUOUS_HEADER);
}
END_TEST

START_TEST(a_header_that_holds_what_separates_it_is_ambiguous)
{
    make_with_headers("signature S; encoding hex; content {header:A}.{body}");
    set_header(&d, "A", "1.2");
    ck_assert_int_eq(sign(no_id), HOOKLINE_AMBIGUOUS_HEADER);
}
END_TEST

START_TEST(a_header_that_is_signed_needs_a_way_to_find_it)
{
    make_with_headers("signature S; encoding hex; content {header:A}.{body}");
    d.req.find_header = NULL;
    ck_assert_int_eq(sign(no_id), HOOKLINE_BAD_CALL);
}
END_TEST

/* ---- bad calls */

START_TEST(nothing_may_be_null)
{
    hookline_bytes id = {"m", 1};

    ck_assert_int_eq(hookline_sign(NULL, &d.req, id, NOW, &out), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_sign(d.v, NULL, id, NOW, &out), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_sign(d.v, &d.req, id, NOW, NULL), HOOKLINE_BAD_CALL);
    d.req.body.base = NULL;
    ck_assert_int_eq(sign(id), HOOKLINE_BAD_CALL);
}
END_TEST

static const int64_t no_times[] = {0, -1, INT64_MIN, INT64_C(253402300800), INT64_MAX};

START_TEST(a_now_that_no_sender_could_write_is_refused)
{
    d.now = no_times[_i];
    ck_assert_int_eq(sign((hookline_bytes){"m", 1}), HOOKLINE_BAD_CALL);
}
END_TEST

START_TEST(the_first_second_and_the_last_of_the_year_9999_can_be_written)
{
    d.now = 1;
    ck_assert_int_eq(sign((hookline_bytes){"m", 1}), 0);
    d.now = INT64_C(253402300799);
    ck_assert_int_eq(sign((hookline_bytes){"m", 1}), 0);
}
END_TEST

static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",   "PATCH",
                                      "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND",
                                      "get",    "GE",      "GETS",    "POSTS", "X"};

START_TEST(a_method_that_is_signed_is_one_of_the_nine_of_http)
{
    make_with_headers("signature S; encoding hex; content {method}.{body}");
    d.req.method = (hookline_bytes){methods[_i], strlen(methods[_i])};
    ck_assert_int_eq(sign(no_id), _i < 9 ? 0 : HOOKLINE_AMBIGUOUS_HEADER);
}
END_TEST

START_TEST(before_a_url_letters_digits_and_two_signs_may_stand)
{
    const char value[] = {'x', (char)_i, 'x'};
    bool allowed = _i < 128 && (isalnum(_i) || _i == '-' || _i == '_');

    make_with_headers("signature S; encoding hex; content {header:A}{url}{body}");
    d.req.url = (hookline_bytes){"https://h", 9};
    set_header(&d, "A", "xxx");
    d.header[0].value.base = value;
    ck_assert_int_eq(sign(no_id), allowed ? 0 : HOOKLINE_AMBIGUOUS_HEADER);
}
END_TEST

static const struct {
    hookline_bytes url;
    int code;
} urls[] = {
    {{"hooks", 5}, HOOKLINE_AMBIGUOUS_HEADER},
    {{"hooks/", 5}, HOOKLINE_AMBIGUOUS_HEADER},
    {{"hooks/", 4}, HOOKLINE_AMBIGUOUS_HEADER},
    {{"hooks/", 6}, 0},
    {{"/hooks", 6}, 0},
    {{"/", 1}, 0},
};

START_TEST(behind_a_header_a_url_has_a_character_that_ends_it)
{
    make_with_headers("signature S; encoding hex; content {header:A}{url}{body}");
    d.req.url = urls[_i].url;
    set_header(&d, "A", "xxx");
    ck_assert_int_eq(sign(no_id), urls[_i].code);
}
END_TEST

static const char *const needy[] = {
    "signature S; encoding hex; content {method}{body}",
    "signature S; encoding hex; content {url}{body}",
};

START_TEST(a_method_or_url_that_is_signed_is_needed)
{
    hookline_verifier *v;

    ck_assert_int_eq(hookline_verifier_new_custom(&v, needy[_i], "s", NULL, 0), 0);
    ck_assert_int_eq(hookline_sign(v, &d.req, no_id, NOW, &out), HOOKLINE_BAD_CALL);
    d.req.method = d.req.url = (hookline_bytes){"POST", 4};
    ck_assert_int_eq(hookline_sign(v, &d.req, no_id, NOW, &out), 0);
    hookline_verifier_free(&v);
}
END_TEST

START_TEST(a_refusal_touches_nothing)
{
    hookline_signature before;

    memset(&out, 0x55, sizeof(out));
    before = out;
    ck_assert_int_eq(sign(no_id), HOOKLINE_BAD_ID);
    ck_assert_mem_eq(&out, &before, sizeof(out));
}
END_TEST

static TCase *round_trip_case(void)
{
    TCase *tc = tcase_create("round trip");
    int end = (int)count_schemes();

    tcase_add_checked_fixture(tc, make_standard, drop);
    tcase_add_loop_test(tc, what_a_scheme_signs_it_accepts, 0, end);
    tcase_add_loop_test(tc, what_a_scheme_signs_with_two_secrets_it_accepts, 0, end);
    tcase_add_loop_test(tc, what_a_scheme_signs_one_who_has_the_secret_as_the_second_accepts, 0,
                        end);
    tcase_add_test(tc, schemes_with_lists_sign_with_every_secret);
    tcase_add_test(tc, a_receiver_that_knows_only_the_second_secret_accepts_a_list);
    tcase_add_test(tc, schemes_without_lists_sign_with_the_first_secret);
    tcase_add_test(tc, eight_secrets_fit);
    tcase_add_loop_test(tc, a_time_is_written_as_the_scheme_writes_it, 0, 4);
    tcase_add_loop_test(tc, every_shape_of_a_list_is_accepted_with_one_secret_and_with_three, 0,
                        COUNT(shapes));
    tcase_add_test(tc, a_description_with_as_many_test_types_as_there_may_be_keeps_its_beginning);
    tcase_add_test(tc, of_two_sets_of_names_the_first_is_sent);
    return tc;
}

static TCase *refusal_case(void)
{
    TCase *tc = tcase_create("refusal");

    tcase_add_checked_fixture(tc, make_standard, drop);
    tcase_add_test(tc, an_id_that_the_scheme_sends_is_needed);
    tcase_add_loop_test(tc, an_id_that_the_scheme_does_not_allow_is_refused, 0, COUNT(bad_ids));
    tcase_add_test(tc, an_id_may_have_the_first_and_the_last_printable_character);
    tcase_add_test(tc, an_id_has_256_bytes_at_most);
    tcase_add_test(tc, an_id_that_must_equal_one_in_the_body_is_taken_from_there);
    tcase_add_loop_test(tc, a_body_without_an_id_gives_none, 0, COUNT(bodies_without_id));
    tcase_add_test(tc, an_id_that_the_scheme_does_not_send_is_not_sent);
    tcase_add_test(tc, a_header_that_is_signed_is_needed);
    tcase_add_test(tc, a_header_that_holds_what_separates_it_is_ambiguous);
    tcase_add_test(tc, a_header_that_is_signed_needs_a_way_to_find_it);
    tcase_add_test(tc, nothing_may_be_null);
    tcase_add_loop_test(tc, a_now_that_no_sender_could_write_is_refused, 0, COUNT(no_times));
    tcase_add_test(tc, the_first_second_and_the_last_of_the_year_9999_can_be_written);
    tcase_add_loop_test(tc, a_method_that_is_signed_is_one_of_the_nine_of_http, 0, COUNT(methods));
    tcase_add_loop_test(tc, before_a_url_letters_digits_and_two_signs_may_stand, 0, 256);
    tcase_add_loop_test(tc, behind_a_header_a_url_has_a_character_that_ends_it, 0, COUNT(urls));
    tcase_add_loop_test(tc, a_method_or_url_that_is_signed_is_needed, 0, COUNT(needy));
    tcase_add_test(tc, a_refusal_touches_nothing);
    return tc;
}

Suite *suite(void)
{
    Suite *s = suite_create("sign");

    suite_add_tcase(s, round_trip_case());
    suite_add_tcase(s, refusal_case());
    return s;
}
