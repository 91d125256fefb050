/* SPDX-License-Identifier: MIT
 *
 * hookline_event_read() on accepted payloads.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

#define ODD_ID "the id is not 1 to 256 characters of printable ASCII without blanks"

static struct delivery d;
static hookline_event *event;

static void make_foil(void)
{
    deliver(&d, "foil");
}

static void drop(void)
{
    hookline_event_free(&event);
    delivery_free(&d);
}

/* Signs and verifies the body, then reads its event. */
static int read_body(const char *scheme, const char *body)
{
    hookline_result r;

    delivery_free(&d);
    deliver(&d, scheme);
    set_body(&d, body);
    sign_again(&d);
    r = verify(&d);
    ck_assert_str_eq(hookline_code_name(r.reason), "verified");
    return hookline_event_read(&event, d.v, &r);
}

START_TEST(an_event_tells_its_id_type_and_time)
{
    ck_assert_int_eq(read_body("foil", "{\"id\":\"wevt_1\",\"type\":\"webhook.test\","
                                       "\"created\":\"2027-01-15T08:00:00.000Z\"}"),
                     0);
    ck_assert_str_eq(event->id, "wevt_1");
    ck_assert_str_eq(event->type, "webhook.test");
    ck_assert_int_eq(event->created_at, NOW);
    ck_assert_int_eq(event->test, 1);
}
END_TEST

START_TEST(an_event_that_says_nothing_is_empty)
{
    ck_assert_int_eq(read_body("foil", "{}"), 0);
    ck_assert_ptr_null(event->id);
    ck_assert_ptr_null(event->type);
    ck_assert_int_eq(event->created_at, -1);
    ck_assert_int_eq(event->test, 0);
}
END_TEST

START_TEST(the_id_is_the_signed_one_of_the_header_where_the_scheme_has_one)
{
    ck_assert_int_eq(read_body("standard", "{\"id\":\"another\"}"), 0);
    ck_assert_str_eq(event->id, "msg_1");
}
END_TEST

static const struct {
    const char *scheme, *type;
    int test;
} types[] = {
    {"foil", "webhook.test", 1},     {"foil", "webhook.test ", 0},
    {"foil", "Webhook.Test", 0},     {"foil", "ping", 0},
    {"trulayer", "ping", 1},         {"trulayer", "webhook.test", 0},
    {"tripwire", "webhook.test", 1}, {"stripe", "ping", 0},
};

START_TEST(a_test_is_one_by_its_type_alone)
{
    char body[128];

    snprintf(body, sizeof(body), "{\"type\":\"%s\"}", types[_i].type);
    ck_assert_int_eq(read_body(types[_i].scheme, body), 0);
    ck_assert_str_eq(event->type, types[_i].type);
    ck_assert_int_eq(event->test, types[_i].test);
}
END_TEST

/* 102 digits: with the rest of the text 128 bytes, the longest time that may have escapes. */
#define ZEROS                                                                                      \
    "000000000000000000000000000000000000000000000000000"                                          \
    "000000000000000000000000000000000000000000000000000"

static const struct {
    const char *created;
    int64_t at;
} times[] = {
    {"1800000000", NOW},
    {"1800000000000", NOW},
    {"1800000000.9", NOW},
    {"0", 0},
    {"\"2027-01-15T09:00:00+01:00\"", NOW},
    {"\"1800000000\"", NOW},
    {"-1", -1},
    {"1e99", -1},
    {"\"yesterday\"", -1},
    {"\"\"", -1},
    {"null", -1},
    {"true", -1},
    {"{}", -1},
    {"[1800000000]", -1},
    {"1.8e9", -1},
    {"1.8E9", -1},
    {"1800000000.9000000000000000000000000000000000000000000000000000000000000000000000000", NOW},
    {"\"2027-01-15T09:00:00\\u002b01:00\"", NOW},
    {"\"2027-01-15T08:00:00." ZEROS "\\u005a\"", NOW},
    {"\"2027-01-15T08:00:00." ZEROS "0\\u005a\"", -1},
    {"\"2027-01-15T08:00:00." ZEROS "0Z\"", NOW},
};

START_TEST(a_time_is_read_in_any_form_or_left_out)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"created\":%s}", times[_i].created);
    ck_assert_int_eq(read_body("stripe", body), 0);
    ck_assert_int_eq(event->created_at, times[_i].at);
}
END_TEST

START_TEST(an_id_of_one_character_is_one)
{
    hookline_result r = {.reason = HOOKLINE_VERIFIED, .id = {"m", 1}, .payload = {"{}", 2}};

    delivery_free(&d);
    deliver(&d, "standard");
    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), 0);
    ck_assert_str_eq(event->id, "m");
}
END_TEST

START_TEST(a_number_of_more_than_256_digits_is_no_id)
{
    char body[512];

    snprintf(body, sizeof(body), "{\"id\":1%0256d}", 0);
    ck_assert_int_eq(read_body("foil", body), 0);
    ck_assert_ptr_null(event->id);
    ck_assert_str_eq(event->unreadable, ODD_ID);
}
END_TEST

static const struct {
    const char *type;
    int test;
} four_types[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 0}, {"", 0}};

START_TEST(each_of_four_types_of_a_test_is_one)
{
    char body[32];
    hookline_result r = {.reason = HOOKLINE_VERIFIED};

    snprintf(body, sizeof(body), "{\"type\":\"%s\"}", four_types[_i].type);
    r.payload = (hookline_bytes){body, strlen(body)};
    delivery_free(&d);
    deliver_custom(&d, "signature X; encoding hex; content {body}; event type type; "
                       "event test a b c d");
    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), 0);
    ck_assert_int_eq(event->test, four_types[_i].test);
}
END_TEST

START_TEST(escapes_in_a_type_are_read)
{
    ck_assert_int_eq(read_body("foil", "{\"type\":\"webhook\\u002etest\"}"), 0);
    ck_assert_str_eq(event->type, "webhook.test");
    ck_assert_int_eq(event->test, 1);
}
END_TEST

static const char *const no_types[] = {
    "{\"type\":1}",
    "{\"type\":null}",
    "{\"type\":[\"ping\"]}",
    "{\"TYPE\":\"ping\"}",
    "{\"data\":{\"type\":\"ping\"}}",
};

START_TEST(a_type_that_is_no_string_is_none)
{
    ck_assert_int_eq(read_body("foil", no_types[_i]), 0);
    ck_assert_ptr_null(event->type);
}
END_TEST

START_TEST(of_two_types_the_last_counts)
{
    ck_assert_int_eq(read_body("foil", "{\"type\":\"a\",\"type\":\"b\"}"), 0);
    ck_assert_str_eq(event->type, "b");
}
END_TEST

static const struct {
    const char *body, *id, *type, *unreadable;
} payloads[] = {
    {"{\"id\":\"e\",\"type\":\"t\"}", "e", "t", NULL},
    {"\xef\xbb\xbf{\"id\":\"e\",\"type\":\"t\"}", "e", "t", NULL},
    {"{\"id\":\"e\",\"type\":\"t\",\"a\":\"\\ud83d\"}", "e", "t", NULL},
    {"{\"a\":\"\xe9\xff\",\"id\":\"e\",\"type\":\"t\"}", "e", "t", NULL},
    {"{\"\\u0069d\":\"\\u0065\",\"\\u0074ype\":\"\\u0074\"}", "e", "t", NULL},
    {"{\"id\":\"a\\/b\",\"type\":\"c\\/d\"}", "a/b", "c/d", NULL},
    {"{\"id\":9007199254740993}", "9007199254740993", NULL, NULL},
    {"{\"id\":-1.50e+3}", "-1.50e+3", NULL, NULL},
    {"{\"id\":null,\"type\":null}", NULL, NULL, NULL},
    {"{\"type\":\"\"}", NULL, "", NULL},
    {"{\"type\":\"t\\ud83d\"}", NULL, "t\xef\xbf\xbd", NULL},
    {"{\"type\":\"t\\ud83d\\ude00\"}", NULL, "t\xf0\x9f\x98\x80", NULL},
    {"{\"type\":\"webhook.test\\u0000x\"}", NULL, NULL, "the type contains a NUL character"},
    {"{\"type\":\"\\u0000\"}", NULL, NULL, "the type contains a NUL character"},
    {"{\"type\":1}", NULL, NULL, "the type is no string"},
    {"{\"type\":[\"t\"]}", NULL, NULL, "the type is no string"},
    {"{\"id\":true,\"type\":\"t\"}", NULL, "t", "the id is no string or number"},
    {"{\"id\":{\"id\":\"e\"}}", NULL, NULL, "the id is no string or number"},
    {"{\"id\":\"\"}", NULL, NULL, ODD_ID},
    {"{\"id\":\"two words\"}", NULL, NULL, ODD_ID},
    {"{\"id\":\"\xc3\xa9\"}", NULL, NULL, ODD_ID},
    {"{\"id\":\"e\\u0000x\",\"type\":1}", NULL, NULL, ODD_ID},
    {"{\"id\":\"e\\ud83d\"}", NULL, NULL, ODD_ID},
    {"{\"id\":\"e\",\"type\":\"t\",\"a\":{\"b\":", "e", "t", "JSON ends early"},
    {"{\"id\":\"e\",\"type\":\"t", "e", NULL, "JSON ends early"},
    {"{\"a\":{\"b\":NaN},\"type\":\"t\"}", NULL, "t", "malformed JSON"},
    {"{\"type\":\"t\",\"a\":NaN,\"id\":\"e\"}", NULL, "t", "malformed JSON"},
    {"{\"type\":\"t\"} x", NULL, "t", "text after the JSON object"},
    {"{\"id\":\"two words\"", NULL, NULL, "JSON ends early"},
    {"", NULL, NULL, "empty"},
    {"hello", NULL, NULL, "not a JSON object"},
    {"[{\"type\":\"t\"}]", NULL, NULL, "not a JSON object"},
    {"\"type\"", NULL, NULL, "not a JSON object"},
    {"payload=%7B%22type%22%3A%22t%22%7D", NULL, NULL, "not a JSON object"},
};

static void same_text(const char *got, const char *wanted)
{
    ck_assert_str_eq(got == NULL ? "(none)" : got, wanted == NULL ? "(none)" : wanted);
}

START_TEST(an_authentic_payload_is_taken_and_it_is_said_if_it_is_unreadable)
{
    ck_assert_int_eq(read_body("foil", payloads[_i].body), 0);
    same_text(event->id, payloads[_i].id);
    same_text(event->type, payloads[_i].type);
    same_text(event->unreadable, payloads[_i].unreadable);
    ck_assert_int_eq(event->test, 0);
}
END_TEST

static const struct {
    const char *scheme, *body, *unreadable;
} others[] = {
    {"slack", "", NULL},
    {"slack", "payload=%7B%7D", NULL},
    {"svix", "[]", NULL},
    {"svix", "{\"type\":", "JSON ends early"},
    {"github", "payload=%7B%7D", NULL},
    {"github", "{\"a\":1", "JSON ends early"},
    {"trulayer", "", "empty"},
    {"stripe", "[]", "not a JSON object"},
};

START_TEST(a_sender_that_need_not_send_json_may_send_something_else)
{
    ck_assert_int_eq(read_body(others[_i].scheme, others[_i].body), 0);
    same_text(event->unreadable, others[_i].unreadable);
    ck_assert_ptr_null(event->type);
}
END_TEST

START_TEST(a_type_may_be_as_long_as_the_body)
{
    static char body[300000] = "{\"type\":\"";
    hookline_result r = {.reason = HOOKLINE_VERIFIED, .signed_at = -1};

    memset(body + 9, 't', sizeof(body) - 11);
    memcpy(body + sizeof(body) - 2, "\"}", 2);
    r.payload = (hookline_bytes){body, sizeof(body)};
    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), 0);
    ck_assert_ptr_null(event->unreadable);
    ck_assert_uint_eq(strlen(event->type), sizeof(body) - 11);
}
END_TEST

START_TEST(members_inside_others_are_found_by_their_path)
{
    hookline_result r;

    delivery_free(&d);
    deliver_custom(&d, "signature X; encoding hex; content {body}; id body event.id; "
                       "event type event.kind.name; event created event.at");
    set_body(&d, "{\"event\":{\"id\":\"e1\",\"kind\":{\"name\":\"n\"},\"at\":7}}");
    sign_again(&d);
    r = verify(&d);
    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), 0);
    ck_assert_str_eq(event->id, "e1");
    ck_assert_str_eq(event->type, "n");
    ck_assert_int_eq(event->created_at, 7);
}
END_TEST

START_TEST(a_request_that_was_refused_has_no_event)
{
    hookline_result r;

    d.now = NOW + 301;
    r = verify(&d);
    event = (hookline_event *)&d;
    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), HOOKLINE_BAD_CALL);
    ck_assert_ptr_null(event);
}
END_TEST

START_TEST(a_request_that_was_not_verified_has_no_event)
{
    hookline_result r = {0};

    ck_assert_int_eq(hookline_event_read(&event, d.v, &r), HOOKLINE_BAD_CALL);
}
END_TEST

START_TEST(nothing_may_be_null)
{
    hookline_result r = verify(&d);

    ck_assert_int_eq(hookline_event_read(NULL, d.v, &r), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_event_read(&event, NULL, &r), HOOKLINE_BAD_CALL);
    ck_assert_int_eq(hookline_event_read(&event, d.v, NULL), HOOKLINE_BAD_CALL);
}
END_TEST

START_TEST(freeing_nothing_is_nothing_and_freeing_twice_is_once)
{
    hookline_event_free(NULL);
    ck_assert_int_eq(read_body("foil", "{}"), 0);
    hookline_event_free(&event);
    ck_assert_ptr_null(event);
    hookline_event_free(&event);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("event");
    TCase *tc = tcase_create("event");

    tcase_add_checked_fixture(tc, make_foil, drop);
    tcase_add_test(tc, an_event_tells_its_id_type_and_time);
    tcase_add_test(tc, an_event_that_says_nothing_is_empty);
    tcase_add_test(tc, the_id_is_the_signed_one_of_the_header_where_the_scheme_has_one);
    tcase_add_loop_test(tc, a_test_is_one_by_its_type_alone, 0, COUNT(types));
    tcase_add_loop_test(tc, a_time_is_read_in_any_form_or_left_out, 0, COUNT(times));
    tcase_add_test(tc, an_id_of_one_character_is_one);
    tcase_add_test(tc, a_number_of_more_than_256_digits_is_no_id);
    tcase_add_loop_test(tc, each_of_four_types_of_a_test_is_one, 0, COUNT(four_types));
    tcase_add_test(tc, escapes_in_a_type_are_read);
    tcase_add_loop_test(tc, a_type_that_is_no_string_is_none, 0, COUNT(no_types));
    tcase_add_test(tc, of_two_types_the_last_counts);
    tcase_add_loop_test(tc, an_authentic_payload_is_taken_and_it_is_said_if_it_is_unreadable, 0,
                        COUNT(payloads));
    tcase_add_loop_test(tc, a_sender_that_need_not_send_json_may_send_something_else, 0,
                        COUNT(others));
    tcase_add_test(tc, a_type_may_be_as_long_as_the_body);
    tcase_add_test(tc, members_inside_others_are_found_by_their_path);
    tcase_add_test(tc, a_request_that_was_refused_has_no_event);
    tcase_add_test(tc, a_request_that_was_not_verified_has_no_event);
    tcase_add_test(tc, nothing_may_be_null);
    tcase_add_test(tc, freeing_nothing_is_nothing_and_freeing_twice_is_once);
    suite_add_tcase(s, tc);
    return s;
}
