/* SPDX-License-Identifier: MIT
 *
 * Parts of a delivery before its signature: faults, clauses, headers, bodies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/description.h"
#include "cli/faults.h"
#include "cli/raw_request.h"
#include "tests/run.h"

/* ---- faults */

START_TEST(every_word_is_read_with_its_number_or_the_usual_one)
{
    char why[FAULTS_WHY_SIZE];
    struct faults f;

    ck_assert(faults_read(&f, "stale", why) && f.shift_s == -600);
    ck_assert(faults_read(&f, "future=412, duplicate", why) && f.shift_s == 412 && f.copies == 2);
    ck_assert(faults_read(&f, " burst=3 ,reorder ", why) && f.burst == 3 && f.reorder);
    ck_assert(faults_read(&f, "duplicate=5,burst", why) && f.copies == 5 && f.burst == 10);
    ck_assert(faults_read(&f, "wrong-secret", why) && f.wrong_secret);
    ck_assert(faults_read(&f, "secret-newline", why) && f.secret_newline);
    ck_assert(faults_read(&f, "two-signatures", why) && f.two_signatures);
    ck_assert(faults_read(&f, "unsigned", why) && f.unsigned_);
    ck_assert(faults_read(&f, "tamper", why) && f.tamper);
    ck_assert(faults_read(&f, "reencode", why) && f.reencode);
    ck_assert(faults_read(&f, "crlf", why) && f.crlf);
    ck_assert(faults_read(&f, "oversize", why) && f.oversize == 2 << 20);
    ck_assert(faults_read(&f, "oversize=7,slow=9", why) && f.oversize == 7 && f.bytes_per_s == 9);
    ck_assert(faults_read(&f, "truncate,slow", why) && f.truncate && f.bytes_per_s == 64);
    ck_assert(faults_read(&f, "reset", why) && f.reset);
    ck_assert(faults_read(&f, "delay", why) && f.delay_s == 1);
    ck_assert(faults_read(&f, "delay=3,tamper", why) && f.delay_s == 3 && f.tamper);
}
END_TEST

START_TEST(an_empty_text_is_no_fault)
{
    char why[FAULTS_WHY_SIZE], text[FAULTS_TEXT_MAX];
    struct faults f;

    for (int blanks = 0; blanks < 3; blanks++) {
        memset(&f, 1, sizeof(f));
        ck_assert(faults_read(&f, &"  "[blanks], why));
        faults_write(&f, text);
        ck_assert_str_eq(text, "");
    }
}
END_TEST

START_TEST(a_wrong_word_is_named_with_those_that_there_are)
{
    static const char *const wrong[][2] = {
        {"late", "late: unknown fault; expected one of stale,"},
        {"stale,", "?: unknown fault"},
        {",stale", "?: unknown fault"},
        {"stale,,reset", "?: unknown fault"},
        {"a\nb", "?: unknown fault"},
        {"\xff\xfe", "?: unknown fault"},
        {"stal", "stal: unknown fault"},
        {"stalest", "stalest: unknown fault"},
        {"STALE", "STALE: unknown fault"},
        {"=5", "?: unknown fault"},
        {"stale=", "stale: expected a number from 1 to 31622400"},
        {"stale=0", "stale: expected a number"},
        {"stale=-1", "stale: expected a number"},
        {"stale=+1", "stale: expected a number"},
        {"stale= 1", "stale: expected a number"},
        {"stale=1x", "stale: expected a number"},
        {"stale=99999999999999999999999", "stale: expected a number"},
        {"stale=99999999999999999999999999999999999", "stale: expected a number"},
        {"duplicate=1", "duplicate: expected a number from 2 to 100"},
        {"delay=86401", "delay: expected a number from 1 to 86400"},
        {"burst=101", "burst: expected a number from 2 to 100"},
        {"tamper=1", "tamper takes no number"},
        {"tamper=", "tamper takes no number"},
        {"reorder", "reorder needs burst"},
        {"stale,stale=3", "stale given twice"},
        {"stale,future", "stale and future cannot be combined"},
        {"unsigned,wrong-secret", "wrong-secret and unsigned cannot be combined"},
        {"reset,truncate", "truncate and reset cannot be combined"},
    };
    char why[FAULTS_WHY_SIZE], *all = malloc(FAULTS_TEXT_MAX + 2);
    struct faults f = {.copies = 77};

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(!faults_read(&f, wrong[i][0], why), "%s", wrong[i][0]);
        ck_assert_msg(strncmp(why, wrong[i][1], strlen(wrong[i][1])) == 0, "%s", why);
        ck_assert_uint_eq(f.copies, 77);
    }
    ck_assert(!faults_read(&f, "late", why));
    ck_assert_msg(strstr(why, ", delay") != NULL, "all words have room: %s", why);
    memset(all, ' ', FAULTS_TEXT_MAX + 1);
    all[FAULTS_TEXT_MAX + 1] = '\0';
    ck_assert(!faults_read(&f, all, why) && strstr(why, "longer than 256 bytes") != NULL);
    free(all);
}
END_TEST

START_TEST(the_help_has_a_line_for_every_word_that_is_read)
{
    char why[FAULTS_WHY_SIZE], word[32];
    const char *line = faults_help();
    struct faults f;
    int lines = 0;

    for (; *line != '\0'; line = strchr(line, '\n') + 1, lines++) {
        size_t len = strcspn(line, " [\n");

        ck_assert_int_le((long)strcspn(line, "\n"), 76);
        snprintf(word, sizeof(word), "%.*s", (int)len, line);
        ck_assert_msg(faults_read(&f, word, why) || strcmp(word, "reorder") == 0, "%s: %s", word,
                      why);
    }
    ck_assert_int_eq(lines, 17);
}
END_TEST

/* ---- clauses */

START_TEST(clauses_are_found_word_by_word)
{
    const char *text = " signature X-A|X-B ; ; list pairs comma v1;content v0:{url}.{body}\n"
                       "event type a.b;event type c;";
    char word[16], out[DESCRIPTION_SIZE];
    struct clause c;

    ck_assert(clause_find(text, "signature", NULL, &c) && c.count == 2);
    clause_copy_word(&c, 1, word, sizeof(word));
    ck_assert_str_eq(word, "X-A");
    clause_copy_word(&c, 2, word, sizeof(word));
    ck_assert_str_eq(word, "");
    ck_assert(clause_find(text, "list", "pairs", &c) && clause_word_is(&c, 3, "v1"));
    ck_assert(!clause_word_is(&c, 4, "v1") && !clause_word_is(&c, 3, "v"));
    ck_assert(clause_find(text, "event", "type", &c) && clause_word_is(&c, 2, "c"));
    ck_assert(!clause_find(text, "event", "created", &c) && c.count == 0);
    ck_assert(description_signs(text, "{url}") && !description_signs(text, "{method}"));
    ck_assert(clause_replace("secret base64 whsec_; content {body}; secret hex", "secret",
                             "secret text", out));
    ck_assert_str_eq(out, "secret text;content {body}");
    ck_assert(!clause_find("", "list", NULL, &c) && !clause_find(" ; \n", "list", NULL, &c));
}
END_TEST

START_TEST(a_description_that_grows_too_long_is_not_written)
{
    char text[DESCRIPTION_SIZE], out[DESCRIPTION_SIZE];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert(!clause_replace(text, "secret", "secret hex", out));
}
END_TEST

/* ---- headers */

START_TEST(header_lines_are_read_and_wrong_ones_explained)
{
    static const struct {
        const char *line;
        size_t len;
        const char *why;
    } wrong[] = {
        {"X-A", 3, "found no colon"},
        {"", 0, "found no colon"},
        {": a", 3, "found no valid name"},
        {"X A: a", 6, "found no valid name"},
        {"X-A : a", 7, "found no valid name"},
        {"X\0A: a", 6, "found no valid name"},
        {" X-A: a", 7, "found no valid name"},
        {"X-A: a\rb", 8, "X-A: the value contains a control character"},
        {"X-A: a\nb", 8, "X-A: the value"},
        {"X-A: a\0b", 8, "X-A: the value"},
    };
    struct header_lines lines = {0};
    char why[HEADER_LINES_WHY_SIZE];
    hookline_header_list list;
    hookline_bytes value;

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert(!header_lines_add(&lines, wrong[i].line, wrong[i].len, why));
        ck_assert_msg(strstr(why, wrong[i].why) != NULL, "%s", why);
    }
    ck_assert_uint_eq(lines.count, 0);
    ck_assert(header_lines_add(&lines, "X-A: \t a b\t ", 12, why));
    ck_assert(header_lines_add(&lines, "x-a:", 4, why));
    ck_assert(header_lines_add(&lines, "X-B:a:b\xc3\xa9", 9, why));
    list = header_lines_list(&lines);
    ck_assert_uint_eq(hookline_find_in_list(&list, "X-A", &value), 2);
    ck_assert(value.len == 3 && memcmp(value.base, "a b", 3) == 0);
    ck_assert_uint_eq(hookline_find_in_list(&list, "x-b", &value), 1);
    ck_assert(value.len == 5 && memcmp(value.base, "a:b\xc3\xa9", 5) == 0);
    header_lines_free(&lines);
    for (int i = 0; i < HEADER_LINES_MAX; i++)
        ck_assert(header_lines_add(&lines, "X: y", 4, why));
    ck_assert(!header_lines_add(&lines, "X: y", 4, why) && strstr(why, "more than 1000") != NULL);
    header_lines_free(&lines);
}
END_TEST

/* ---- bodies */

static struct faults_body body_of(const char *text)
{
    return (struct faults_body){strdup(text), strlen(text)};
}

static void is_now(struct faults_body body, const char *text)
{
    ck_assert_ptr_nonnull(body.base);
    ck_assert_msg(body.len == strlen(text) && memcmp(body.base, text, body.len) == 0,
                  "got %.*s, not %s", (int)body.len, body.base, text);
    free(body.base);
}

START_TEST(one_character_changes)
{
    char why[FAULTS_BODY_WHY_SIZE];

    is_now(faults_tamper(body_of("{\"a\":true}"), why), "{\"a\":truf}");
    is_now(faults_tamper(body_of("{\"a\":19}"), why), "{\"a\":10}");
    is_now(faults_tamper(body_of("z"), why), "a");
    is_now(faults_tamper(body_of("Z!"), why), "A!");
    is_now(faults_tamper(body_of("{}"), why), "{|");
    is_now(faults_tamper(body_of(""), why), " ");
}
END_TEST

START_TEST(json_is_written_with_other_white_space)
{
    char why[FAULTS_BODY_WHY_SIZE];

    is_now(faults_reencode(body_of("{\"a\":[1,\"b,:\\\" c\"]}"), why),
           "{\"a\": [1, \"b,:\\\" c\"]}");
    is_now(faults_reencode(body_of("{\"a\": [1, 2]}"), why), "{\"a\":[1,2]}");
    is_now(faults_reencode(body_of("{\n \"a\": 1.0\n}\n"), why), "{\"a\": 1.0}");
    is_now(faults_reencode(body_of("{}"), why), "{}\n");
    is_now(faults_reencode(body_of("\"\\\\\""), why), "\"\\\\\"\n");
    ck_assert_ptr_null(faults_reencode(body_of("a=b"), why).base);
    ck_assert_str_eq(why, "reencode: the body is not JSON");
    ck_assert_ptr_null(faults_reencode(body_of(""), why).base);
}
END_TEST

START_TEST(line_ends_are_turned_or_added)
{
    char why[FAULTS_BODY_WHY_SIZE];

    is_now(faults_crlf(body_of("a\nb\n"), why), "a\r\nb\r\n");
    is_now(faults_crlf(body_of("a\r\nb\r\n"), why), "a\nb\n");
    is_now(faults_crlf(body_of("a\r\nb\n"), why), "a\r\nb\r\n");
    is_now(faults_crlf(body_of("a\rb"), why), "a\rb\r\n");
    is_now(faults_crlf(body_of("\n"), why), "\r\n");
    is_now(faults_crlf(body_of(""), why), "\r\n");
    is_now(faults_crlf(body_of("\r\n"), why), "\n");
}
END_TEST

START_TEST(a_time_in_the_body_keeps_its_form)
{
    char why[FAULTS_BODY_WHY_SIZE];

    is_now(faults_shift_time(body_of("{\"t\":\"2027-01-15T08:00:00.25Z\",\"u\":1}"), "t", -1, why),
           "{\"t\":\"2027-01-15T07:59:59.250Z\",\"u\":1}");
    is_now(faults_shift_time(body_of("{\"t\":\"2027-01-15T08:00:00+01:00\"}"), "t", 3600, why),
           "{\"t\":\"2027-01-15T08:00:00.000Z\"}");
    is_now(faults_shift_time(body_of("{\"a\":{\"t\":1800000000}}"), "a.t", 412, why),
           "{\"a\":{\"t\":1800000412}}");
    is_now(faults_shift_time(body_of("{\"t\":1800000000123}"), "t", 412, why),
           "{\"t\":1800000412123}");
    ck_assert_ptr_null(faults_shift_time(body_of("{\"t\":\"soon\"}"), "t", 1, why).base);
    ck_assert_str_eq(why, "the body holds no time that could be changed");
    ck_assert_ptr_null(faults_shift_time(body_of("{\"t\":null}"), "t", 1, why).base);
    ck_assert_ptr_null(faults_shift_time(body_of("{\"t\":1}"), "a.t", 1, why).base);
    ck_assert_ptr_null(faults_shift_time(body_of("\xff"), "t", 1, why).base);
    ck_assert_ptr_null(
        faults_shift_time(body_of("{\"t\":\"1970-01-01T00:00:00Z\"}"), "t", -1, why).base);
}
END_TEST

START_TEST(a_body_is_filled_up_to_a_size)
{
    char why[FAULTS_BODY_WHY_SIZE];

    is_now(faults_oversize(body_of("{}"), 5, why), "{}   ");
    is_now(faults_oversize(body_of("{}"), 1, why), "{}");
    ck_assert_ptr_null(faults_oversize(body_of("{}"), UINT64_MAX, why).base);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("fault");
    TCase *c = tcase_create("all");

    tcase_add_test(c, every_word_is_read_with_its_number_or_the_usual_one);
    tcase_add_test(c, an_empty_text_is_no_fault);
    tcase_add_test(c, a_wrong_word_is_named_with_those_that_there_are);
    tcase_add_test(c, the_help_has_a_line_for_every_word_that_is_read);
    tcase_add_test(c, clauses_are_found_word_by_word);
    tcase_add_test(c, a_description_that_grows_too_long_is_not_written);
    tcase_add_test(c, header_lines_are_read_and_wrong_ones_explained);
    tcase_add_test(c, one_character_changes);
    tcase_add_test(c, json_is_written_with_other_white_space);
    tcase_add_test(c, line_ends_are_turned_or_added);
    tcase_add_test(c, a_time_in_the_body_keeps_its_form);
    tcase_add_test(c, a_body_is_filled_up_to_a_size);
    suite_add_tcase(s, c);
    return s;
}
