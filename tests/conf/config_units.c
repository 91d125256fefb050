/* SPDX-License-Identifier: MIT
 *
 * The configuration: lines of keys, defaults, numbers, rows of the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/number.h"
#include "daemon/conf/table.h"
#include "tests/run.h"

/* ---- config_file */

static char *write_yaml(const char *text)
{
    static char path[4096];
    const char *folder = getenv("TMPDIR");
    int fd;

    snprintf(path, sizeof(path), "%s/units-XXXXXX", folder == NULL ? "/tmp" : folder);
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    return path;
}

static const char yaml[] = "# a comment\n"
                           "threads: 2\n"
                           "store: {file: x}\n"
                           "sources:\n"
                           "  - name: a\n"
                           "    scheme: foil\n"
                           "    secrets:\n"
                           "      - file: x\n"
                           "      - {file: y}\n"
                           "\n"
                           "  - name: b\n"
                           "    scheme: foil\n"
                           "    rate: {per_second: 1,\n"
                           "             burst: 2}\n"
                           "    secrets: [{file: x}]\n";

static const struct {
    const char *path;
    unsigned line;
} places[] = {
    {"", 2},
    {"threads", 2},
    {"sources", 4},
    {"sources/0", 5},
    {"sources/0/name", 5},
    {"sources/0/secrets", 7},
    {"sources/0/secrets/1", 9},
    {"sources/0/secrets/1/file", 9},
    {"sources/0/secrets/2", 7}, /* absent: the line of its nearest parent */
    {"sources/1/name", 11},
    {"sources/1/rate/burst", 14},
    {"sources/1/path", 11},
    {"sources/2", 4},
    {"sources/x", 4},
    {"nothing", 2},
    {"threads/deeper", 2},
    {"/", 2},
};

START_TEST(a_path_has_its_line)
{
    char *path = write_yaml(yaml), why[CONFIG_WHY_SIZE] = "", place[4200], wanted[4200];
    struct config *config = config_file_read(path, why);

    unlink(path);
    ck_assert_msg(config != NULL, "%s", why);
    config_locate(config, places[_i].path, place, sizeof(place));
    snprintf(wanted, sizeof(wanted), "%s:%u: ", path, places[_i].line);
    ck_assert_str_eq(place, wanted);
    config_free(&config);
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(a_key_that_was_not_read_is_told_from_one_that_was)
{
    char *path = write_yaml(yaml), why[CONFIG_WHY_SIZE] = "";
    struct config *config = config_file_read(path, why);

    unlink(path);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert(config_has(config, "sources/1/rate"));
    ck_assert(!config_has(config, "sources/0/rate"));
    ck_assert(!config_has(config, "sources/0/path")); /* a default does not count */
    ck_assert_str_eq(config->sources[0].path, "/a");
    ck_assert_uint_eq(config->limits.idle_seconds, 60);
    ck_assert_uint_eq(config->store.max_bytes, 0);
    ck_assert_uint_eq(config->threads, 2);
    config_free(&config);
}
END_TEST

static const struct {
    const char *text;
    unsigned line;
} broken[] = {
    {"", 1},
    {"# nothing\n", 1},
    {"threads: 1\nlisten: [\n", 3},
    {"threads: 1\ninclude: [a\n", 2},
    {"threads: 1\n\tlog: 2\n", 2},
    {"threads: 1\ninclude: \"x\n", 2},
    {"threads: 1\ninclude: *nothing\n", 2},
    {"threads: 1\n\xff\n", 2},
    {"threads: 1\nlog: {}\ninclude: \x01\n", 3},
};

START_TEST(what_is_no_yaml_has_the_line_on_which_that_shows)
{
    char *path = write_yaml(broken[_i].text), why[CONFIG_WHY_SIZE] = "", wanted[4200];

    ck_assert_ptr_null(config_file_read(path, why));
    unlink(path);
    snprintf(wanted, sizeof(wanted), "%s:%u: ", path, broken[_i].line);
    ck_assert_msg(strncmp(why, wanted, strlen(wanted)) == 0, "%s: %s", broken[_i].text, why);
}
END_TEST

START_TEST(a_file_that_is_not_there_has_no_line)
{
    char why[CONFIG_WHY_SIZE] = "";

    ck_assert_ptr_null(config_file_read("/nonexistent", why));
    ck_assert_str_eq(why, "/nonexistent: No such file or directory");
}
END_TEST

START_TEST(the_command_line_has_the_defaults_of_the_file)
{
    struct config *config = config_new();
    const struct config_destination *destination;
    char place[64];

    ck_assert_ptr_nonnull(config);
    destination = config_add("destinations", config);
    ck_assert_ptr_nonnull(destination);
    ck_assert_uint_eq(config->limits.body_bytes, 1 << 20);
    ck_assert_uint_eq(config->store.keep_days, 8);
    ck_assert_uint_eq(destination->timeout_seconds, 15);
    ck_assert_uint_eq(config_locate(config, "sources/0", place, sizeof(place)), 14);
    ck_assert_str_eq(place, "command line: ");
    config_free(&config);
}
END_TEST

/* ---- config_number */

static const struct {
    const char *value;
    bool number;
} values[] = {
    {"0", true},
    {"7", true},
    {"1048576", true},
    {"9223372036854775807", true},
    {"", false},
    {"10m", false},
    {"010", false},
    {"0x10", false},
    {"-1", false},
    {"+1", false},
    {"1.0", false},
    {"1e3", false},
    {"1 ", false},
    {"~", false},
    {"1_000", false},
    {"x", false},
    {"00", false},
    {" 1", false},
    {"-", false},
    {"9223372036854775808", false},
    {"0b1", false},
    {"1.", false},
    {"99999999999999999999", false},
};

START_TEST(a_number_is_decimal_digits_and_nothing_else)
{
    const struct config_row *row = config_table_row("store.max_bytes");
    const char *text = values[_i].value;
    char why[CONFIG_WHY_SIZE] = "";
    uint64_t number;
    bool good = config_number_read(row, text, strlen(text), &number, why, sizeof(why));

    ck_assert_msg(good == values[_i].number, "%s: %s", text, why);
    ck_assert_msg(good || strstr(why, "; type ") != NULL, "%s", why);
}
END_TEST

/* ---- config_table */

START_TEST(each_row_of_the_table_is_sound)
{
    const struct config_row *row = NULL, *parents[8] = {NULL};
    int depth = 0;
    unsigned count = 0;

    while (depth >= 0) {
        row = config_table_child(parents[depth], row);
        if (row == NULL) {
            row = parents[depth--];
            continue;
        }
        count++;
        ck_assert_ptr_nonnull(row->help);
        ck_assert_ptr_eq(
            config_table_find(parents[depth], config_row_name(row), strlen(config_row_name(row))),
            row);
        ck_assert_msg(row->kind != CONFIG_NUMBER || row->required || row->pointer ||
                          (row->unset >= row->min && row->unset <= row->max),
                      "%s: its default is out of its range", row->key);
        ck_assert_msg(row->kind != CONFIG_NUMBER || row->min > 0 || row->zero != NULL,
                      "%s: what does 0 mean?", row->key);
        if (row->kind == CONFIG_MAP || row->kind == CONFIG_MAPS) {
            ck_assert_int_lt(depth + 1, COUNT(parents));
            parents[++depth] = row;
            row = NULL;
        }
    }
    ck_assert_uint_gt(count, 60);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("config");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_path_has_its_line, 0, COUNT(places));
    tcase_add_test(tc, a_key_that_was_not_read_is_told_from_one_that_was);
    tcase_add_loop_test(tc, what_is_no_yaml_has_the_line_on_which_that_shows, 0, COUNT(broken));
    tcase_add_test(tc, a_file_that_is_not_there_has_no_line);
    tcase_add_test(tc, the_command_line_has_the_defaults_of_the_file);
    tcase_add_loop_test(tc, a_number_is_decimal_digits_and_nothing_else, 0, COUNT(values));
    tcase_add_test(tc, each_row_of_the_table_is_sound);
    suite_add_tcase(s, tc);
    return s;
}
