/* SPDX-License-Identifier: MIT */
#include "daemon/base/rfc3339.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/process.h"

static const int64_t rfc3339_end_us = INT64_C(253402300799999999);

void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us)
{
    int64_t us = wall_us < 0 ? 0 : wall_us > rfc3339_end_us ? rfc3339_end_us : wall_us;
    time_t seconds = (time_t)(us / 1000000);
    char date[RFC3339_SIZE - 5];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, RFC3339_SIZE, "%s.%03dZ", date, (int)(us / 1000 % 1000));
}

/* ---- moment */

/* Takes `count` digits, whose value lies between the two. */
static bool rfc3339_take_number(const char **text, int count, int least, int most, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        int digit = (*text)[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        *number = *number * 10 + digit;
    }
    *text += count;
    return *number >= least && *number <= most;
}

static bool rfc3339_take_one_of(const char **text, const char *these)
{
    for (; *these != '\0'; these++) {
        if (**text == *these) {
            ++*text;
            return true;
        }
    }
    return false;
}

static bool rfc3339_take_fraction(const char **text, int64_t *us)
{
    int64_t unit = 100000;

    *us = 0;
    if (!rfc3339_take_one_of(text, "."))
        return true;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
        *us += (**text - '0') * unit;
    return true;
}

static bool rfc3339_take_offset(const char **text, int *seconds)
{
    bool west = **text == '-';
    int hours, minutes;

    *seconds = 0;
    if (rfc3339_take_one_of(text, "Zz"))
        return true;
    if (!rfc3339_take_one_of(text, "+-") || !rfc3339_take_number(text, 2, 0, 23, &hours) ||
        !rfc3339_take_one_of(text, ":") || !rfc3339_take_number(text, 2, 0, 59, &minutes))
        return false;
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

static int rfc3339_days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool rfc3339_read_date(const char *text, int64_t *us)
{
    struct tm t = {0};
    int year, month, day, offset;
    int64_t fraction;

    if (!rfc3339_take_number(&text, 4, 1970, 9999, &year) || !rfc3339_take_one_of(&text, "-") ||
        !rfc3339_take_number(&text, 2, 1, 12, &month) || !rfc3339_take_one_of(&text, "-") ||
        !rfc3339_take_number(&text, 2, 1, rfc3339_days_of_month(year, month), &day) ||
        !rfc3339_take_one_of(&text, "Tt ") || !rfc3339_take_number(&text, 2, 0, 23, &t.tm_hour) ||
        !rfc3339_take_one_of(&text, ":") || !rfc3339_take_number(&text, 2, 0, 59, &t.tm_min) ||
        !rfc3339_take_one_of(&text, ":") || !rfc3339_take_number(&text, 2, 0, 60, &t.tm_sec) ||
        !rfc3339_take_fraction(&text, &fraction) || !rfc3339_take_offset(&text, &offset) ||
        *text != '\0')
        return false;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    t.tm_mday = day;
    *us = ((int64_t)timegm(&t) - offset) * 1000000 + fraction;
    return *us >= 0;
}

static bool rfc3339_read_epoch(const char *text, int64_t *us)
{
    const char *begin = text;
    int64_t seconds = 0, fraction;

    for (; *text >= '0' && *text <= '9' && text - begin < 12; text++)
        seconds = seconds * 10 + (*text - '0');
    if (text == begin || !rfc3339_take_fraction(&text, &fraction) || *text != '\0')
        return false;
    *us = seconds * 1000000 + fraction;
    return true;
}

bool rfc3339_read(const char *text, int64_t *us)
{
    return rfc3339_read_epoch(text, us) || rfc3339_read_date(text, us);
}

/* ---- when */

enum {
    AGO_DIGITS_MAX = 9
};

static bool rfc3339_read_ago(const char *text, int64_t *ago_s)
{
    static const char units[] = "smhd";
    static const int64_t unit_s[] = {1, 60, 3600, 86400};
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] == '\0' ? NULL : strchr(units, text[digits]);

    if (digits == 0 || digits > AGO_DIGITS_MAX || unit == NULL || text[digits + 1] != '\0')
        return false;
    *ago_s = 0;
    for (size_t i = 0; i < digits; i++)
        *ago_s = *ago_s * 10 + (text[i] - '0');
    *ago_s *= unit_s[unit - units];
    return true;
}

bool rfc3339_read_or_ago(const char *text, int64_t now_us, char epoch_text[RFC3339_EPOCH_SIZE])
{
    int64_t us, ago_s;

    epoch_text[0] = '\0';
    if (rfc3339_read_ago(text, &ago_s))
        us = ago_s < now_us / 1000000 ? now_us - ago_s * 1000000 : 0;
    else if (!rfc3339_read(text, &us))
        return false;
    snprintf(epoch_text, RFC3339_EPOCH_SIZE, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    return true;
}

bool rfc3339_read_option(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE])
{
    if (*text == NULL)
        return true;
    if (!rfc3339_read_or_ago(*text, clock_wall_us(), epoch_text)) {
        message_print(
            "--%s: expected a moment such as 2026-11-22T04:00:00Z, seconds since 1970, or 15m, "
            "2h or 7d for so long ago",
            name);
        return false;
    }
    *text = epoch_text;
    return true;
}
