/* SPDX-License-Identifier: MIT
 *
 * hookline_verify() on requests with bad headers, and the fields of its result.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

static struct delivery d;

static void make_foil(void)
{
    deliver(&d, "foil");
}

static void make_shodai(void)
{
    deliver(&d, "shodai");
}

static void drop(void)
{
    delivery_free(&d);
}

/* ---- each header of each built-in scheme: _i is scheme * 3 + header */

static hookline_header *header_of_scheme(int i)
{
    deliver(&d, hookline_scheme_at((size_t)i / 3)->name);
    return &d.header[(size_t)i % 3 < d.list.count ? (size_t)i % 3 : 0];
}

START_TEST(a_header_that_is_missing_is_missing)
{
    *header_of_scheme(_i) = (hookline_header){"X-Other", {"1", 1}};
    ck_assert_str_eq(verdict(&d), "missing_header");
}
END_TEST

START_TEST(a_header_that_is_empty_is_missing)
{
    header_of_scheme(_i)->value.len = 0;
    ck_assert_str_eq(verdict(&d), "missing_header");
}
END_TEST

START_TEST(a_header_that_is_empty_without_an_address_is_missing)
{
    header_of_scheme(_i)->value = (hookline_bytes){NULL, 0};
    ck_assert_str_eq(verdict(&d), "missing_header");
}
END_TEST

START_TEST(a_header_that_is_there_twice_is_ambiguous_even_if_both_are_the_same)
{
    hookline_header *header = header_of_scheme(_i);

    d.header[d.list.count++] = *header;
    ck_assert_str_eq(verdict(&d), "ambiguous_header");
}
END_TEST

START_TEST(a_header_is_found_in_any_case_of_its_name)
{
    static char name[64];
    hookline_header *header = header_of_scheme(_i);

    for (size_t i = 0; i <= strlen(header->name); i++)
        name[i] = (char)(header->name[i] ^ (header->name[i] >= 'A' ? 0x20 : 0));
    header->name = name;
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

/* ---- fields of the result */

START_TEST(the_result_of_an_accepted_request_speaks_of_all_that_is_authentic)
{
    hookline_result r = verify(&d);

    ck_assert_int_eq(r.reason, HOOKLINE_VERIFIED);
    ck_assert_int_eq(r.secret, 0);
    ck_assert_int_eq(r.signed_at, NOW);
    ck_assert_int_eq(r.fresh, 1);
    ck_assert_ptr_eq(r.payload.base, d.body);
    ck_assert_uint_eq(r.payload.len, strlen(BODY));
    ck_assert(r.reserved == 0 && r.reserved_too == 0);
}
END_TEST

START_TEST(the_id_points_into_the_request)
{
    hookline_result r = verify(&d);

    ck_assert_ptr_eq(r.id.base, d.body + 7);
    ck_assert_uint_eq(r.id.len, 5);
}
END_TEST

static const struct {
    const char *header, *value, *reason;
} unauthentic[] = {
    {"X-Shodai-Webhook-Signature", "", "missing_header"},
    {"x-shodai-webhook-signature", "sha256=00", "invalid_signature_format"},
    {"X-Shodai-Webhook-Timestamp", "x", "invalid_timestamp"},
    {"X-Shodai-Webhook-Timestamp", "1800000001", "signature_mismatch"},
    {"X-Shodai-Webhook-Timestamp", "1", "signature_mismatch"},
    {"X-Shodai-Webhook-Id", "two words", "invalid_webhook_id"},
};

START_TEST(nothing_is_told_of_a_request_that_is_not_authentic)
{
    static const unsigned char zero[32];
    hookline_result r;

    set_header(&d, unauthentic[_i].header, unauthentic[_i].value);
    r = verify(&d);
    ck_assert_str_eq(hookline_code_name(r.reason), unauthentic[_i].reason);
    ck_assert(r.secret == -1 && r.signed_at == -1 && r.fresh == 0);
    ck_assert(r.id.len == 0 && r.payload.len == 0 && r.payload.base == NULL);
    ck_assert_mem_eq(r.mac, zero, sizeof(zero));
}
END_TEST

static const struct {
    const char *reason, *body, *id;
    int64_t now;
    int fresh;
} authentic[] = {
    {"timestamp_too_old", BODY, "msg_1", NOW + 301, 0},
    {"timestamp_too_new", BODY, "msg_1", NOW - 301, 0},
    {"webhook_id_mismatch", "{\"id\":\"msg_2\"}", "msg_2", NOW, 1},
    {"invalid_payload", "{}", "", NOW, 1},
};

START_TEST(an_authentic_request_that_is_refused_is_known_by_its_id_time_and_mac)
{
    static const unsigned char zero[32];
    hookline_result r;

    set_body(&d, authentic[_i].body);
    sign_again(&d);
    d.now = authentic[_i].now;
    r = verify(&d);
    ck_assert_str_eq(hookline_code_name(r.reason), authentic[_i].reason);
    ck_assert(r.secret == 0 && r.signed_at == NOW && r.payload.base == NULL);
    ck_assert_int_eq(r.fresh, authentic[_i].fresh);
    ck_assert_uint_eq(r.id.len, strlen(authentic[_i].id));
    ck_assert_int_eq(strncmp(r.id.len == 0 ? "" : r.id.base, authentic[_i].id, r.id.len), 0);
    ck_assert_mem_ne(r.mac, zero, sizeof(zero));
}
END_TEST

START_TEST(the_mac_of_a_repetition_is_the_same)
{
    hookline_result first = verify(&d), second = verify(&d);

    ck_assert_mem_eq(first.mac, second.mac, sizeof(first.mac));
}
END_TEST

START_TEST(the_mac_of_another_body_is_another)
{
    hookline_result first = verify(&d), second;

    set_body(&d, "{}");
    sign_again(&d);
    second = verify(&d);
    ck_assert_mem_ne(first.mac, second.mac, sizeof(first.mac));
}
END_TEST

START_TEST(an_unsigned_delivery_id_is_not_told)
{
    delivery_free(&d);
    deliver(&d, "github");
    set_header(&d, "X-GitHub-Delivery", "72d3162e");
    ck_assert_uint_eq(verify(&d).id.len, 0);
}
END_TEST

START_TEST(a_zeroed_result_is_not_accepted)
{
    ck_assert(!hookline_accepted((hookline_result){0}));
    ck_assert_str_eq(hookline_code_name(((hookline_result){0}).reason), "not_checked");
}
END_TEST

START_TEST(a_repetition_inside_the_window_is_accepted_again_and_left_to_the_caller)
{
    ck_assert_str_eq(verdict(&d), "verified");
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

START_TEST(requests_in_a_queue_are_verified_as_of_their_arrival)
{
    d.now = NOW + 86400;
    ck_assert_str_eq(verdict(&d), "timestamp_too_old");
    d.now = NOW;
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

/* ---- bad calls */

START_TEST(no_verifier_refuses_everything)
{
    ck_assert_int_eq(hookline_verify(NULL, &d.req, NOW).reason, HOOKLINE_BAD_CALL);
}
END_TEST

START_TEST(no_request_is_refused)
{
    ck_assert_int_eq(hookline_verify(d.v, NULL, NOW).reason, HOOKLINE_BAD_CALL);
}
END_TEST

START_TEST(no_way_to_find_headers_is_refused)
{
    d.req.find_header = NULL;
    ck_assert_str_eq(verdict(&d), "bad_call");
}
END_TEST

START_TEST(a_length_without_a_body_is_refused)
{
    d.req.body.base = NULL;
    ck_assert_str_eq(verdict(&d), "bad_call");
    d.req.body.len = 1;
    ck_assert_str_eq(verdict(&d), "bad_call");
}
END_TEST

START_TEST(an_empty_body_needs_no_address)
{
    d.req.body = (hookline_bytes){NULL, 0};
    sign_again(&d);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

START_TEST(a_reserved_field_that_is_not_zero_is_refused)
{
    d.req.reserved[_i] = 1;
    ck_assert_str_eq(verdict(&d), "bad_call");
}
END_TEST

static const struct {
    const char *method, *url, *verdict;
} signed_words[] = {
    {"POST", "/", "verified"},
    {"POST", "", "bad_call"},
    {"", "/", "bad_call"},
    {"X", "/", "ambiguous_header"},
};

START_TEST(a_method_and_a_url_that_are_signed_are_needed)
{
    hookline_verifier *v = d.v;
    hookline_signature s;

    ck_assert_int_eq(
        hookline_verifier_new_custom(
            &d.v, "signature S; encoding hex; content {method}.{url}.{body}", SECRET, NULL, 0),
        0);
    hookline_verifier_free(&v);
    d.req.method = (hookline_bytes){"POST", 4};
    d.req.url = (hookline_bytes){"/", 1};
    ck_assert_int_eq(hookline_sign(d.v, &d.req, (hookline_bytes){NULL, 0}, NOW, &s), 0);
    d.req.headers = &s.headers;
    d.req.method = (hookline_bytes){signed_words[_i].method, strlen(signed_words[_i].method)};
    d.req.url = (hookline_bytes){signed_words[_i].url, strlen(signed_words[_i].url)};
    ck_assert_str_eq(verdict(&d), signed_words[_i].verdict);
}
END_TEST

static const int64_t no_times[] = {0, -1, -NOW, INT64_MIN};

START_TEST(a_now_that_is_not_positive_is_refused)
{
    d.now = no_times[_i];
    ck_assert_str_eq(verdict(&d), "bad_call");
}
END_TEST

START_TEST(the_last_now_there_is_overflows_nothing)
{
    d.now = INT64_MAX;
    ck_assert_str_eq(verdict(&d), "timestamp_too_old");
}
END_TEST

START_TEST(headers_that_are_null_are_missing)
{
    d.req.headers = NULL;
    ck_assert_str_eq(verdict(&d), "missing_header");
}
END_TEST

/* ---- hookline_find_in_list() */

START_TEST(a_list_tells_how_many_headers_there_are_and_the_first)
{
    hookline_header headers[] = {{"A", {"1", 1}}, {"b", {"2", 1}}, {"a", {"3", 1}}};
    hookline_header_list list = {headers, 3};
    hookline_bytes value = {NULL, 0};

    ck_assert_uint_eq(hookline_find_in_list(&list, "A", &value), 2);
    ck_assert_str_eq(value.base, "1");
    ck_assert_uint_eq(hookline_find_in_list(&list, "c", &value), 0);
    ck_assert_str_eq(value.base, "1");
}
END_TEST

static const struct {
    const char *value, *id;
} delivery_ids[] = {
    {"72d3162e-cc78-11e3-81ab-4c9367dc0958", "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
    {"", ""},
    {"two words", ""},
    {"\xc3\xa9", ""},
};

START_TEST(a_delivery_id_is_the_header_that_the_scheme_names_if_it_is_sound)
{
    hookline_bytes id;

    deliver(&d, "github");
    ck_assert_uint_eq(hookline_delivery_id(d.v, &d.req).len, 0);
    set_header(&d, "x-github-delivery", delivery_ids[_i].value);
    id = hookline_delivery_id(d.v, &d.req);
    ck_assert_uint_eq(id.len, strlen(delivery_ids[_i].id));
    ck_assert_int_eq(strncmp(id.base == NULL ? "" : id.base, delivery_ids[_i].id, id.len), 0);
    ck_assert_str_eq(verdict(&d), "verified");
}
END_TEST

START_TEST(a_delivery_id_that_occurs_twice_is_none)
{
    deliver(&d, "github");
    set_header(&d, "X-GitHub-Delivery", "a");
    d.header[d.list.count] = d.header[d.list.count - 1];
    d.list.count++;
    ck_assert_uint_eq(hookline_delivery_id(d.v, &d.req).len, 0);
}
END_TEST

START_TEST(of_two_names_of_a_delivery_id_one_may_be_there)
{
    deliver_custom(&d, "signature X|Y; encoding hex; content {body}; delivery X-Id|Y-Id");
    set_header(&d, "Y-Id", "b");
    ck_assert_uint_eq(hookline_delivery_id(d.v, &d.req).len, 1);
    set_header(&d, "X-Id", "a");
    ck_assert_uint_eq(hookline_delivery_id(d.v, &d.req).len, 0);
}
END_TEST

START_TEST(a_scheme_that_names_no_delivery_id_has_none)
{
    const hookline_request empty = {0};

    deliver(&d, "foil");
    set_header(&d, "X-GitHub-Delivery", "a");
    ck_assert_uint_eq(hookline_delivery_id(d.v, &d.req).len, 0);
    ck_assert_uint_eq(hookline_delivery_id(d.v, &empty).len, 0);
    ck_assert_uint_eq(hookline_delivery_id(d.v, NULL).len, 0);
    ck_assert_uint_eq(hookline_delivery_id(NULL, &d.req).len, 0);
}
END_TEST

START_TEST(an_entry_without_a_name_is_none)
{
    hookline_header headers[] = {{NULL, {"1", 1}}, {"A", {"2", 1}}};
    hookline_header_list list = {headers, 2};
    hookline_bytes value = {NULL, 0};

    ck_assert_uint_eq(hookline_find_in_list(&list, "a", &value), 1);
    ck_assert_str_eq(value.base, "2");
}
END_TEST

/* Letters match in either case, their neighbours "@" and "[" do not. */
START_TEST(names_are_the_same_but_for_the_case_of_letters)
{
    char in_list[] = "X-?", wanted[] = "x-?";
    hookline_header header = {in_list, {"1", 1}};
    hookline_header_list list = {&header, 1};
    hookline_bytes value;

    in_list[2] = (char)_i;
    for (int c = 1; c < 256; c++) {
        bool same = c == _i || (_i < 128 && isalpha(_i) && c < 128 && tolower(c) == tolower(_i));

        wanted[2] = (char)c;
        ck_assert_uint_eq(hookline_find_in_list(&list, wanted, &value), same);
    }
}
END_TEST

START_TEST(no_list_holds_no_headers)
{
    hookline_bytes value;

    ck_assert_uint_eq(hookline_find_in_list(NULL, "A", &value), 0);
}
END_TEST

/* A release may use reserved fields, but never moves a field. */
START_TEST(the_structs_that_callers_allocate_have_the_size_they_had)
{
    if (sizeof(void *) == 8) {
        ck_assert_uint_eq(sizeof(hookline_result), 96);
        ck_assert_uint_eq(sizeof(hookline_request), 80);
        ck_assert_uint_eq(sizeof(hookline_header), 24);
        ck_assert_uint_eq(sizeof(hookline_signature), 1648);
        ck_assert_uint_eq(sizeof(hookline_event), 40);
    }
}
END_TEST

static TCase *headers_case(void)
{
    TCase *tc = tcase_create("headers");
    int end = 3 * (int)count_schemes();

    tcase_add_checked_fixture(tc, NULL, drop);
    tcase_add_loop_test(tc, a_delivery_id_is_the_header_that_the_scheme_names_if_it_is_sound, 0,
                        COUNT(delivery_ids));
    tcase_add_test(tc, a_delivery_id_that_occurs_twice_is_none);
    tcase_add_test(tc, of_two_names_of_a_delivery_id_one_may_be_there);
    tcase_add_test(tc, a_scheme_that_names_no_delivery_id_has_none);
    tcase_add_loop_test(tc, a_header_that_is_missing_is_missing, 0, end);
    tcase_add_loop_test(tc, a_header_that_is_empty_is_missing, 0, end);
    tcase_add_loop_test(tc, a_header_that_is_empty_without_an_address_is_missing, 0, end);
    tcase_add_loop_test(tc, a_header_that_is_there_twice_is_ambiguous_even_if_both_are_the_same, 0,
                        end);
    tcase_add_loop_test(tc, a_header_is_found_in_any_case_of_its_name, 0, end);
    return tc;
}

static TCase *result_case(void)
{
    TCase *tc = tcase_create("result");

    tcase_add_checked_fixture(tc, make_shodai, drop);
    tcase_add_test(tc, the_result_of_an_accepted_request_speaks_of_all_that_is_authentic);
    tcase_add_test(tc, the_id_points_into_the_request);
    tcase_add_loop_test(tc, nothing_is_told_of_a_request_that_is_not_authentic, 0,
                        COUNT(unauthentic));
    tcase_add_loop_test(tc, an_authentic_request_that_is_refused_is_known_by_its_id_time_and_mac, 0,
                        COUNT(authentic));
    tcase_add_test(tc, the_mac_of_a_repetition_is_the_same);
    tcase_add_test(tc, the_mac_of_another_body_is_another);
    tcase_add_test(tc, an_unsigned_delivery_id_is_not_told);
    tcase_add_test(tc, a_zeroed_result_is_not_accepted);
    tcase_add_test(tc, a_repetition_inside_the_window_is_accepted_again_and_left_to_the_caller);
    tcase_add_test(tc, requests_in_a_queue_are_verified_as_of_their_arrival);
    return tc;
}

static TCase *call_case(void)
{
    TCase *tc = tcase_create("call");

    tcase_add_checked_fixture(tc, make_foil, drop);
    tcase_add_test(tc, no_verifier_refuses_everything);
    tcase_add_test(tc, no_request_is_refused);
    tcase_add_test(tc, no_way_to_find_headers_is_refused);
    tcase_add_test(tc, a_length_without_a_body_is_refused);
    tcase_add_test(tc, an_empty_body_needs_no_address);
    tcase_add_loop_test(tc, a_reserved_field_that_is_not_zero_is_refused, 0, 2);
    tcase_add_loop_test(tc, a_method_and_a_url_that_are_signed_are_needed, 0, COUNT(signed_words));
    tcase_add_loop_test(tc, a_now_that_is_not_positive_is_refused, 0, COUNT(no_times));
    tcase_add_test(tc, the_last_now_there_is_overflows_nothing);
    tcase_add_test(tc, headers_that_are_null_are_missing);
    tcase_add_test(tc, a_list_tells_how_many_headers_there_are_and_the_first);
    tcase_add_test(tc, an_entry_without_a_name_is_none);
    tcase_add_loop_test(tc, names_are_the_same_but_for_the_case_of_letters, 1, 256);
    tcase_add_test(tc, no_list_holds_no_headers);
    tcase_add_test(tc, the_structs_that_callers_allocate_have_the_size_they_had);
    return tc;
}

Suite *suite(void)
{
    Suite *s = suite_create("verify");

    suite_add_tcase(s, headers_case());
    suite_add_tcase(s, result_case());
    suite_add_tcase(s, call_case());
    return s;
}
