/* SPDX-License-Identifier: MIT
 *
 * The reader of JSON. tests/lib/test_json.py compares it with Python's.
 */
#include "lib/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/run.h"

static hookline_bytes bytes(const char *text)
{
    return (hookline_bytes){text, strlen(text)};
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
    {"{\"a\":1,\"a\":2}", "a", MEMBER_NUMBER, "2"},
    {"{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b", MEMBER_NUMBER, "2"},
    {"{\"a\":{\"b\":1},\"a\":{}}", "a.b", MEMBER_ABSENT, ""},
    {"{\"a\":1 rubbish", "a", MEMBER_NUMBER, "1"},
    {"{\"a\":1,\"a\":\"x", "a", MEMBER_NUMBER, "1"},
    {"{\"a\":1,\"b\" 2,\"a\":3}", "a", MEMBER_NUMBER, "1"},
    {"{\"a\":{\"b\":\"x\",\"c\":[", "a.b", MEMBER_STRING, "x"},
    {"{\"b\":{\"c\":tru},\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"{\"b\":[1,],\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"\xef\xbb\xbf {\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"{\"b\":\"\xe9\xff\",\"a\":1}", "a", MEMBER_NUMBER, "1"},
    {"{\"b\":\"\\ud83d\",\"a\":\"\\ude00\"}", "a", MEMBER_STRING, "\\ude00"},
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
    {"{\"b\":[1}],\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":[\"\n\"],\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\" }", "a", MEMBER_MALFORMED, ""},
    {"\xef\xbb\xbf\xef\xbb\xbf{\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"\xef\xbb", "a", MEMBER_MALFORMED, ""},
    {"\xef\xbb\xbe{\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"b\":[\"\n\"\"],\"a\":1}", "a", MEMBER_MALFORMED, ""},
    {"{\"a\"", "a.b", MEMBER_MALFORMED, ""},
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
    {"{\"\\u0061\":1,\"a\":\"x\"}", MEMBER_STRING},
    {"{\"a\":\"x\",\"\\u0061\":1}", MEMBER_NUMBER},
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
}
END_TEST

START_TEST(a_name_beyond_ascii_is_found_in_any_spelling)
{
    const char *path = "\xc3\xa9";

    ck_assert_int_eq(hookline_member_find(bytes("{\"\xc3\xa9\":1}"), path).kind, MEMBER_NUMBER);
    ck_assert_int_eq(hookline_member_find(bytes("{\"\\u00e9\":1}"), path).kind, MEMBER_NUMBER);
    ck_assert_int_eq(hookline_member_find(bytes("{\"\\u00e8\":1}"), path).kind, MEMBER_ABSENT);
}
END_TEST

static const struct {
    const char *json;
    bool differs;
} twice[] = {
    {"{\"a\":1}", false},
    {"{\"a\":1,\"b\":2,\"a\":1}", false},
    {"{\"a\":1,\"a\":2}", true},
    {"{\"a\":1,\"a\":2,\"a\":2}", true},
    {"{\"a\":1,\"a\":\"1\"}", true},
    {"{\"a\":\"x\",\"\\u0061\":\"y\"}", true},
};

START_TEST(members_of_one_name_with_different_texts_are_told)
{
    ck_assert_int_eq(hookline_member_find(bytes(twice[_i].json), "a").differs, twice[_i].differs);
}
END_TEST

START_TEST(members_of_one_name_further_out_differ_as_well)
{
    const char *json = "{\"a\":{\"b\":1},\"a\":{\"b\":2}}";

    ck_assert(hookline_member_find(bytes(json), "a.b").differs);
}
END_TEST

static const struct {
    const char *json, *value; /* the string between its quotes, and its value */
} strings[] = {
    {"x", "x"},
    {"", ""},
    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
    {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
    {"\\ud800\\udc00", "\xf0\x90\x80\x80"},
    {"\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
    {"\\ud800\\udfff\\udbff\\udc00", "\xf0\x90\x8f\xbf\xf4\x8f\xb0\x80"},
    {"\\u007f\\u0080", "\x7f\xc2\x80"},
    {"\\u07ff\\u0800", "\xdf\xbf\xe0\xa0\x80"},
    {"\\ud7ff\\ue000\\uffff", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
    {"\\ud83d", "\xef\xbf\xbd"},
    {"\\ud800\\udbff", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\\ud800\\ue000", "\xef\xbf\xbd\xee\x80\x80"},
    {"\\udc00\\udc00", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\\udfff\\udc00", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\\udc00\\udfff", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\\ud83d\\\\ude00", "\xef\xbf\xbd\\ude00"},
    {"\\ud83dude00", "\xef\xbf\xbdude00"},
    {"\\ud83d\\/ude00", "\xef\xbf\xbd/ude00"},
    {"\\ude00x", "\xef\xbf\xbdx"},
    {"\\ud83dx\\ude00", "\xef\xbf\xbdx\xef\xbf\xbd"},
    {"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
    {"\\ud83d\\u0041", "\xef\xbf\xbd"
                       "A"},
    {"\\ud83d\\n", "\xef\xbf\xbd\n"},
    {"\\u0041\xe9", "A\xe9"},
};

START_TEST(a_string_has_the_value_that_its_escapes_mean)
{
    char json[128], value[128];
    struct member m;
    size_t len;

    snprintf(json, sizeof(json), "{\"a\":\"%s\"}", strings[_i].json);
    m = hookline_member_find(bytes(json), "a");
    len = hookline_member_decode(m, value);
    ck_assert_uint_eq(len, strlen(strings[_i].value));
    ck_assert_mem_eq(value, strings[_i].value, len);
    ck_assert(hookline_member_equals(m, bytes(strings[_i].value)));
    ck_assert(!hookline_member_equals(m, bytes("other")));
}
END_TEST

START_TEST(a_value_never_equals_its_beginning)
{
    struct member m = hookline_member_find(bytes("{\"a\":\"ping\\u0000x\"}"), "a");
    char value[16];

    ck_assert_uint_eq(hookline_member_decode(m, value), 6);
    ck_assert_mem_eq(value, "ping\0x", 6);
    ck_assert(!hookline_member_equals(m, bytes("ping")));
    ck_assert(hookline_member_equals(m, (hookline_bytes){"ping\0x", 6}));
}
END_TEST

START_TEST(other_kinds_have_no_value)
{
    struct member m = hookline_member_find(bytes("{\"a\":[1]}"), "a");
    char value[8];

    ck_assert_uint_eq(hookline_member_decode(m, value), 0);
    ck_assert(!hookline_member_equals(m, bytes("[1]")));
}
END_TEST

/* ---- the whole document */

#define EARLY     "JSON ends early"
#define MALFORMED "malformed JSON"
#define NO_OBJECT "not a JSON object"
#define TRAILING  "text after the JSON object"

/* The document in a block of its own, so that a sanitizer detects reads beyond its end. */
static const char *damage_of(hookline_bytes json)
{
    char *text = malloc(json.len > 0 ? json.len : 1);
    unsigned char *levels = malloc(MEMBER_LEVELS_SIZE(json.len));
    const char *damage;

    if (json.len > 0)
        memcpy(text, json.base, json.len);
    damage = hookline_member_damage((hookline_bytes){text, json.len}, levels);
    free(levels);
    free(text);
    return damage;
}

static const struct {
    const char *json, *damage;
} documents[] = {
    {"{}", NULL},
    {" {\n} ", NULL},
    {"{ \"a\" : [ 1 , { } , \"x\" ] , \"b\" : { \"c\" : true } }", NULL},
    {"\xef\xbb\xbf{}", NULL},
    {"{\"a\":\"\\ud83d\"}", NULL},
    {"{\"a\":\"\xff\xfe\x7f\"}", NULL},
    {"{\"a\":[1,[2,{\"b\":[]}],{}],\"c\":{\"d\":{}}}", NULL},
    {"{\"a\":[0,-0,10,1.50,1e5,1E+5,1e-5,true,false,null]}", NULL},
    {"{\"a\":123456789012345678901234567890123456789012345678901234567890123456789e9999}", NULL},
    {"", "empty"},
    {" \n", "empty"},
    {"\xef\xbb\xbf", "empty"},
    {"hello", NO_OBJECT},
    {"[]", NO_OBJECT},
    {"\"text\"", NO_OBJECT},
    {"null", NO_OBJECT},
    {"\xef\xbb\xbe{}", NO_OBJECT},
    {"payload=%7B%7D", NO_OBJECT},
    {"{", EARLY},
    {"{\"a", EARLY},
    {"{\"a\\", EARLY},
    {"{\"a\\u00", EARLY},
    {"{\"a\"", EARLY},
    {"{\"a\":", EARLY},
    {"{\"a\":1", EARLY},
    {"{\"a\":-", EARLY},
    {"{\"a\":1.", EARLY},
    {"{\"a\":1e+", EARLY},
    {"{\"a\":tru", EARLY},
    {"{\"a\":1,", EARLY},
    {"{\"a\":[[[[[[[[", EARLY},
    {"{\"a\":[1]", EARLY},
    {"{a:1}", MALFORMED},
    {"{x", MALFORMED},
    {"{'a':1}", MALFORMED},
    {"{,}", MALFORMED},
    {"{\"a\" 1}", MALFORMED},
    {"{\"a\"}", MALFORMED},
    {"{\"a\":}", MALFORMED},
    {"{\"a\":1,}", MALFORMED},
    {"{\"a\":1 \"b\":2}", MALFORMED},
    {"{\"a\":01}", MALFORMED},
    {"{\"a\":+1}", MALFORMED},
    {"{\"a\":.5}", MALFORMED},
    {"{\"a\":1.}", MALFORMED},
    {"{\"a\":0x1}", MALFORMED},
    {"{\"a\":1/2}", MALFORMED},
    {"{\"a\":1:2}", MALFORMED},
    {"{\"a\":NaN}", MALFORMED},
    {"{\"a\":Infinity}", MALFORMED},
    {"{\"a\":True}", MALFORMED},
    {"{\"a\":nul}", MALFORMED},
    {"{\"a\":\"\t\"}", MALFORMED},
    {"{\"a\":\"\\x\"}", MALFORMED},
    {"{\"a\":\"\\u12g4\"}", MALFORMED},
    {"{\"a\":[1,]}", MALFORMED},
    {"{\"a\":[,1]}", MALFORMED},
    {"{\"a\":[1 2]}", MALFORMED},
    {"{\"a\":[1}}", MALFORMED},
    {"{\"a\":{\"b\":1]}", MALFORMED},
    {"{\"a\":[\"b\":1]}", MALFORMED},
    {"{\"a\":/**/1}", MALFORMED},
    {"{}}", TRAILING},
    {"{} {}", TRAILING},
    {"{\"a\":1}x", TRAILING},
};

START_TEST(a_document_is_one_object_or_has_its_damage)
{
    const char *damage = damage_of(bytes(documents[_i].json));

    ck_assert_str_eq(damage == NULL ? "none" : damage,
                     documents[_i].damage == NULL ? "none" : documents[_i].damage);
}
END_TEST

START_TEST(a_nul_ends_no_document)
{
    ck_assert_str_eq(damage_of((hookline_bytes){"{}\0", 3}), TRAILING);
    ck_assert_str_eq(damage_of((hookline_bytes){"{\0}", 3}), MALFORMED);
    ck_assert_str_eq(damage_of((hookline_bytes){"{\"a\":\"\\\0\"}", 10}), MALFORMED);
}
END_TEST

START_TEST(each_beginning_of_an_object_ends_early)
{
    const char *json =
        "{\"b\":[1,-2.5e3,\"x\\u00e9\",true],\"a\":\"\\ud83d\\ude00\",\"d\":{\"e\":null}}";

    for (size_t len = 1; len < strlen(json); len++)
        ck_assert_str_eq(damage_of((hookline_bytes){json, len}), EARLY);
    ck_assert_ptr_null(damage_of(bytes(json)));
}
END_TEST

/* {"b":[{"x":[{"x": ... }]}],"a":7} with `pairs` of brackets; `close` replaces the innermost ']'. */
static hookline_bytes make_deep(size_t pairs, char close)
{
    static const char start[] = "{\"b\":", end[] = ",\"a\":7}";
    char *json = malloc(16 + 8 * pairs), *at = json;

    at = mempcpy(at, start, sizeof(start) - 1);
    for (size_t i = 0; i < pairs; i++, at += 6)
        memcpy(at, i + 1 < pairs ? "[{\"x\":" : "[     ", 6);
    for (size_t i = 0; i < pairs; i++, at += 2)
        memcpy(at, i == 0 ? (char[]){close, ' '} : (char[]){'}', ']'}, 2);
    at = mempcpy(at, end, sizeof(end) - 1);
    return (hookline_bytes){json, (size_t)(at - json)};
}

/* {"b":[[{"x":[[{"x": ... }]]}]],"a":7}: no byte of the levels is like the one before. */
START_TEST(each_bracket_is_closed_by_its_own_kind)
{
    enum {
        THREES = 40
    };
    char json[16 + 12 * THREES], *at = json;

    at = mempcpy(at, "{\"b\":", 5);
    for (int i = 0; i < THREES; i++)
        at = mempcpy(at, "[[{\"x\":", 7);
    *at++ = '1';
    for (int i = 0; i < THREES; i++)
        at = mempcpy(at, "}]]", 3);
    memcpy(at, "}", 2);
    ck_assert_ptr_null(damage_of(bytes(json)));
    for (char *close = at - 1; *close != '1'; close--) {
        *close = *close == '}' ? ']' : '}';
        ck_assert_str_eq(damage_of(bytes(json)), MALFORMED);
        *close = *close == '}' ? ']' : '}';
    }
}
END_TEST

static const size_t depths[] = {1, 4, 500, 1000, 4096, 100000};

START_TEST(nesting_has_any_depth)
{
    hookline_bytes good = make_deep(depths[_i], ']'), bad = make_deep(depths[_i], '}');

    ck_assert_ptr_null(damage_of(good));
    ck_assert_str_eq(damage_of(bad), MALFORMED);
    ck_assert_mem_eq(hookline_member_find(good, "a").text.base, "7", 1);
    ck_assert_str_eq(damage_of((hookline_bytes){good.base, good.len - 1}), EARLY);
    free((char *)good.base);
    free((char *)bad.base);
}
END_TEST

START_TEST(brackets_that_never_close_end_early)
{
    static char json[100000] = "{\"a\":";

    memset(json + 5, '[', sizeof(json) - 5);
    ck_assert_str_eq(damage_of((hookline_bytes){json, sizeof(json)}), EARLY);
    ck_assert_int_eq(hookline_member_find((hookline_bytes){json, sizeof(json)}, "b").kind,
                     MEMBER_MALFORMED);
}
END_TEST

START_TEST(brackets_that_no_longer_can_close_end_early_whatever_follows)
{
    ck_assert_str_eq(damage_of(bytes("{\"a\":[[[[[[[[[[[[x")), EARLY);
    ck_assert_str_eq(damage_of(bytes("{\"a\":[[x")), MALFORMED);
}
END_TEST

/* ---- strings of any length, which are read in blocks */

/* Reads {"a":"<letters><special><40 blanks>"}. */
static struct member string_of_letters(int letters, const char *special, char json[200])
{
    snprintf(json, 200, "{\"a\":\"%.*s%s%40s\"}", letters,
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
             special, "");
    return hookline_member_find(bytes(json), "a");
}

START_TEST(a_quote_ends_a_string_wherever_it_stands)
{
    char json[200];
    struct member m = string_of_letters(_i, "\",\"b\":\"", json);

    ck_assert_int_eq(m.kind, MEMBER_STRING);
    ck_assert_uint_eq(m.text.len, (size_t)_i);
    ck_assert(!m.escaped);
    ck_assert_ptr_null(damage_of(bytes(json)));
}
END_TEST

START_TEST(an_escape_is_seen_wherever_it_stands)
{
    char json[200], value[200];
    struct member m = string_of_letters(_i, "\\n", json);

    ck_assert(m.kind == MEMBER_STRING && m.escaped);
    ck_assert_uint_eq(hookline_member_decode(m, value), (size_t)_i + 41);
    ck_assert_int_eq(value[_i], '\n');
}
END_TEST

START_TEST(a_control_character_is_damage_wherever_it_stands)
{
    char json[200];

    for (char control = 1; control < ' '; control++) {
        ck_assert_int_eq(string_of_letters(_i, (char[]){control, '\0'}, json).kind,
                         MEMBER_MALFORMED);
        ck_assert_str_eq(damage_of(bytes(json)), MALFORMED);
    }
    ck_assert_int_eq(string_of_letters(_i, "\x7f\xff !", json).kind, MEMBER_STRING);
}
END_TEST

static const char *const blocks[] = {"\"", "\n", "\x1f"};

START_TEST(a_block_of_one_character_is_no_block_of_letters)
{
    char json[200] = "{\"a\":\"";

    memset(json + 6, blocks[_i][0], 64);
    memcpy(json + 70, "\"}", 3);
    ck_assert_str_eq(damage_of(bytes(json)), MALFORMED);
}
END_TEST

START_TEST(a_block_of_backslashes_has_half_as_many)
{
    char json[200] = "{\"a\":\"", value[200];

    memset(json + 6, '\\', 64);
    memcpy(json + 70, "\"}", 3);
    ck_assert_uint_eq(hookline_member_decode(hookline_member_find(bytes(json), "a"), value), 32);
}
END_TEST

/* ---- the end of the document */

static const struct {
    const char *json; /* the document ends at the vertical bar */
    const char *damage;
} ends[] = {
    {"{\"a\":1|}", EARLY},
    {"{\"a\":1|2}", EARLY},
    {"{\"a\":1.|2}", EARLY},
    {"{\"a\":1e|2}", EARLY},
    {"{\"a\":-|2}", EARLY},
    {"{\"a\":tru|e}", EARLY},
    {"{\"a\":|1}", EARLY},
    {"{\"a\"|:1}", EARLY},
    {"{\"a|\":1}", EARLY},
    {"{\"a\":\"\\|n\"}", EARLY},
    {"{\"a\":\"\\u123|4\"}", EARLY},
    {"{\"a\":\"x|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}", EARLY},
    {"{|}", EARLY},
    {" | {}", "empty"},
    {"|{}", "empty"},
    {"\xef\xbb|\xbf{}", NO_OBJECT},
    {"{} | x", NULL},
    {"{}| x", NULL},
};

START_TEST(what_stands_behind_the_end_of_a_document_is_not_read)
{
    char json[200];
    size_t len = strcspn(ends[_i].json, "|");
    unsigned char levels[16];
    const char *damage;

    snprintf(json, sizeof(json), "%.*s%s", (int)len, ends[_i].json, ends[_i].json + len + 1);
    damage = hookline_member_damage((hookline_bytes){json, len}, levels);
    ck_assert_str_eq(damage == NULL ? "none" : damage,
                     ends[_i].damage == NULL ? "none" : ends[_i].damage);
}
END_TEST

START_TEST(a_number_that_is_cut_off_is_read_to_the_end)
{
    struct member m = hookline_member_find((hookline_bytes){"{\"a\":123}", 7}, "a");

    ck_assert_int_eq(m.kind, MEMBER_NUMBER);
    ck_assert_uint_eq(m.text.len, 2);
}
END_TEST

START_TEST(a_document_opens_an_object_or_not)
{
    ck_assert(hookline_member_opens_object(bytes("\xef\xbb\xbf \n{")));
    ck_assert(!hookline_member_opens_object(bytes("[{")));
    ck_assert(!hookline_member_opens_object((hookline_bytes){NULL, 0}));
}
END_TEST

static TCase *block_case(void)
{
    TCase *tc = tcase_create("blocks and ends");

    tcase_add_loop_test(tc, a_quote_ends_a_string_wherever_it_stands, 0, 80);
    tcase_add_loop_test(tc, an_escape_is_seen_wherever_it_stands, 0, 80);
    tcase_add_loop_test(tc, a_control_character_is_damage_wherever_it_stands, 0, 80);
    tcase_add_loop_test(tc, a_block_of_one_character_is_no_block_of_letters, 0, COUNT(blocks));
    tcase_add_test(tc, a_block_of_backslashes_has_half_as_many);
    tcase_add_loop_test(tc, what_stands_behind_the_end_of_a_document_is_not_read, 0, COUNT(ends));
    tcase_add_test(tc, a_number_that_is_cut_off_is_read_to_the_end);
    return tc;
}

Suite *suite(void)
{
    Suite *s = suite_create("member");
    TCase *tc = tcase_create("member");

    tcase_add_loop_test(tc, a_member_is_found_or_not, 0, COUNT(finds));
    tcase_add_test(tc, a_string_with_a_backslash_is_called_escaped);
    tcase_add_loop_test(tc, a_name_is_the_same_when_it_is_written_with_escapes, 0,
                        COUNT(escaped_names));
    tcase_add_test(tc, a_name_beyond_ascii_is_found_in_any_spelling);
    tcase_add_test(tc, nothing_at_all_is_malformed);
    tcase_add_loop_test(tc, members_of_one_name_with_different_texts_are_told, 0, COUNT(twice));
    tcase_add_test(tc, members_of_one_name_further_out_differ_as_well);
    tcase_add_loop_test(tc, a_string_has_the_value_that_its_escapes_mean, 0, COUNT(strings));
    tcase_add_test(tc, a_value_never_equals_its_beginning);
    tcase_add_test(tc, other_kinds_have_no_value);
    tcase_add_loop_test(tc, a_document_is_one_object_or_has_its_damage, 0, COUNT(documents));
    tcase_add_test(tc, a_nul_ends_no_document);
    tcase_add_test(tc, each_beginning_of_an_object_ends_early);
    tcase_add_test(tc, each_bracket_is_closed_by_its_own_kind);
    tcase_add_loop_test(tc, nesting_has_any_depth, 0, COUNT(depths));
    tcase_add_test(tc, brackets_that_never_close_end_early);
    tcase_add_test(tc, brackets_that_no_longer_can_close_end_early_whatever_follows);
    tcase_add_test(tc, a_document_opens_an_object_or_not);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, block_case());
    return s;
}
