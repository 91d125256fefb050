/* SPDX-License-Identifier: MIT
 *
 * Parsing and writing of timestamps.
 */
/* i386 needs both for times after 2038. */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS        64

#include "lib/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/run.h"

static const struct {
    enum time_unit unit;
    const char *text;
    int64_t seconds;
} times[] = {
    {TIME_SECONDS, "0", 0},
    {TIME_SECONDS, "1", 1},
    {TIME_SECONDS, "1800000000", 1800000000},
    {TIME_SECONDS, "9223372036854775807", INT64_MAX},
    {TIME_MILLISECONDS, "0", 0},
    {TIME_MILLISECONDS, "999", 0},
    {TIME_MILLISECONDS, "1800000000999", 1800000000},
    {TIME_RFC3339, "1970-01-01T00:00:00Z", 0},
    {TIME_RFC3339, "2027-01-15T08:00:00Z", 1800000000},
    {TIME_RFC3339, "2027-01-15t08:00:00z", 1800000000},
    {TIME_RFC3339, "2027-01-15T08:00:00.5Z", 1800000000},
    {TIME_RFC3339, "2027-01-15T08:00:00.999999999999Z", 1800000000},
    {TIME_RFC3339, "2027-01-15T09:30:00+01:30", 1800000000},
    {TIME_RFC3339, "2027-01-14T22:00:00-10:00", 1800000000},
    {TIME_RFC3339, "2027-01-15T08:00:00-00:00", 1800000000},
    {TIME_RFC3339, "2027-01-16T07:59:00+23:59", 1800000000},
    {TIME_RFC3339, "1969-12-31T23:59:59-00:01", 59},
    {TIME_RFC3339, "1970-01-01T00:01:00+00:01", 0},
    {TIME_RFC3339, "2000-02-29T00:00:00Z", 951782400},
    {TIME_RFC3339, "2024-02-29T23:59:59Z", 1709251199},
    {TIME_RFC3339, "2100-03-01T00:00:00Z", 4107542400},
    {TIME_RFC3339, "2016-12-31T23:59:60Z", 1483228800},
    {TIME_RFC3339, "9999-12-31T23:59:59Z", INT64_C(253402300799)},
    {TIME_ANY, "2027-01-15T08:00:00Z", 1800000000},
    {TIME_ANY, "1800000000", 1800000000},
    {TIME_ANY, "1800000000999", 1800000000},
    {TIME_ANY, "99999999999", INT64_C(99999999999)},
    {TIME_ANY, "100000000000", 100000000},
};

START_TEST(a_time_is_read)
{
    hookline_bytes text = {times[_i].text, strlen(times[_i].text)};
    int64_t seconds = -1;

    ck_assert(hookline_timestamp_read(times[_i].unit, text, &seconds));
    ck_assert_int_eq(seconds, times[_i].seconds);
}
END_TEST

static const char *const no_numbers[] = {
    "",
    " ",
    "+1",
    "-1",
    "-0",
    "01",
    "00",
    "1 ",
    " 1",
    "1.0",
    "1.",
    ".5",
    "1e9",
    "1/",
    "1:",
    "0x1",
    "1_0",
    "1,0",
    "NaN",
    "inf",
    "abc",
    "1abc",
    "123abc",
    "\t1",
    "1\n",
    "9223372036854775808",
    "99999999999999999999",
    "18446744073709551617",
    "\xd9\xa1",
    "\xff",
};

START_TEST(a_number_that_is_not_canonical_is_no_time)
{
    hookline_bytes text = {no_numbers[_i], strlen(no_numbers[_i])};
    int64_t seconds = -1;

    ck_assert(!hookline_timestamp_read(TIME_SECONDS, text, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_MILLISECONDS, text, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_RFC3339, text, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_ANY, text, &seconds));
    ck_assert_int_eq(seconds, -1);
}
END_TEST

START_TEST(a_nul_byte_ends_no_number)
{
    int64_t seconds = -1;

    ck_assert(!hookline_timestamp_read(TIME_SECONDS, (hookline_bytes){"1\0", 2}, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_SECONDS, (hookline_bytes){NULL, 0}, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_RFC3339,
                                       (hookline_bytes){"2027-01-15\00008:00:00Z", 20}, &seconds));
}
END_TEST

static const struct {
    const char *text; /* it ends at the vertical bar */
    int64_t us;
    int read; /* characters; -1 if it is no fraction */
} fractions[] = {
    {"|", 0, 0},         {"|.5", 0, 0},           {"Z|", 0, 0},
    {".|5", 0, -1},      {".|", 0, -1},           {".Z|", 0, -1},
    {"./|", 0, -1},      {".:|", 0, -1},          {".5|6", 500000, 2},
    {".5/|", 500000, 2}, {".5:|", 500000, 2},     {".123456789|", 123456, 10},
    {".000001|", 1, 7},  {".0000009|", 0, 8},     {".999999|", 999999, 7},
    {".9Z|", 900000, 2}, {".102030|", 102030, 7}, {".0|", 0, 2},
};

START_TEST(a_fraction_is_read_to_the_microsecond)
{
    const char *at = fractions[_i].text, *end = strchr(at, '|');
    char text[16];
    int64_t us = -1;

    snprintf(text, sizeof(text), "%.*s%s", (int)(end - at), at, end + 1);
    end = text + (end - at);
    at = text;
    ck_assert_int_eq(hookline_timestamp_read_fraction(&at, end, &us), fractions[_i].read >= 0);
    if (fractions[_i].read >= 0) {
        ck_assert_int_eq(us, fractions[_i].us);
        ck_assert_int_eq(at - text, fractions[_i].read);
    }
}
END_TEST

START_TEST(a_date_is_read_to_the_microsecond_with_the_separators_of_the_caller)
{
    hookline_bytes date = {"2027-01-15 08:00:00.25Z", 23};
    int64_t us = -1;

    ck_assert(hookline_timestamp_read_rfc3339(date, "Tt ", &us));
    ck_assert_int_eq(us, INT64_C(1800000000250000));
    ck_assert(!hookline_timestamp_read_rfc3339(date, "Tt", &us));
    ck_assert(!hookline_timestamp_read_rfc3339(date, "", &us));
}
END_TEST

static const char *const no_dates[] = {
    "2027-01-15",
    "2027-01-15T",
    "2027-01-15T08:00:00",
    "2027-01-15T08:00Z",
    "2027-01-15 08:00:00Z",
    "2027-1-15T08:00:00Z",
    "27-01-15T08:00:00Z",
    "12027-01-15T08:00:00Z",
    "2027-00-15T08:00:00Z",
    "2027-13-15T08:00:00Z",
    "2027-01-00T08:00:00Z",
    "2027-01-32T08:00:00Z",
    "2027-02-29T08:00:00Z",
    "2100-02-29T08:00:00Z",
    "2027-04-31T08:00:00Z",
    "2027-00-01T08:00:00Z",
    "2027-12-32T08:00:00Z",
    "2o27-01-15T08:00:00Z",
    "2027-01-1xT08:00:00Z",
    "2027-01-15T08:00:0/Z",
    "2027-01-15T08:00:0:Z",
    "2027-01-15T08:00:Z",
    "2027-01-15T08:Z",
    "2027-01-15T0x:00:00Z",
    "2027-01-15T08:00:00./Z",
    "2027-01-15T08:00:00.:Z",
    "2027-01-15T08:00:00.5/Z",
    "2027-01-15T08:00:00.5:Z",
    "2027-01-15T08:00:00+0x:00",
    "2027-01-15T08:00:00+01:0x",
    "2027-01-15T08:00:00+01-00",
    "2027-01-15T24:00:00Z",
    "2027-01-15T08:60:00Z",
    "2027-01-15T08:00:61Z",
    "2027-01-15T08:00:00.Z",
    "2027-01-15T08:00:00,5Z",
    "2027-01-15T08:00:00.5",
    "2027-01-15T08:00:00+1:00",
    "2027-01-15T08:00:00+01",
    "2027-01-15T08:00:00+0100",
    "2027-01-15T08:00:00+24:00",
    "2027-01-15T08:00:00+01:60",
    "2027-01-15T08:00:00ZZ",
    "2027-01-15T08:00:00Z ",
    " 2027-01-15T08:00:00Z",
    "+027-01-15T08:00:00Z",
    "1969-12-31T23:59:59Z",
    "1900-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00+00:01",
    "20270115T080000Z",
    "Fri, 15 Jan 2027 08:00:00 GMT",
};

START_TEST(a_date_that_there_is_not_is_no_time)
{
    hookline_bytes text = {no_dates[_i], strlen(no_dates[_i])};
    int64_t seconds = -1;

    ck_assert(!hookline_timestamp_read(TIME_RFC3339, text, &seconds));
    ck_assert(!hookline_timestamp_read(TIME_ANY, text, &seconds));
    ck_assert_int_eq(seconds, -1);
}
END_TEST

START_TEST(no_beginning_of_a_date_is_one)
{
    int64_t seconds;

    ck_assert(!hookline_timestamp_read(
        TIME_RFC3339, (hookline_bytes){"2027-01-15T08:00:00.25+01:00", (size_t)_i}, &seconds));
}
END_TEST

static const enum time_unit units[] = {TIME_SECONDS, TIME_MILLISECONDS, TIME_RFC3339, TIME_ANY};

/* Steps from 1970 to 9999 by about three years and an odd number of seconds. */
START_TEST(what_is_written_is_read_again)
{
    for (int64_t wanted = 0; wanted < INT64_C(253402300800); wanted += 98765431) {
        char text[TIMESTAMP_SIZE];
        hookline_bytes written = {text, hookline_timestamp_write(units[_i], wanted, text)};
        int64_t seconds = -1;

        ck_assert(hookline_timestamp_read(units[_i], written, &seconds));
        ck_assert_int_eq(seconds, wanted);
    }
}
END_TEST

START_TEST(the_calendar_is_that_of_the_c_library)
{
    for (int64_t at = 0; at < INT64_C(253402300800); at += 98765431) {
        char ours[TIMESTAMP_SIZE], theirs[TIMESTAMP_SIZE];
        time_t t = (time_t)at;

        hookline_timestamp_write(TIME_RFC3339, at, ours);
        strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
        ck_assert_str_eq(ours, theirs);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("timestamp");
    TCase *tc = tcase_create("timestamp");

    tcase_add_loop_test(tc, a_time_is_read, 0, COUNT(times));
    tcase_add_loop_test(tc, a_number_that_is_not_canonical_is_no_time, 0, COUNT(no_numbers));
    tcase_add_test(tc, a_nul_byte_ends_no_number);
    tcase_add_loop_test(tc, a_fraction_is_read_to_the_microsecond, 0, COUNT(fractions));
    tcase_add_test(tc, a_date_is_read_to_the_microsecond_with_the_separators_of_the_caller);
    tcase_add_loop_test(tc, a_date_that_there_is_not_is_no_time, 0, COUNT(no_dates));
    tcase_add_loop_test(tc, no_beginning_of_a_date_is_one, 0, 28);
    tcase_add_loop_test(tc, what_is_written_is_read_again, 0, COUNT(units));
    tcase_add_test(tc, the_calendar_is_that_of_the_c_library);
    suite_add_tcase(s, tc);
    return s;
}
