/* SPDX-License-Identifier: MIT
 *
 * Pure parts of the sink client: event streams, untrusted text on a terminal, targets, times,
 * answers, and the events a command waits for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/record.h"
#include "cli/sink.h"
#include "cli/sse.h"
#include "cli/terminal.h"
#include "cli/wait.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"
#include "tests/run.h"

/* ---- stream: events are recorded as "name=data;", comments as "#comment;" */

struct heard {
    char text[512];
    int stop_after; /* events; 0: never */
};

static bool hear(void *data, const struct sse_event *event)
{
    struct heard *h = data;
    size_t len = strlen(h->text);

    ck_assert_uint_eq(strlen(event->data), event->len);
    snprintf(h->text + len, sizeof(h->text) - len, event->is_comment ? "#%s%s;" : "%s=%s;",
             event->name, event->data);
    return h->stop_after == 0 || --h->stop_after > 0;
}

static const struct {
    const char *bytes, *heard;
} streams[] = {
    {"", ""},
    {": hooklined\n\n", "#hooklined;"},
    {":\n\n", "#;"},
    {"data: {}\n\n", "message={};"},
    {"data: {}\n", ""},
    {"data:{}\n\n", "message={};"},
    {"data:  two\n\n", "message= two;"},
    {"data: a\ndata: b\n\n", "message=a\nb;"},
    {"data\n\n", "message=;"},
    {"data\ndata\n\n", "message=\n;"},
    {"data: a: b\n\n", "message=a: b;"},
    {"event: lost\ndata: 5\n\n", "lost=5;"},
    {"event: lost\n\ndata: 5\n\n", "message=5;"},
    {"event: lost\ndata: 1\n\ndata: 2\n\n", "lost=1;message=2;"},
    {"event: a\nevent: b\ndata: 1\n\n", "b=1;"},
    {"event: a-name-that-is-far-too-long-to-be-one\ndata: 1\n\n",
     "a-name-that-is-far-too-long-to-=1;"},
    {"id: 5\nretry: 10\nnonsense\nother: x\n\n", ""},
    {"\n\n\n", ""},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "message=a;message=b;"},
    {"data: a\r\rdata: b\r\r", "message=a;message=b;"},
    {"data: a\n\r\ndata: b\r\n\n", "message=a;message=b;"},
    {"\xef\xbb\xbf"
     "data: a\n\n",
     "message=a;"},
    {"\n\xef\xbb\xbf"
     "data: a\n\n",
     ""},
    {"data: a\n: in between\ndata: b\n\n", "#in between;message=a\nb;"},
    {"Data: a\n\n", ""},
    {" data: a\n\n", ""},
};

static void check_pieces(const char *bytes, size_t piece, const char *expected)
{
    struct sse_parser stream = {.has_data = false};
    struct heard heard = {.text = ""};

    for (size_t at = 0, len = strlen(bytes); at < len; at += piece)
        ck_assert(
            sse_parse(&stream, bytes + at, len - at < piece ? len - at : piece, hear, &heard));
    ck_assert_str_eq(heard.text, expected);
    sse_free(&stream);
}

START_TEST(events_are_read_in_whatever_pieces_they_come)
{
    for (size_t piece = 1; piece < 60; piece++)
        check_pieces(streams[_i].bytes, piece, streams[_i].heard);
}
END_TEST

START_TEST(who_listens_may_end_it)
{
    struct sse_parser stream = {.has_data = false};
    struct heard heard = {.stop_after = 2};
    const char *bytes = "data: 1\n\n: c\ndata: 3\n\n";

    ck_assert(!sse_parse(&stream, bytes, strlen(bytes), hear, &heard));
    ck_assert_str_eq(heard.text, "message=1;#c;");
    sse_free(&stream);
}
END_TEST

/* The parser limits the length of a line and of an event. */
START_TEST(what_has_no_end_is_given_up)
{
    static const char *const pieces[] = {"x", "data: 12345678\n"};
    struct sse_parser stream = {.has_data = false};
    struct heard heard = {.text = ""};
    char block[1 << 16];
    size_t len = strlen(pieces[_i]), taken = 0;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = pieces[_i][i % len];
    while (sse_parse(&stream, block, sizeof(block) / len * len, hear, &heard)) {
        taken += sizeof(block);
        ck_assert_uint_le(taken, 4 * (size_t)SSE_EVENT_MAX);
    }
    ck_assert_uint_ge(taken, SSE_EVENT_MAX / 2);
    ck_assert_uint_le(stream.line.size + stream.data.size, 8 * (size_t)SSE_EVENT_MAX);
    sse_free(&stream);
}
END_TEST

/* ---- printable */

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t len;
    const char *written, *json;
} texts[] = {
    {BYTES(""), "", ""},
    {BYTES("plain, 100%d"), "plain, 100%d", "plain, 100%d"},
    {BYTES("\x1b[31mred"), "\\x1b[31mred", " [31mred"},
    {BYTES("a\0b\x7f"), "a\\x00b\\x7f", "a b\\u007f"},
    {BYTES("\xc2\x9b"
           "31m"),
     "\\u{9b}31m", "\\u009b31m"},
    {BYTES("\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
     "\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {BYTES("\xe2\x80\xae"
           "gpj.exe"),
     "\\u{202e}gpj.exe", "\\u202egpj.exe"},
    {BYTES("\xe2\x80\xa8\xef\xbb\xbf"), "\\u{2028}\\u{feff}", "\\u2028\\ufeff"},
    {BYTES("\xf3\xa0\x81\x81"), "\\u{e0041}", "\\udb40\\udc41"},
    {BYTES("\xff\xc3"), "\\xff\\xc3", "\\ufffd\\ufffd"},
    {BYTES("\xc0\x9b[31m"), "\\xc0\\x9b[31m", "\\ufffd\\ufffd[31m"}, /* overlong */
    {BYTES("\xe0\x82\x9b"), "\\xe0\\x82\\x9b", "\\ufffd\\ufffd\\ufffd"},
    {BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"}, /* lone surrogate */
    {BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
    {BYTES("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80",
     "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
    {BYTES("\xe2\x82"), "\\xe2\\x82", "\\ufffd\\ufffd"},
    {BYTES("\r\t\n"), "\\x0d\\x09\\x0a", "  "},
};

/* An allocation of the exact size exposes reads beyond the end. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);

    memcpy(copy, text, len);
    return copy;
}

START_TEST(what_could_move_a_cursor_is_written_as_text)
{
    char *text = exact(texts[_i].text, texts[_i].len), to[128], *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);

    ck_assert_uint_eq(text_copy_printable(to, sizeof(to), text, texts[_i].len), strlen(to));
    ck_assert_str_eq(to, texts[_i].written);
    text_write_printable(out, text, texts[_i].len);
    fclose(out);
    ck_assert_str_eq(written, texts[_i].written);
    free(written);
    free(text);
}
END_TEST

START_TEST(json_stays_the_same_json)
{
    char *text = exact(texts[_i].text, texts[_i].len), expected[128], *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);

    text_write_json(out, text, texts[_i].len);
    fclose(out);
    snprintf(expected, sizeof(expected), "%s\n", texts[_i].json);
    ck_assert_str_eq(written, expected);
    free(written);
    free(text);
}
END_TEST

START_TEST(a_text_is_cut_between_characters)
{
    char to[8];

    for (size_t size = 1; size <= sizeof(to); size++) {
        memset(to, 'x', sizeof(to));
        ck_assert_uint_lt(text_copy_printable(to, size, "a\x1b\xc3\xa4", 4), size);
        ck_assert_str_eq(to, size == 1  ? ""
                             : size < 6 ? "a"
                             : size < 8 ? "a\\x1b"
                                        : "a\\x1b\xc3\xa4");
    }
    ck_assert_uint_eq(text_copy_printable(to, sizeof(to), NULL, 5), 0);
}
END_TEST

START_TEST(lines_stay_lines)
{
    char *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);

    text_write_lines(out, "a\n\tb\r\n\x1b\n", 8);
    fclose(out);
    ck_assert_str_eq(written, "a\n\tb\\x0d\n\\x1b\n");
    free(written);
}
END_TEST

/* ---- target */

START_TEST(values_of_a_target_are_escaped)
{
    struct sink_target t;

    sink_target_begin(&t, "/deliveries");
    sink_target_add(&t, "source", NULL);
    ck_assert_str_eq(t.text, "/deliveries");
    sink_target_add(&t, "id", "a b&c=d#e/f?g%h+\xc3\xa4\n~");
    sink_target_add_number(&t, "limit", -5);
    ck_assert_str_eq(t.text, "/deliveries?id=a%20b%26c%3Dd%23e%2Ff%3Fg%25h%2B%C3%A4%0A~&limit=-5");
    ck_assert(!t.too_long);
}
END_TEST

START_TEST(a_target_that_is_too_long_is_known)
{
    char value[SINK_TARGET_SIZE];
    struct sink_target t;

    memset(value, '#', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    sink_target_begin(&t, "/x");
    sink_target_add(&t, "id", value);
    ck_assert(t.too_long);
    ck_assert_uint_lt(strlen(t.text), sizeof(t.text));
}
END_TEST

/* ---- when */

static const struct {
    const char *text, *moment;
} moments[] = {
    {"0s", "1000000.500000"},
    {"90s", "999910.500000"},
    {"15m", "999100.500000"},
    {"2h", "992800.500000"},
    {"7d", "395200.500000"},
    {"999999999d", "0.000000"},
    {"5", "5.000000"},
    {"1970-01-01T00:00:01.25Z", "1.250000"},
    {"", ""},
    {"s", ""},
    {"-5m", ""},
    {"5 m", ""},
    {"5M", ""},
    {"5min", ""},
    {"1.5h", ""},
    {"9999999999m", ""},
    {"yesterday", ""},
    {"2026-13-01T00:00:00Z", ""},
    {"2026-11-22", ""},
    {"5mm", ""},
};

START_TEST(a_moment_is_one_or_so_long_ago)
{
    char moment[RFC3339_EPOCH_SIZE];

    ck_assert(rfc3339_read_or_ago(moments[_i].text, 1000000500000, moment) ==
              (moments[_i].moment[0] != '\0'));
    ck_assert_str_eq(moment, moments[_i].moment);
}
END_TEST

/* ---- seq_set */

START_TEST(no_number_is_told_twice)
{
    struct seq_set told = {.numbers = NULL};

    for (int i = 0; i < 1000; i++) {
        int64_t number = i * 7919 % 1009;

        ck_assert(!seq_set_has(&told, number));
        ck_assert(seq_set_add(&told, number) && seq_set_add(&told, number) &&
                  seq_set_has(&told, number));
    }
    ck_assert_uint_eq(told.count, 1000);
    for (size_t i = 1; i < told.count; i++)
        ck_assert_int_lt(told.numbers[i - 1], told.numbers[i]);
    ck_assert(!seq_set_has(&told, -1) && !seq_set_has(&told, INT64_MAX));
    seq_set_free(&told);
    ck_assert(!seq_set_has(&told, 5));
}
END_TEST

/* ---- wanted */

static const struct {
    struct wait_filter filter;
    bool matches;
} wishes[] = {
    {{.verdicts = VERDICT_BIT(VERDICT_STORED)}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED) | VERDICT_BIT(VERDICT_REFUSED)}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_DUPLICATE) | VERDICT_BIT(VERDICT_REFUSED) |
                  VERDICT_BIT(VERDICT_PARKED)},
     false},
    {{.verdicts = 0}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .source = "foil"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .source = "foi"}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "gate.open"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "gate.*"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "*"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "gate.open*"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "gate"}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = "gate.open.*"}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .type = ""}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .id = "evt_1"}, true},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .id = "evt_12"}, false},
    {{.verdicts = VERDICT_BIT(VERDICT_STORED), .receipt = "00ff"}, false},
};

START_TEST(an_event_is_waited_for_or_not)
{
    cJSON *event = cJSON_Parse("{\"verdict\":\"stored\",\"source\":\"foil\",\"type\":\"gate.open\","
                               "\"id\":\"evt_1\",\"receipt\":null}");

    ck_assert(wait_filter_matches(&wishes[_i].filter, event) == wishes[_i].matches);
    cJSON_Delete(event);
}
END_TEST

START_TEST(what_is_no_event_is_not_waited_for)
{
    static const char *const texts_of[] = {
        "{}", "[]", "5", "{\"verdict\":null}", "{\"verdict\":5}", "{\"verdict\":\"\"}"};
    const struct wait_filter all = {.verdicts = ~0u};

    for (int i = 0; i < COUNT(texts_of); i++) {
        cJSON *event = cJSON_Parse(texts_of[i]);

        ck_assert(!wait_filter_matches(&all, event));
        cJSON_Delete(event);
    }
    ck_assert(!wait_filter_matches(&all, NULL));
}
END_TEST

/* ---- record */

static const struct {
    const char *text;
    int64_t seq; /* 0: none */
} seqs[] = {
    {"1", 1},  {"9223372036854775807", INT64_MAX},
    {"0", 0},  {"-1", 0},
    {"", 0},   {"9223372036854775808", 0},
    {"1 ", 0}, {" 1", 0},
    {"+1", 0}, {"1e3", 0},
    {"01", 0}, {"0x1", 0},
};

START_TEST(a_seq_is_a_plain_number)
{
    int64_t seq = 0;

    ck_assert(record_read_seq(seqs[_i].text, &seq) == (seqs[_i].seq != 0));
    if (seqs[_i].seq != 0)
        ck_assert_int_eq(seq, seqs[_i].seq);
}
END_TEST

START_TEST(members_that_are_not_there_are_harmless)
{
    cJSON *record = cJSON_Parse("{\"seq\":1e300,\"text\":5,\"number\":\"5\",\"small\":-1e300}");

    ck_assert_int_eq(record_seq(record), 0);
    ck_assert_ptr_null(json_get_text(record, "text"));
    ck_assert_ptr_null(json_get_text(record, "nothing"));
    ck_assert_int_eq(json_get_int64(record, "number", -7), -7);
    ck_assert_int_eq(json_get_int64(record, "small", -7), -7);
    ck_assert(!json_get_is(record, "text", "5"));
    ck_assert_int_eq(record_seq(NULL), 0);
    cJSON_Delete(record);
}
END_TEST

static const struct {
    const char *json;
    int64_t number, count; /* -7 and -1: none */
} numbers[] = {
    {"{\"n\":0}", 0, 0},
    {"{\"n\":-5}", -5, -1},
    {"{\"n\":1.5}", -7, -1},
    {"{\"n\":9007199254740991}", INT64_C(9007199254740991), INT64_C(9007199254740991)},
    {"{\"n\":9007199254740993}", -7, -1},
    {"{\"n\":\"5\"}", -7, -1},
    {"{\"N\":5}", -7, -1},
    {"[5]", -7, -1},
};

START_TEST(a_number_is_read_whole_or_not_at_all)
{
    cJSON *object = cJSON_Parse(numbers[_i].json);

    ck_assert_int_eq(json_get_int64(object, "n", -7), numbers[_i].number);
    ck_assert_int_eq(json_get_count(object, "n"), numbers[_i].count);
    cJSON_Delete(object);
}
END_TEST

/* ---- table */

START_TEST(columns_are_as_wide_as_what_stands_in_them)
{
    static const char *const first[] = {"SEQ", "TYPE", "ID"}, *const second[] = {
                                                                  "1", "\xc3\xa4\xc3\xb6\x1b",
                                                                  NULL};
    struct table table = {.first = NULL};
    char *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);

    table_add(&table, first, 3, TERMINAL_PLAIN);
    table_add(&table, second, 3, TERMINAL_PLAIN);
    table_write(&table, out);
    table_write(&table, out);
    fclose(out);
    ck_assert_str_eq(written, "SEQ  TYPE    ID\n1    \xc3\xa4\xc3\xb6\\x1b  -\n");
    free(written);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("sink");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, events_are_read_in_whatever_pieces_they_come, 0, COUNT(streams));
    tcase_add_test(tc, who_listens_may_end_it);
    tcase_add_loop_test(tc, what_has_no_end_is_given_up, 0, 2);
    tcase_add_loop_test(tc, what_could_move_a_cursor_is_written_as_text, 0, COUNT(texts));
    tcase_add_loop_test(tc, json_stays_the_same_json, 0, COUNT(texts));
    tcase_add_test(tc, a_text_is_cut_between_characters);
    tcase_add_test(tc, lines_stay_lines);
    tcase_add_test(tc, values_of_a_target_are_escaped);
    tcase_add_test(tc, a_target_that_is_too_long_is_known);
    tcase_add_loop_test(tc, a_moment_is_one_or_so_long_ago, 0, COUNT(moments));
    tcase_add_test(tc, no_number_is_told_twice);
    tcase_add_loop_test(tc, an_event_is_waited_for_or_not, 0, COUNT(wishes));
    tcase_add_test(tc, what_is_no_event_is_not_waited_for);
    tcase_add_loop_test(tc, a_seq_is_a_plain_number, 0, COUNT(seqs));
    tcase_add_test(tc, members_that_are_not_there_are_harmless);
    tcase_add_loop_test(tc, a_number_is_read_whole_or_not_at_all, 0, COUNT(numbers));
    tcase_add_test(tc, columns_are_as_wide_as_what_stands_in_them);
    suite_add_tcase(s, tc);
    return s;
}
