/* SPDX-License-Identifier: MIT */
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>

static bool timestamp_read_number(hookline_bytes text, int64_t *number)
{
    int64_t value = 0;

    if (text.len == 0 || (text.base[0] == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.base[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *number = value;
    return true;
}

/* Exactly `width` digits at *cursor, then the character `after`, if it is not NUL. */
static bool read_field(const char **cursor, const char *end, int width, char after, int *field)
{
    *field = 0;
    if (end - *cursor < width + (after != '\0'))
        return false;
    for (int i = 0; i < width; i++) {
        int digit = *(*cursor)++ - '0';

        if (digit < 0 || digit > 9)
            return false;
        *field = *field * 10 + digit;
    }
    return after == '\0' || *(*cursor)++ == after;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* The days from 1970-01-01 to the first day of a year. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static bool read_offset(const char *cursor, const char *end, int *seconds)
{
    int hours, minutes;
    int sign;

    *seconds = 0;
    if (end - cursor == 1 && (*cursor == 'Z' || *cursor == 'z'))
        return true;
    if (end - cursor != 6 || (*cursor != '+' && *cursor != '-'))
        return false;
    sign = *cursor++ == '-' ? -1 : 1;
    if (!read_field(&cursor, end, 2, ':', &hours) || !read_field(&cursor, end, 2, '\0', &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool read_clock(const char **cursor, const char *end, int *seconds)
{
    int hour, minute, second;

    if (!read_field(cursor, end, 2, ':', &hour) || !read_field(cursor, end, 2, ':', &minute) ||
        !read_field(cursor, end, 2, '\0', &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

static bool skip_fraction(const char **cursor, const char *end)
{
    const char *start = *cursor;

    if (start == end || *start != '.')
        return true;
    do {
        ++*cursor;
    } while (*cursor < end && **cursor >= '0' && **cursor <= '9');
    return *cursor - start > 1;
}

/* RFC 3339, section 5.6 */
static bool read_rfc3339(hookline_bytes text, int64_t *seconds)
{
    const char *cursor = text.base, *end = text.base + text.len;
    int year, month, day, clock, offset;
    int64_t days;

    if (!read_field(&cursor, end, 4, '-', &year) || !read_field(&cursor, end, 2, '-', &month) ||
        !read_field(&cursor, end, 2, '\0', &day) || cursor == end)
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if ((*cursor != 'T' && *cursor != 't') || (cursor++, !read_clock(&cursor, end, &clock)) ||
        !skip_fraction(&cursor, end) || !read_offset(cursor, end, &offset))
        return false;

    days = days_before_year(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in_month(year, m);
    if (days * 86400 + clock < offset)
        return false;
    *seconds = days * 86400 + clock - offset;
    return true;
}

bool timestamp_read(enum time_unit unit, hookline_bytes text, int64_t *seconds)
{
    /* As seconds this is the year 5138, as milliseconds it is 1973. */
    const int64_t surely_milliseconds = 100000000000;

    switch (unit) {
    case TIME_SECONDS:
        return timestamp_read_number(text, seconds);
    case TIME_MILLISECONDS:
        if (!timestamp_read_number(text, seconds))
            return false;
        *seconds /= 1000;
        return true;
    case TIME_RFC3339:
        return read_rfc3339(text, seconds);
    case TIME_ANY:
        if (!timestamp_read_number(text, seconds))
            return read_rfc3339(text, seconds);
        if (*seconds >= surely_milliseconds)
            *seconds /= 1000;
        return true;
    }
    return false;
}

static size_t write_rfc3339(int64_t seconds, char *out)
{
    int64_t days = seconds / 86400;
    int clock = (int)(seconds % 86400), year = 1970, month = 1;

    while (days_before_year(year + 1) <= days)
        year++;
    days -= days_before_year(year);
    while (days >= days_in_month(year, month))
        days -= days_in_month(year, month++);
    return (size_t)snprintf(out, TIMESTAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
                            (int)days + 1, clock / 3600, clock / 60 % 60, clock % 60);
}

size_t timestamp_write(enum time_unit unit, int64_t seconds, char *out)
{
    switch (unit) {
    case TIME_SECONDS:
        return (size_t)snprintf(out, TIMESTAMP_SIZE, "%" PRId64, seconds);
    case TIME_MILLISECONDS:
        return (size_t)snprintf(out, TIMESTAMP_SIZE, "%" PRId64, seconds * 1000);
    case TIME_RFC3339:
    case TIME_ANY:
        return write_rfc3339(seconds, out);
    }
    return 0;
}
