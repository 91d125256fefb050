/* SPDX-License-Identifier: MIT */
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Reads exactly `width` digits, then the character `after` unless that is NUL. */
static bool timestamp_read_field(const char **cursor, const char *end, int width, char after,
                                 int *field)
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

static bool calendar_is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int calendar_days_in_month(int year, int month)
{
    static const int days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 2 && calendar_is_leap_year(year));
}

/* Returns the days from 1970-01-01 to January 1 of `year`. */
static int64_t calendar_days_before_year(int64_t year)
{
    int64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static bool timestamp_read_offset(const char *cursor, const char *end, int *seconds)
{
    int hours, minutes;
    int sign;

    *seconds = 0;
    if (end - cursor == 1 && (*cursor == 'Z' || *cursor == 'z'))
        return true;
    if (end - cursor != 6 || (*cursor != '+' && *cursor != '-'))
        return false;
    sign = *cursor++ == '-' ? -1 : 1;
    if (!timestamp_read_field(&cursor, end, 2, ':', &hours) ||
        !timestamp_read_field(&cursor, end, 2, '\0', &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool timestamp_read_clock(const char **cursor, const char *end, int *seconds)
{
    int hour, minute, second;

    if (!timestamp_read_field(cursor, end, 2, ':', &hour) ||
        !timestamp_read_field(cursor, end, 2, ':', &minute) ||
        !timestamp_read_field(cursor, end, 2, '\0', &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

bool hookline_timestamp_read_fraction(const char **cursor, const char *end, int64_t *us)
{
    int64_t unit = 100000;

    *us = 0;
    if (*cursor == end || **cursor != '.')
        return true;
    if (++*cursor == end || **cursor < '0' || **cursor > '9')
        return false;
    for (; *cursor < end && **cursor >= '0' && **cursor <= '9'; ++*cursor, unit /= 10)
        *us += (**cursor - '0') * unit;
    return true;
}

bool hookline_timestamp_read_rfc3339(hookline_bytes text, const char *separators, int64_t *us)
{
    const char *cursor = text.base, *end = text.base + text.len;
    int year, month, day, clock, offset;
    int64_t seconds, fraction;

    if (!timestamp_read_field(&cursor, end, 4, '-', &year) ||
        !timestamp_read_field(&cursor, end, 2, '-', &month) ||
        !timestamp_read_field(&cursor, end, 2, '\0', &day) || cursor == end)
        return false;
    if (month > 12 || day < 1 || day > calendar_days_in_month(year, month))
        return false;
    if (*cursor == '\0' || strchr(separators, *cursor) == NULL ||
        (cursor++, !timestamp_read_clock(&cursor, end, &clock)) ||
        !hookline_timestamp_read_fraction(&cursor, end, &fraction) ||
        !timestamp_read_offset(cursor, end, &offset))
        return false;

    seconds = calendar_days_before_year(year) + day - 1;
    for (int m = 1; m < month; m++)
        seconds += calendar_days_in_month(year, m);
    seconds = seconds * 86400 + clock - offset;
    if (seconds < 0)
        return false;
    *us = seconds * 1000000 + fraction;
    return true;
}

static bool timestamp_read_date(hookline_bytes text, int64_t *seconds)
{
    int64_t us;

    if (!hookline_timestamp_read_rfc3339(text, "Tt", &us))
        return false;
    *seconds = us / 1000000;
    return true;
}

bool hookline_timestamp_read(enum time_unit unit, hookline_bytes text, int64_t *seconds)
{
    /* 10^11: year 5138 in seconds, 1973 in milliseconds. */
    const int64_t surely_milliseconds = 100000000000;

    switch (unit) {
    case TIME_SECONDS:
        break;
    case TIME_MILLISECONDS:
        if (!timestamp_read_number(text, seconds))
            return false;
        *seconds /= 1000;
        return true;
    case TIME_RFC3339:
        return timestamp_read_date(text, seconds);
    case TIME_ANY:
        if (!timestamp_read_number(text, seconds))
            return timestamp_read_date(text, seconds);
        if (*seconds >= surely_milliseconds)
            *seconds /= 1000;
        return true;
    }
    return timestamp_read_number(text, seconds);
}

static size_t timestamp_write_rfc3339(int64_t seconds, char *out)
{
    int64_t days = seconds / 86400;
    int clock = (int)(seconds % 86400), year = 1970, month = 1;

    while (calendar_days_before_year(year + 1) <= days)
        year++;
    days -= calendar_days_before_year(year);
    while (days >= calendar_days_in_month(year, month))
        days -= calendar_days_in_month(year, month++);
    return (size_t)snprintf(out, TIMESTAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
                            (int)days + 1, clock / 3600, clock / 60 % 60, clock % 60);
}

size_t hookline_timestamp_write(enum time_unit unit, int64_t seconds, char *out)
{
    switch (unit) {
    case TIME_SECONDS:
        break;
    case TIME_MILLISECONDS:
        seconds *= 1000;
        break;
    case TIME_RFC3339:
    case TIME_ANY:
        return timestamp_write_rfc3339(seconds, out);
    }
    return (size_t)snprintf(out, TIMESTAMP_SIZE, "%" PRId64, seconds);
}
