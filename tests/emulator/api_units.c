/* SPDX-License-Identifier: MIT
 *
 * Parts of the emulated providers' APIs: forms, patterns, routes, excerpts, URLs, times, bodies of
 * test events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "cli/emulator/api.h"
#include "cli/emulator/courier.h"
#include "cli/emulator/form.h"
#include "cli/payload.h"
#include "daemon/base/ids.h"
#include "daemon/base/rfc3339.h"
#include "tests/run.h"

/* ---- forms */

static const char *const colours[] = {"red", "green", NULL};
static const struct form_field inside[] = {{.name = "list", .kind = FORM_TEXTS}, {.name = NULL}};
static const struct form_field form[] = {
    {.name = "text", .kind = FORM_TEXT, .required = true, .least = 2},
    {.name = "url", .kind = FORM_URL},
    {.name = "colour", .kind = FORM_TEXT, .allowed = colours},
    {.name = "colours", .kind = FORM_TEXTS, .nullable = true, .least = 1, .allowed = colours},
    {.name = "flag", .kind = FORM_BOOL},
    {.name = "inside", .kind = FORM_OBJECT, .fields = inside},
    {.name = NULL}};

static const struct {
    const char *body, *name;
    enum form_issue issue;
} wrong[] = {
    {"[]", "", FORM_WRONG_TYPE},
    {"null", "", FORM_WRONG_TYPE},
    {"{}", "text", FORM_MISSING},
    {"{\"text\":null}", "text", FORM_WRONG_TYPE},
    {"{\"text\":\"a\"}", "text", FORM_TOO_SHORT},
    {"{\"text\":\"\xc3\xa4\"}", "text", FORM_TOO_SHORT},
    {"{\"text\":\"ab\",\"text2\":1}", "text2", FORM_UNKNOWN},
    {"{\"text\":\"ab\",\"TEXT\":\"ab\"}", "TEXT", FORM_UNKNOWN},
    {"{\"text\":\"ab\",\"url\":\"app\"}", "url", FORM_NO_URL},
    {"{\"text\":\"ab\",\"url\":\"\"}", "url", FORM_NO_URL},
    {"{\"text\":\"ab\",\"url\":\"http:/127.0.0.1/\"}", "url", FORM_NO_URL},
    {"{\"text\":\"ab\",\"url\":\"https:///127.0.0.1/\"}", "url", FORM_NO_URL},
    {"{\"text\":\"ab\",\"colour\":\"blue\"}", "colour", FORM_NOT_ALLOWED},
    {"{\"text\":\"ab\",\"colours\":[]}", "colours", FORM_TOO_SHORT},
    {"{\"text\":\"ab\",\"colours\":{}}", "colours", FORM_WRONG_TYPE},
    {"{\"text\":\"ab\",\"colours\":[\"red\",\"blue\"]}", "colours[1]", FORM_NOT_ALLOWED},
    {"{\"text\":\"ab\",\"colours\":[null]}", "colours[0]", FORM_WRONG_TYPE},
    {"{\"text\":\"ab\",\"flag\":0}", "flag", FORM_WRONG_TYPE},
    {"{\"text\":\"ab\",\"inside\":1}", "inside", FORM_WRONG_TYPE},
    {"{\"text\":\"ab\",\"inside\":{\"list\":[1]}}", "inside.list[0]", FORM_WRONG_TYPE},
};

START_TEST(each_mistake_is_named)
{
    const char *body = wrong[_i].body;
    cJSON *value = form_parse(body, strlen(body));
    struct form_problems problems;

    ck_assert_ptr_nonnull(value);
    ck_assert(!form_check(form, value, true, &problems));
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_str_eq(problems.items[0].name, wrong[_i].name);
    ck_assert_int_eq(problems.items[0].issue, wrong[_i].issue);
    cJSON_Delete(value);
}
END_TEST

START_TEST(what_is_as_the_form_says_has_no_problem)
{
    const char *body = "{\"text\":\"\xc3\xa4\xc3\xa4\",\"url\":\"http://127.0.0.1:1/\","
                       "\"colours\":null,\"flag\":false,\"inside\":{\"list\":[],\"x\":1}}";
    cJSON *value = form_parse(body, strlen(body));
    struct form_problems problems;

    ck_assert(form_check(form, value, true, &problems));
    cJSON_AddNullToObject(value, "more");
    ck_assert(form_check(form, value, false, &problems));
    ck_assert(!form_check(form, value, true, &problems));
    cJSON_Delete(value);
}
END_TEST

START_TEST(of_many_mistakes_the_first_are_told)
{
    cJSON *value = cJSON_CreateObject();
    struct form_problems problems;
    char name[1000];

    memset(name, 'x', sizeof(name));
    for (size_t i = 0; i < 20; i++) {
        name[sizeof(name) - 1 - i] = '\0';
        cJSON_AddNullToObject(value, name);
    }
    ck_assert(!form_check(form, value, true, &problems));
    ck_assert_uint_eq(problems.count, FORM_PROBLEMS_MAX);
    cJSON_Delete(value);
}
END_TEST

START_TEST(a_long_path_is_cut_and_never_in_the_middle_of_a_character)
{
    cJSON *value = cJSON_CreateObject();
    struct form_problems problems;
    char name[300] = "";

    for (size_t i = 0; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xa4", 3);
    cJSON_AddStringToObject(value, "text", "ab");
    for (size_t shift = 0; shift < 2; shift++) {
        cJSON *member = cJSON_CreateNull();
        char shifted[320];
        size_t continuations = 0;

        snprintf(shifted, sizeof(shifted), "%.*s%s", (int)shift, "x", name);
        cJSON_AddItemToObject(value, shifted, member);
        ck_assert(!form_check(form, value, true, &problems));
        for (const char *c = problems.items[shift].name; *c != '\0'; c++)
            continuations += *c == '\xa4';
        ck_assert_uint_eq(continuations, (strlen(problems.items[shift].name) - shift) / 2);
        ck_assert_uint_eq((strlen(problems.items[shift].name) - shift) % 2, 0);
    }
    cJSON_Delete(value);
}
END_TEST

START_TEST(what_is_no_text_or_more_than_a_value_is_no_json)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {{"", 0},
               {"{", 1},
               {"{}x", 3},
               {"{}{}", 4},
               {"{}\0", 3},
               {"\"\xff\"", 3},
               {"\"\\u0000\"", 8},
               {"\"\\\\\\u0000\"", 10},
               {"\"\\ud800\"", 8},
               {"\"a\\u12g4b\"", 10},
               {"\"\\u00\"", 6},
               {"\"\\", 2}};
    cJSON *good;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(form_parse(bad[i].text, bad[i].len) == NULL, "%s", bad[i].text);
    good = form_parse("\"\\\\u0000\" ", 10);
    ck_assert_str_eq(good->valuestring, "\\u0000");
    cJSON_Delete(good);
}
END_TEST

/* ---- patterns */

START_TEST(ids_are_known_by_their_pattern)
{
    const char *hex = "we_0123456789abcdef0123456789abcdef";
    const char *organization = "org_0123456789abcdefghjkmnpqrs";
    const char *id = "018f1234-5678-7abc-8DEF-0123456789ab";
    char text[80];

    ck_assert(id_is_hex(hex, "we_") && !id_is_hex(hex, "wevt_") && !id_is_hex("", "we_"));
    ck_assert(id_is_organization(organization) && !id_is_organization("org_"));
    ck_assert(id_is_uuid(id) && !id_is_uuid(""));
    for (size_t i = 0; i < strlen(hex); i++) { /* every character matters, and so does the length */
        snprintf(text, sizeof(text), "%s", hex);
        text[i] = 'g';
        ck_assert(!id_is_hex(text, "we_"));
        text[i] = '\0';
        ck_assert(!id_is_hex(text, "we_"));
    }
    for (size_t i = 0; i < strlen(organization); i++) {
        snprintf(text, sizeof(text), "%s", organization);
        text[i] = 'u';
        ck_assert(!id_is_organization(text));
        text[i] = '\0';
        ck_assert(!id_is_organization(text));
    }
    for (size_t i = 0; i < strlen(id); i++) {
        snprintf(text, sizeof(text), "%s", id);
        text[i] = 'g';
        ck_assert(!id_is_uuid(text));
        text[i] = '\0';
        ck_assert(!id_is_uuid(text));
    }
    snprintf(text, sizeof(text), "%s0", hex);
    ck_assert(!id_is_hex(text, "we_"));
    snprintf(text, sizeof(text), "%s0", id);
    ck_assert(!id_is_uuid(text));
}
END_TEST

/* ---- routes */

static void answer_nothing(struct api_context *ctx)
{
    (void)ctx;
}

START_TEST(a_route_is_found_by_method_and_path)
{
    static const struct api_route routes[] = {{"GET", "/a/{}", 1, answer_nothing},
                                              {"POST", "/a/{}", 2, answer_nothing},
                                              {"POST", "/a/{}/b/{}", 3, answer_nothing},
                                              {NULL, NULL, 0, NULL}};
    static const struct api_header none[] = {{NULL, NULL}};
    struct api_call call = {.request = {"POST", "/a/x%2fy", "", "", 0}, .headers = none};
    struct api_context ctx = {.call = &call};
    char methods[API_METHODS_SIZE];

    ck_assert_uint_eq(api_route_find(routes, &ctx, methods)->right, 2);
    ck_assert_str_eq(ctx.parts[0], "x/y");
    call.request.path = "/a/1/b/2";
    ck_assert_uint_eq(api_route_find(routes, &ctx, methods)->right, 3);
    ck_assert_str_eq(ctx.parts[1], "2");
    call.request = (struct api_request){"PUT", "/a/1", "", "", 0};
    ck_assert_ptr_null(api_route_find(routes, &ctx, methods));
    ck_assert_str_eq(methods, "GET, POST");
    call.request.path = "/a";
    ck_assert_ptr_null(api_route_find(routes, &ctx, methods));
    ck_assert_str_eq(methods, "");
}
END_TEST

START_TEST(a_bearer_token_is_what_follows_the_word)
{
    static const struct {
        const char *value, *token;
    } headers[] = {{"Bearer a", "a"},   {"bearer  a b", "a b"},
                   {"Bearer ", NULL},   {"Bearer", NULL},
                   {"Bearera", NULL},   {"a", NULL},
                   {"Basic a", NULL},   {"", NULL},
                   {"Bearer   ", NULL}, {"BEARER \tx", "\tx"}};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const struct api_header list[] = {{"authorization", headers[i].value}, {NULL, NULL}};
        const struct api_call call = {.headers = list};
        const char *token = api_bearer_token(&call);

        if (headers[i].token == NULL)
            ck_assert_ptr_null(token);
        else
            ck_assert_str_eq(token, headers[i].token);
    }
}
END_TEST

START_TEST(parameters_are_decoded)
{
    static const struct {
        const char *query, *value;
    } queries[] = {{"", ""},
                   {"b=1", ""},
                   {"a=1", "1"},
                   {"b=1&a=2", "2"},
                   {"a=1&a=2", "1"},
                   {"aa=1&a=2", "2"},
                   {"a", ""},
                   {"a=", ""},
                   {"a=%31+%2B", "1 +"},
                   {"a=%c3%a4", "ä"},
                   {"a=1234567", "1234567"},
                   {"a=%26&b", "&"},
                   {"&&a=1&&", "1"}};
    static const char *const bad[] = {"a=%",   "a=%3",       "a=%3g", "a=%00",
                                      "a=%ff", "a=12345678", "a=1%"};
    char value[8];

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        const struct api_request request = {.query = queries[i].query};

        ck_assert_msg(api_query_parameter(&request, "a", value, sizeof(value)), "%s",
                      queries[i].query);
        ck_assert_str_eq(value, queries[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct api_request request = {.query = bad[i]};

        ck_assert_msg(!api_query_parameter(&request, "a", value, sizeof(value)), "%s", bad[i]);
        ck_assert_str_eq(value, "");
    }
}
END_TEST

START_TEST(below_a_path_means_a_whole_segment)
{
    struct api_request request = {.path = "/v1/webhooks"};

    ck_assert(api_path_is_below(&request, "/v1/webhooks"));
    request.path = "/v1/webhooks/1";
    ck_assert(api_path_is_below(&request, "/v1/webhooks"));
    request.path = "/v1/webhooksx";
    ck_assert(!api_path_is_below(&request, "/v1/webhooks"));
    request.path = "/v1";
    ck_assert(!api_path_is_below(&request, "/v1/webhooks"));
}
END_TEST

/* ---- excerpts */

START_TEST(an_excerpt_ends_at_the_end_of_a_character)
{
    static char long_text[3 * COURIER_EXCERPT_MAX];
    char *text;

    for (size_t head = 0; head < 4; head++) {
        size_t count = 0;

        memset(long_text, 'x', head);
        for (size_t i = head; i + 4 <= sizeof(long_text); i += 4)
            memcpy(long_text + i, "\xf0\x9f\x98\x80", 4);
        text = courier_excerpt_make(long_text, sizeof(long_text) - 4);
        ck_assert_uint_eq(strlen(text), head + (COURIER_EXCERPT_MAX - head) / 4 * 4);
        for (const char *c = text; *c != '\0'; c++)
            count += *c == '\x80';
        ck_assert_uint_eq(count, (COURIER_EXCERPT_MAX - head) / 4);
        free(text);
    }
    text = courier_excerpt_make("a\0b\xff\xc3\xa4\xe2\x82", 8);
    ck_assert_str_eq(text, "a\xef\xbf\xbd"
                           "b\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
    free(text);
    text = courier_excerpt_make(NULL, 0);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

/* ---- URLs */

START_TEST(what_is_not_public_is_refused_for_its_reason)
{
    static const struct {
        const char *url;
        enum public_url found;
    } urls[] = {
        {"http://93.184.216.34/", PUBLIC_URL_NOT_HTTPS},
        {"ftp://93.184.216.34/", PUBLIC_URL_NOT_HTTPS},
        {"", PUBLIC_URL_NOT_HTTPS},
        {"HTTPS://93.184.216.34", PUBLIC_URL_GOOD},
        {"https://93.184.216.34:8443/a?b@127.0.0.1", PUBLIC_URL_GOOD},
        {"https://9.255.255.255/", PUBLIC_URL_GOOD},
        {"https://11.0.0.0/", PUBLIC_URL_GOOD},
        {"https://172.15.255.255/", PUBLIC_URL_GOOD},
        {"https://223.255.255.255/", PUBLIC_URL_GOOD},
        {"https://[2001:4860::8888]:1/", PUBLIC_URL_GOOD},
        {"https://10.0.0.0/", PUBLIC_URL_PRIVATE_IP},
        {"https://10.255.255.255?x", PUBLIC_URL_PRIVATE_IP},
        {"https://172.16.0.0#x", PUBLIC_URL_PRIVATE_IP},
        {"https://169.254.0.1/", PUBLIC_URL_PRIVATE_IP},
        {"https://224.0.0.1/", PUBLIC_URL_PRIVATE_IP},
        {"https://255.255.255.255/", PUBLIC_URL_PRIVATE_IP},
        {"https://user:pass@127.0.0.1/", PUBLIC_URL_PRIVATE_IP},
        {"https://[::1]", PUBLIC_URL_PRIVATE_IP},
        {"https://[fe80::1]:443/", PUBLIC_URL_PRIVATE_IP},
        {"https://[fcff::]/", PUBLIC_URL_PRIVATE_IP},
        {"https://[ff02::1]/", PUBLIC_URL_PRIVATE_IP},
        {"https://[::ffff:192.168.0.1]/", PUBLIC_URL_PRIVATE_IP},
        {"https://[::127.0.0.1]/", PUBLIC_URL_PRIVATE_IP},
        {"https://localhost", PUBLIC_URL_PRIVATE_IP},
        {"https://x.LocalHost./", PUBLIC_URL_PRIVATE_IP},
        {"https://invalid/", PUBLIC_URL_UNRESOLVABLE},
        {"https://x.invalid", PUBLIC_URL_UNRESOLVABLE},
        {"https://", PUBLIC_URL_UNRESOLVABLE},
        {"https:///x", PUBLIC_URL_UNRESOLVABLE},
        {"https://[]/", PUBLIC_URL_UNRESOLVABLE},
        {"https://@/", PUBLIC_URL_UNRESOLVABLE},
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        ck_assert_msg(public_url_check(urls[i].url) == urls[i].found, "%s", urls[i].url);
}
END_TEST

START_TEST(a_host_that_is_too_long_is_none)
{
    char url[1000] = "https://";

    memset(url + 8, 'a', sizeof(url) - 9);
    url[sizeof(url) - 1] = '\0';
    ck_assert_int_eq(public_url_check(url), PUBLIC_URL_UNRESOLVABLE);
}
END_TEST

/* ---- times and payloads */

START_TEST(times_are_written_with_milliseconds)
{
    char text[RFC3339_SIZE];

    rfc3339_write(text, 0);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    rfc3339_write(text, INT64_C(1774382400123999));
    ck_assert_str_eq(text, "2026-03-24T20:00:00.123Z");
    rfc3339_write(text, -1);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    rfc3339_write(text, INT64_MAX);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
}
END_TEST

/* The library signs and verifies each event, and reads its id, type and time. */
START_TEST(every_schemes_test_event_is_one)
{
    const hookline_scheme *scheme = hookline_scheme_at((size_t)_i);
    const struct payload_ids ids = {"id_0123456789abcdef", "we_0123456789abcdef"};
    const char *secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    int64_t now = 1774382400;
    hookline_verifier *verifier;
    hookline_signature signature;
    hookline_result result;
    hookline_event *event;
    hookline_request request = {.find_header = hookline_find_in_list};
    struct payload payload;

    ck_assert(payload_test(&payload, scheme->name, &ids, now * 1000000));
    ck_assert_uint_eq(payload.len, strlen(payload.body));
    ck_assert_int_eq(hookline_verifier_new(&verifier, scheme->name, secret), 0);
    request.body = (hookline_bytes){payload.body, payload.len};
    ck_assert_int_eq(hookline_sign(verifier, &request,
                                   (hookline_bytes){ids.event, strlen(ids.event)}, now, &signature),
                     0);
    request.headers = &signature.headers;
    result = hookline_verify(verifier, &request, now);
    ck_assert_int_eq(result.reason, HOOKLINE_VERIFIED);
    ck_assert_int_eq(hookline_event_read(&event, verifier, &result), 0);
    if (event->type != NULL) /* GitHub sends the type in a header */
        ck_assert_str_eq(event->type, payload.type);
    else
        ck_assert_str_eq(payload.headers[0], "X-GitHub-Event: ping");
    if (event->id != NULL)
        ck_assert_str_eq(event->id, ids.event);
    if (event->created_at >= 0)
        ck_assert_int_eq(event->created_at, now);
    hookline_event_free(&event);
    hookline_verifier_free(&verifier);
    payload_free(&payload);
}
END_TEST

START_TEST(an_unknown_scheme_has_a_test_event_too)
{
    const struct payload_ids ids = {"msg_1", NULL};
    struct payload payload;

    ck_assert(payload_test(&payload, NULL, &ids, 0));
    ck_assert_str_eq(payload.body, "{\"type\":\"webhook.test\",\"timestamp\":"
                                   "\"1970-01-01T00:00:00.000Z\",\"data\":{\"id\":\"msg_1\"}}");
    ck_assert_str_eq(payload_id_prefix("nothing"), "msg_");
    payload_free(&payload);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("the emulated APIs' parts");
    TCase *c = tcase_create("forms");
    int schemes = 0;

    while (hookline_scheme_at((size_t)schemes) != NULL)
        schemes++;
    tcase_add_loop_test(c, each_mistake_is_named, 0, COUNT(wrong));
    tcase_add_test(c, what_is_as_the_form_says_has_no_problem);
    tcase_add_test(c, of_many_mistakes_the_first_are_told);
    tcase_add_test(c, a_long_path_is_cut_and_never_in_the_middle_of_a_character);
    tcase_add_test(c, what_is_no_text_or_more_than_a_value_is_no_json);
    tcase_add_test(c, ids_are_known_by_their_pattern);
    tcase_add_test(c, a_route_is_found_by_method_and_path);
    tcase_add_test(c, a_bearer_token_is_what_follows_the_word);
    tcase_add_test(c, parameters_are_decoded);
    tcase_add_test(c, below_a_path_means_a_whole_segment);
    tcase_add_test(c, an_excerpt_ends_at_the_end_of_a_character);
    tcase_add_test(c, what_is_not_public_is_refused_for_its_reason);
    tcase_add_test(c, a_host_that_is_too_long_is_none);
    tcase_add_test(c, times_are_written_with_milliseconds);
    tcase_add_loop_test(c, every_schemes_test_event_is_one, 0, schemes);
    tcase_add_test(c, an_unknown_scheme_has_a_test_event_too);
    suite_add_tcase(s, c);
    return s;
}
