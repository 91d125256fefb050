/* SPDX-License-Identifier: MIT
 *
 * Parts of the daemon that need no process: JSON lines, receipts, pace, throttle, addresses,
 * request framing, source lookup by path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/json.h"
#include "daemon/base/net.h"
#include "daemon/base/limit.h"
#include "daemon/base/text.h"
#include "daemon/conf/config.h"
#include "daemon/policy/source.h"
#include "daemon/receive/delivery.h"
#include "tests/run.h"

/* ---- json_line */

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t len;
    const char *written;
    bool utf8;
} texts[] = {
    {BYTES(""), "", true},
    {BYTES("plain"), "plain", true},
    {BYTES("\"\\/"), "\\\"\\\\/", true},
    {BYTES("\b\t\n\f\r"), "\\b\\t\\n\\f\\r", true},
    {BYTES("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\\u007f", true},
    {BYTES("\xc2\x80\xdf\xbf"), "\xc2\x80\xdf\xbf", true},
    {BYTES("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"), "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", true},
    {BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
    {BYTES("\x80"), "\\ufffd", false},
    {BYTES("a\xff"), "a\\ufffd", false},
    {BYTES("\xc1\xbf"), "\\ufffd\\ufffd", false},            /* overlong */
    {BYTES("\xe0\x9f\xbf"), "\\ufffd\\ufffd\\ufffd", false}, /* likewise */
    {BYTES("\xf0\x8f\xbf\xbf"), "\\ufffd\\ufffd\\ufffd\\ufffd", false},
    {BYTES("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd", false},            /* lone surrogate */
    {BYTES("\xf4\x90\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd", false}, /* beyond U+10FFFF */
    {BYTES("\xf8\x88\x80\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd", false},
    {BYTES("\xc3"), "\\ufffd", false}, /* truncated */
    {BYTES("\xe2\x82"), "\\ufffd\\ufffd", false},
    {BYTES("\xc3\xa4\xc3"), "\xc3\xa4\\ufffd", false},
    {BYTES("\xc3("), "\\ufffd(", false},
};

START_TEST(a_text_is_escaped_and_what_is_no_utf8_is_replaced)
{
    struct json_writer line = {0};
    char expected[256];
    char *exact = malloc(texts[_i].len + 1); /* exposes reads beyond the end */

    memcpy(exact, texts[_i].text, texts[_i].len);
    exact = realloc(exact, texts[_i].len == 0 ? 1 : texts[_i].len);
    snprintf(expected, sizeof(expected), "{\"k\":\"%s\"}\n", texts[_i].written);
    json_begin(&line);
    json_text(&line, "k", exact, texts[_i].len);
    ck_assert(json_end(&line));
    ck_assert_uint_eq(line.text.len, strlen(expected));
    ck_assert_mem_eq(line.text.base, expected, line.text.len);
    ck_assert_int_eq(text_is_utf8(exact, texts[_i].len), texts[_i].utf8);
    json_free(&line);
    free(exact);
}
END_TEST

START_TEST(members_are_separated_and_objects_nest)
{
    static const char expected[] = "{\"a\":null,\"b\":{\"c\":-9223372036854775808,\"d\":{}},"
                                   "\"e\":true,\"f\":false,\"g\":\"\",\"h\":\"AP8=\"}\n";
    struct json_writer line = {0};

    for (int turn = 0; turn < 2; turn++) { /* the second turn reuses the buffer */
        json_begin(&line);
        json_string(&line, "a", NULL);
        json_open_object(&line, "b");
        json_number(&line, "c", INT64_MIN);
        json_open_object(&line, "d");
        json_close_object(&line);
        json_close_object(&line);
        json_bool(&line, "e", true);
        json_bool(&line, "f", false);
        json_string(&line, "g", "");
        json_base64(&line, "h", "\0\xff", 2);
        ck_assert(json_end(&line));
        ck_assert_uint_eq(line.text.len, sizeof(expected) - 1);
        ck_assert_mem_eq(line.text.base, expected, line.text.len);
    }
    json_free(&line);
    ck_assert_ptr_null(line.text.base);
}
END_TEST

START_TEST(a_text_without_end_fails_the_line_and_not_the_next)
{
    struct json_writer line = {0};

    json_begin(&line);
    json_text(&line, "k", "x", SIZE_MAX);
    ck_assert(!json_end(&line));
    json_begin(&line);
    ck_assert(json_end(&line));
    json_free(&line);
}
END_TEST

/* ---- receipt */

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, RECEIPT_SIZE);
}

START_TEST(a_receipt_is_sixteen_digits_and_never_the_same)
{
    static char texts_of_all[3 * RECEIPTS_AT_ONCE + 1][RECEIPT_SIZE];
    struct receipts receipts = {.left = 0};

    ck_assert_int_ge(sodium_init(), 0);
    for (size_t i = 0; i < COUNT(texts_of_all); i++) {
        receipt_make(&receipts, texts_of_all[i]);
        ck_assert_uint_eq(strspn(texts_of_all[i], "0123456789abcdef"), 16);
        ck_assert_uint_eq(strlen(texts_of_all[i]), 16);
    }
    qsort(texts_of_all, COUNT(texts_of_all), RECEIPT_SIZE, by_text);
    for (size_t i = 1; i < COUNT(texts_of_all); i++)
        ck_assert_str_ne(texts_of_all[i - 1], texts_of_all[i]);
}
END_TEST

/* ---- pace */

START_TEST(who_worked_rests_fifty_times_as_long)
{
    struct cpu_share p = {0};

    ck_assert(cpu_share_is_rested(&p, 1000000));
    cpu_share_rest(&p, 1000000, 1002000, 50);
    ck_assert(!cpu_share_is_rested(&p, 1101999));
    ck_assert(cpu_share_is_rested(&p, 1102000));
}
END_TEST

START_TEST(who_took_no_time_rests_a_millisecond)
{
    struct cpu_share p = {0};

    cpu_share_rest(&p, 5000, 5000, 50);
    ck_assert(!cpu_share_is_rested(&p, 5999));
    ck_assert(cpu_share_is_rested(&p, 6000));
}
END_TEST

/* ---- throttle */

START_TEST(fifty_a_second_pass_and_the_others_are_counted)
{
    struct log_limit t = {0};
    int64_t now = 1000000000;

    for (int i = 0; i < 50; i++)
        ck_assert(log_limit_pass(&t, 50, now + i));
    ck_assert_uint_eq(log_limit_take_dropped(&t), 0);
    for (int i = 0; i < 7; i++)
        ck_assert(!log_limit_pass(&t, 50, now + 999999));
    ck_assert(log_limit_pass(&t, 50, now + 1000000));
    ck_assert_uint_eq(log_limit_take_dropped(&t), 7);
    ck_assert_uint_eq(log_limit_take_dropped(&t), 0);
}
END_TEST

/* ---- address */

static const char *const addresses[] = {"127.0.0.1:0", "0.0.0.0:65535", "[::]:0", "[::1]:8080"};
static const char *const no_addresses[] = {
    "",
    ":",
    ":80",
    "80",
    "127.0.0.1",
    "127.0.0.1:",
    "[::1]",
    "[::1]:",
    "::1:80",
    "[::1:80",
    "::1]:80",
    "[127.0.0.1]:80",
    "[]:80",
    "localhost:80",
    "1.2.3.4:65536",
    "1.2.3.4:-1",
    "1.2.3.4:+1",
    "1.2.3.4: 1",
    " 1.2.3.4:1",
    "1.2.3.4:1x",
    "1.2.3.4.5:1",
    "256.1.1.1:80",
    "*:80",
    "[*]:80",
    "1.2:80",
    "0x7f000001:80",
    "[::g]:80",
    "1.2.3.4:000080",
};

START_TEST(an_address_is_read_and_written_again)
{
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_SIZE];
    socklen_t len;

    ck_assert_msg(address_read(addresses[_i], &address, &len), "%s", addresses[_i]);
    address_write(&address, text);
    ck_assert_str_eq(text, addresses[_i]);
}
END_TEST

START_TEST(what_is_no_address_is_not)
{
    struct sockaddr_storage address;
    socklen_t len;

    ck_assert_msg(!address_read(no_addresses[_i], &address, &len), "%s", no_addresses[_i]);
}
END_TEST

/* ---- sources_find_path */

static void no_warning(const char *text)
{
    (void)text;
}

static struct sources *open_sources(void)
{
    static char env[] = "UNITS_SECRET", scheme[] = "github";
    static char *paths[] = {"/b", "/a", "/a/b", "/", "/aa", "/a-", "/z\xc3\xa4"};
    static struct config_secret secret = {.env = env};
    static struct config_source all[COUNT(paths)];
    struct config config = {.sources = all, .sources_count = COUNT(paths)};
    char why[CONFIG_WHY_SIZE] = "";
    struct sources *sources;

    setenv(env, "a-secret-that-is-long-enough", 1);
    for (int i = 0; i < COUNT(paths); i++)
        all[i] = (struct config_source){.name = paths[i],
                                        .path = paths[i],
                                        .scheme = scheme,
                                        .secrets = &secret,
                                        .secrets_count = 1};
    sources = sources_open(&config, no_warning, why);
    ck_assert_msg(sources != NULL, "%s", why);
    return sources;
}

static const struct {
    const char *path;
    size_t len;
    const char *found;
} ways[] = {
    {BYTES("/"), "/"},
    {BYTES("/a"), "/a"},
    {BYTES("/aa"), "/aa"},
    {BYTES("/a-"), "/a-"},
    {BYTES("/a/b"), "/a/b"},
    {BYTES("/b"), "/b"},
    {BYTES("/z\xc3\xa4"), "/z\xc3\xa4"},
    {"/a/b?query", 4, "/a/b"},
    {"/a/b", 2, "/a"},
    {"/aaa", 3, "/aa"},
    {BYTES(""), NULL},
    {BYTES("a"), NULL},
    {BYTES("/c"), NULL},
    {BYTES("/a/"), NULL},
    {BYTES("/aaa"), NULL},
    {BYTES("/A"), NULL},
    {BYTES("//"), NULL},
    {BYTES("/z\xc3"), NULL},
    {BYTES("/a\0"), NULL},
    {BYTES("/a\0/b and much more that lies beyond the end of the path"), NULL},
    {BYTES("\0"), NULL},
};

START_TEST(a_path_finds_its_source_and_no_other)
{
    struct sources *sources = open_sources();
    char *exact = malloc(ways[_i].len + 1);
    const struct source *found;

    memcpy(exact, ways[_i].path, ways[_i].len);
    exact = realloc(exact, ways[_i].len == 0 ? 1 : ways[_i].len);
    found = sources_find_path(sources, exact, ways[_i].len);
    if (ways[_i].found == NULL)
        ck_assert_msg(found == NULL, "%s: %s", ways[_i].path, found->path);
    else
        ck_assert_str_eq(found == NULL ? "none" : found->path, ways[_i].found);
    free(exact);
    sources_free(&sources);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("daemon");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_text_is_escaped_and_what_is_no_utf8_is_replaced, 0, COUNT(texts));
    tcase_add_test(tc, members_are_separated_and_objects_nest);
    tcase_add_test(tc, a_text_without_end_fails_the_line_and_not_the_next);
    tcase_add_test(tc, a_receipt_is_sixteen_digits_and_never_the_same);
    tcase_add_test(tc, who_worked_rests_fifty_times_as_long);
    tcase_add_test(tc, who_took_no_time_rests_a_millisecond);
    tcase_add_test(tc, fifty_a_second_pass_and_the_others_are_counted);
    tcase_add_loop_test(tc, an_address_is_read_and_written_again, 0, COUNT(addresses));
    tcase_add_loop_test(tc, what_is_no_address_is_not, 0, COUNT(no_addresses));
    tcase_add_loop_test(tc, a_path_finds_its_source_and_no_other, 0, COUNT(ways));
    suite_add_tcase(s, tc);
    return s;
}
