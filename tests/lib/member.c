/* SPDX-License-Identifier: MIT
 *
 * The reader of single members, alone and against cJSON.
 */
#include "lib/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tests/run.h"

static hookline_bytes bytes(const char *text)
{
    return (hookline_bytes){text, strlen(text)};
}

static bool is_object(hookline_bytes json)
{
    return hookline_member_problem(json) == NULL;
}

static const struct {
    const char *json, *path;
    enum member_kind kind;
    const char *text;
} finds[] = {
    {"{\"a\":\"x\"}", "a", MEMBER_STRING, "x"},
    {" \t\r\n{ \"a\" : \"x\" } ", "a", MEMBER_STRING, "x"},
    {"{\"a\":\"\"}", "a", MEMBER_STRING, ""},
    {"{\"b\":[1,{\"a\":2}],\"a\":3}", "a", MEMBER_NUMBER, "3"},
    {"{\"a\":-1.5e+3}", "a", MEMBER_NUMBER, "-1.5e+3"},
    {"{\"a\":null}", "a", MEMBER_NULL, "null"},
    {"{\"a\":true}", "a", MEMBER_OTHER, "true"},
    {"{\"a\":false}", "a", MEMBER_OTHER, "false"},
    {"{\"a\":[1]}", "a", MEMBER_OTHER, "[1]"},
    {"{\"a\":{\"b\":1}}", "a", MEMBER_OBJECT, "{\"b\":1}"},
    {"{\"a\":{\"b\":1}}", "a.b", MEMBER_NUMBER, "1"},
    {"{\"a\":{\"b\":{\"c\":\"x\"}}}", "a.b.c", MEMBER_STRING, "x"},
    {"{\"a\":1,\"a\":2}", "a", MEMBER_NUMBER, "1"},
    {"{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b", MEMBER_NUMBER, "1"},
    {"{\"a\":1 rubbish", "a", MEMBER_NUMBER, "1"},
    {"{}", "a", MEMBER_ABSENT, ""},
    {"{\"b\":1}", "a", MEMBER_ABSENT, ""},
    {"{\"A\":1}", "a", MEMBER_ABSENT, ""},
    {"{\"ab\":1}", "a", MEMBER_ABSENT, ""},
    {"{\"b\":{\"a\":1}}", "a", MEMBER_ABSENT, ""},
    {"{\"b\":\"\\\"a\\\":1\"}", "a", MEMBER_ABSENT, ""},
    {"{\"a\":1}", "a.b", MEMBER_ABSENT, ""},
    {"{\"a\":\"b\"}", "a.b", MEMBER_ABSENT, ""},
    {"{\"a\":{}}", "a.b", MEMBER_ABSENT, ""},
    {"{\"a.b\":1}", "a.b", MEMBER_ABSENT, ""},
    {"", "a", MEMBER_MALFORMED, ""},
    {"[]", "a", MEMBER_MALFORMED, ""},
    {"\"a\"", "a", MEMBER_MALFORMED, ""},
    {"{", "a", MEMBER_MALFORMED, ""},
    {"{\"a\"", "a", MEMBER_MALFORMED, ""},
    {"{\"a\":", "a", MEMBER_MALFORMED, ""},
    {"{\"a\":}", "a", MEMBER_MALFORMED, ""},
    {"{\"a\":\"x", "a", MEMBER_MALFORMED, ""},
    {"{\"a\" 1}", "a", MEMBER_MALFORMED, ""},
    {"{a:1}", "a", MEMBER_MALFORMED, ""},
    {"{'a':1}", "a", MEMBER_MALFORMED, ""},
    {"{,\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":01,\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":tru,\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":\"\n\",\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":\"\\x\",\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":[1,],\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":[1}],\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"\xef\xbb\xbf{\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"\xef\xbb\xbf \xef\xbb\xbf{\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":\"\\ud83d\",\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"{\"\\ude00\":1,\"a\":2}", "a", MEMBER_NUMBER, "2"},
    {"{\"b\":\"\xff\",\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"{\"a\":12345678901234567890123456789012345678901234567890123456789012345678901234567890}",
     "a", MEMBER_NUMBER,
     "12345678901234567890123456789012345678901234567890123456789012345678901234567890"},
};

START_TEST(a_member_is_found_or_not)
{
    struct member m = hookline_member_find(bytes(finds[_i].json), finds[_i].path);

    ck_assert_int_eq(m.kind, finds[_i].kind);
    ck_assert_uint_eq(m.text.len, strlen(finds[_i].text));
    if (m.text.len > 0)
        ck_assert_mem_eq(m.text.base, finds[_i].text, m.text.len);
}
END_TEST

START_TEST(a_string_with_a_backslash_is_called_escaped)
{
    ck_assert(hookline_member_find(bytes("{\"a\":\"x\\ny\"}"), "a").escaped);
    ck_assert(!hookline_member_find(bytes("{\"\\n\":1,\"a\":\"x\"}"), "a").escaped);
}
END_TEST

static const struct {
    const char *json;
    enum member_kind kind;
} escaped_names[] = {
    {"{\"\\u0061\":1}", MEMBER_NUMBER},
    {"{\"\\u0061\":1,\"a\":\"x\"}", MEMBER_NUMBER},
    {"{\"a\":\"x\",\"\\u0061\":1}", MEMBER_STRING},
    {"{\"\\u0061b\":1}", MEMBER_ABSENT},
    {"{\"\\u0161\":1}", MEMBER_ABSENT},
    {"{\"\\\\u0061\":1}", MEMBER_ABSENT},
    {"{\"\\u0000a\":1}", MEMBER_ABSENT},
    {"{\"\\ud83d\\ude00\":1}", MEMBER_ABSENT},
    {"{\"\\n\":1}", MEMBER_ABSENT},
};

START_TEST(a_name_is_the_same_when_it_is_written_with_escapes)
{
    ck_assert_int_eq(hookline_member_find(bytes(escaped_names[_i].json), "a").kind,
                     escaped_names[_i].kind);
}
END_TEST

START_TEST(nothing_at_all_is_malformed)
{
    ck_assert_int_eq(hookline_member_find((hookline_bytes){NULL, 0}, "a").kind, MEMBER_MALFORMED);
    ck_assert(!is_object((hookline_bytes){NULL, 0}));
}
END_TEST

static const char *const values[] = {
    "0",
    "-0",
    "1",
    "10",
    "-1",
    "1.5",
    "1e5",
    "1E+5",
    "1e-5",
    "0.0",
    "\"\"",
    "\"x\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"\\\\\"",
    "\"\\/\"",
    "\"\xc3\xa9\"",
    "\"\\ud83d\\ude00\"",
    "\"\x7f\"",
    "\"\\u0000\"",
    "true",
    "false",
    "null",
    "[]",
    "[1,2]",
    "[ ]",
    "{}",
    "{\"b\":1}",
    "[[[]]]",
    "[{\"b\":[]}]",
    "123456789012345678901234567890",
    "\"\xff\xfe\"",
    "01",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "-",
    "--1",
    "0x1",
    "NaN",
    "Infinity",
    "tru",
    "True",
    "nul",
    "\"",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\n\"",
    "\"\x01\"",
    "'x'",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[",
    "]",
    "{",
    "}",
    "{\"b\"}",
    "{\"b\":}",
    "{\"b\":1,}",
    "{b:1}",
    "",
    "1 2",
    "/**/1",
    "\"a\"\"b\"",
    "[1]]",
};

static const char *const frames[] = {
    "{\"a\":%s}",
    " {\n\"a\" :\t%s\r} ",
    "{\"a\":%s,\"b\":1}",
    "{\"b\":1,\"a\":%s}",
    "{\"a\":%s,\"a\":2}",
    "{\"b\":%s,\"a\":1}",
    "{\"b\":[%s],\"a\":\"x\"}",
    "{\"a\":{\"b\":%s}}",
    "%s",
    "[%s]",
    "{\"a\":%s} x",
    "{\"a\":%s",
    "{\"a\":1,%s}",
    "{%s:1,\"a\":2}",
    "{\"b\":1,\"\\u0061\":%s,\"a\":2}",
};

static void compare_text(const char *json, struct member m, const cJSON *theirs)
{
    char text[256];

    if (m.kind == MEMBER_STRING && !m.escaped) {
        ck_assert_uint_eq(strlen(theirs->valuestring), m.text.len);
        ck_assert_mem_eq(theirs->valuestring, m.text.base, m.text.len);
    } else if (m.kind == MEMBER_NUMBER) {
        snprintf(text, sizeof(text), "%.*s", (int)m.text.len, m.text.base);
        ck_assert_msg(strtod(text, NULL) == theirs->valuedouble, "%s", json);
    }
}

static void compare_kind(const char *json, struct member m, const cJSON *theirs)
{
    static const int types[] = {
        [MEMBER_STRING] = cJSON_String,
        [MEMBER_NUMBER] = cJSON_Number,
        [MEMBER_NULL] = cJSON_NULL,
        [MEMBER_OBJECT] = cJSON_Object,
        [MEMBER_OTHER] = cJSON_True | cJSON_False | cJSON_Array,
    };

    ck_assert_msg(m.kind != MEMBER_MALFORMED, "%s", json);
    ck_assert_msg((m.kind == MEMBER_ABSENT) == (theirs == NULL), "%s", json);
    if (theirs == NULL)
        return;
    ck_assert_msg(theirs->type & types[m.kind], "%s", json);
    compare_text(json, m, theirs);
}

/* Returns 1 if both accept the document. */
static int compare(const char *json)
{
    cJSON *theirs;

    if (!is_object(bytes(json)))
        return 0;
    theirs = cJSON_ParseWithLength(json, strlen(json));
    ck_assert_msg(cJSON_IsObject(theirs), "%s", json);
    compare_kind(json, hookline_member_find(bytes(json), "a"),
                 cJSON_GetObjectItemCaseSensitive(theirs, "a"));
    cJSON_Delete(theirs);
    return 1;
}

/* Puts every value into frame _i: about a thousand documents in all. */
START_TEST(what_is_an_object_here_is_the_same_object_for_cjson)
{
    char json[512];

    for (int i = 0; i < COUNT(values); i++) {
        snprintf(json, sizeof(json), frames[_i], values[i]);
        compare(json);
    }
}
END_TEST

/* A portable generator: the same seed gives the same numbers. */
static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Replaces one to three characters of a valid document, 400 times. */
START_TEST(documents_with_wrong_characters_are_read_alike_or_refused)
{
    static const char good[] =
        "{\"b\":[1,-2.5e3,\"x\\u00e9\\n\",{\"c\":null}],\"a\":\"text\",\"d\":{\"e\":true}}";
    static const char odd[] = "{}[]:,\"\\0123456789-+.eEtfn \t\n\x01\x7f\x80\xff"
                              "a";
    unsigned seed = (unsigned)_i;
    char json[sizeof(good)];
    int read = 0;

    for (int round = 0; round < 400; round++) {
        memcpy(json, good, sizeof(good));
        for (unsigned n = next(&seed) % 3 + 1; n > 0; n--)
            json[next(&seed) % (sizeof(good) - 1)] = odd[next(&seed) % (sizeof(odd) - 1)];
        read += compare(json);
    }
    ck_assert_int_gt(read, 0);
}
END_TEST

START_TEST(no_beginning_of_an_object_is_one)
{
    const char *json =
        "{\"b\":[1,-2.5e3,\"x\\u00e9\"],\"a\":\"\\ud83d\\ude00\",\"d\":{\"e\":true}}";

    for (size_t len = 0; len < strlen(json); len++)
        ck_assert(!is_object((hookline_bytes){json, len}));
    ck_assert(is_object(bytes(json)));
}
END_TEST

/* Nests `depth` arrays and objects by turns, and ends them with `end` instead of the last bracket. */
static const char *problem_of_depth(size_t depth, char end)
{
    size_t len = 0, size = depth * 8 + 8;
    char *json = malloc(size);
    const char *problem;

    for (size_t i = 0; i < depth; i++)
        len += (size_t)snprintf(json + len, size - len, "%s", i % 2 == 0 ? "{\"a\":" : "[1,");
    len += (size_t)snprintf(json + len, size - len, "0");
    for (size_t i = depth; i > 0; i--)
        json[len++] = i % 2 == 1 ? '}' : ']';
    json[len - 1] = end;
    problem = hookline_member_problem((hookline_bytes){json, len});
    free(json);
    return problem;
}

static const size_t depths[] = {1, 2, 1000, 1001, 4095, 4096, 4097, 4098, 300000};

START_TEST(an_object_may_be_as_deep_as_the_body_allows)
{
    ck_assert_ptr_null(problem_of_depth(depths[_i], '}'));
    ck_assert_str_eq(problem_of_depth(depths[_i], ']'), "the JSON is malformed");
    ck_assert_str_eq(problem_of_depth(depths[_i], ' '), "the JSON object does not end");
}
END_TEST

static const struct {
    const char *json, *text;
} decoded[] = {
    {"x", "x"},
    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
    {"\\u00e9\\u20ac\\ud83d\\ude00", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"a\\u0000b", "a\xef\xbf\xbd"
                  "b"},
    {"a\\ud83d", "a\xef\xbf\xbd"},
    {"\\ude00b", "\xef\xbf\xbd"
                 "b"},
    {"\\ud83d\\u0041", "\xef\xbf\xbd"
                       "A"},
    {"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
    {"\xff\xc3"
     "a",
     "\xef\xbf\xbd\xef\xbf\xbd"
     "a"},
    {"\xc0\x80\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(a_string_is_decoded_and_never_cut)
{
    struct member string = {.kind = MEMBER_STRING, .text = bytes(decoded[_i].json)};
    char *out = malloc(MEMBER_DECODED_SIZE(string));

    ck_assert_uint_eq(hookline_member_decode(string, out), strlen(decoded[_i].text));
    ck_assert_str_eq(out, decoded[_i].text);
    free(out);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("member");
    TCase *tc = tcase_create("member");

    tcase_add_loop_test(tc, a_member_is_found_or_not, 0, COUNT(finds));
    tcase_add_test(tc, a_string_with_a_backslash_is_called_escaped);
    tcase_add_loop_test(tc, a_name_is_the_same_when_it_is_written_with_escapes, 0,
                        COUNT(escaped_names));
    tcase_add_test(tc, nothing_at_all_is_malformed);
    tcase_add_loop_test(tc, what_is_an_object_here_is_the_same_object_for_cjson, 0, COUNT(frames));
    tcase_add_loop_test(tc, documents_with_wrong_characters_are_read_alike_or_refused, 0, 16);
    tcase_add_test(tc, no_beginning_of_an_object_is_one);
    tcase_add_loop_test(tc, an_object_may_be_as_deep_as_the_body_allows, 0, COUNT(depths));
    tcase_add_loop_test(tc, a_string_is_decoded_and_never_cut, 0, COUNT(decoded));
    suite_add_tcase(s, tc);
    return s;
}
