/* SPDX-License-Identifier: MIT
 *
 * Lists of signatures in a header, up to their borders.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

#define PAIRS                                                                                      \
    "signature S; list pairs comma v1; timestamp pair t seconds; encoding hex; "                   \
    "content {timestamp}.{body}"
#define BARE "signature S; list bare; prefix v0=; encoding hex; content {body}"

static struct delivery d;

static void drop(void)
{
    delivery_free(&d);
}

/* Signs by BARE, and writes the signature `count` times, each with a comma behind it, then `last`. */
static void deliver_repeated(int count, const char *last)
{
    char one[128], list[4096] = "";
    int len = 0;

    deliver_custom(&d, BARE);
    snprintf(one, sizeof(one), "%.*s,", (int)d.header[0].value.len, d.header[0].value.base);
    for (int i = 0; i < count; i++)
        len += snprintf(list + len, sizeof(list) - (size_t)len, "%s", one);
    snprintf(list + len, sizeof(list) - (size_t)len, "%s", last);
    set_header(&d, "S", list);
}

/* Puts `between` in front of the key of the signature, and `behind` behind the end of the header. */
static void put_around(const char *between, const char *behind)
{
    char list[256];
    const char *value = d.header[0].value.base, *key = strstr(value, "v1=");
    int len = snprintf(list, sizeof(list), "%.*s%s%s", (int)(key - value), value, between, key);

    snprintf(list + len, sizeof(list) - (size_t)len, "%s", behind);
    set_header(&d, "S", list);
    d.header[0].value.len = (size_t)len;
}

static const struct {
    const char *between, *behind, *verdict;
} entries[] = {
    {"", "", "verified"},
    {"x=1, ", "", "verified"},
    {" \tx = 1\t ,\t", "", "verified"},
    {",", "", "invalid_signature_format"},
    {" ,", "", "invalid_signature_format"},
    {"\t \t,", "", "invalid_signature_format"},
    {"x,", "", "invalid_signature_format"},
    {"=,", "", "verified"},
    {"x=,", "", "verified"},
    {"t=1,", "", "invalid_signature_format"},
    {"", "0", "verified"},
    {"", ",=", "verified"},
};

START_TEST(each_entry_of_a_list_of_pairs_is_a_pair)
{
    deliver_custom(&d, PAIRS);
    put_around(entries[_i].between, entries[_i].behind);
    ck_assert_str_eq(verdict(&d), entries[_i].verdict);
}
END_TEST

static const char *const rests[] = {"=", " =", "  =x", "\t\t"};

START_TEST(an_empty_entry_at_the_end_is_no_pair_whatever_stands_behind_the_header)
{
    deliver_custom(&d, PAIRS);
    put_around("", "");
    put_around("", ",");
    d.header[0].value.len++;
    snprintf(d.value[0] + d.header[0].value.len, 16, "%s", rests[_i]);
    ck_assert_str_eq(verdict(&d), "invalid_signature_format");
}
END_TEST

static const struct {
    int count;
    const char *last, *verdict;
} repeated[] = {
    {31, "v0=000000000000000000000000000000000000000000000000000000000000000000", "verified"},
    {31, "v0=00000000000000000000000000000000000000000000000000000000000000", "verified"},
    {31, "v0=", "verified"},
    {32, "", "verified"},
    {32, "v1=", "verified"},
    {32, "v0=", "invalid_signature_format"},
    {32, "v0=0", "invalid_signature_format"},
};

START_TEST(of_33_entries_with_the_prefix_each_counts_even_if_it_is_no_signature)
{
    deliver_repeated(repeated[_i].count, repeated[_i].last);
    ck_assert_str_eq(verdict(&d), repeated[_i].verdict);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("claim");
    TCase *tc = tcase_create("claim");

    tcase_add_checked_fixture(tc, NULL, drop);
    tcase_add_loop_test(tc, each_entry_of_a_list_of_pairs_is_a_pair, 0, COUNT(entries));
    tcase_add_loop_test(tc, an_empty_entry_at_the_end_is_no_pair_whatever_stands_behind_the_header,
                        0, COUNT(rests));
    tcase_add_loop_test(tc, of_33_entries_with_the_prefix_each_counts_even_if_it_is_no_signature, 0,
                        COUNT(repeated));
    suite_add_tcase(s, tc);
    return s;
}
