/* SPDX-License-Identifier: MIT */
#include "daemon/base/rfc3339.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/timestamp.h"

static const int64_t rfc3339_end_us = INT64_C(253402300799999999);

/* Writes `count` digits that end before `end`. */
static void rfc3339_put_digits(char *end, int number, int count)
{
    while (count-- > 0) {
        *--end = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Without strftime() and snprintf(), because each log line has times. */
void rfc3339_write(char out[RFC3339_SIZE], int64_t wall_us)
{
    static const char form[RFC3339_SIZE] = "0000-00-00T00:00:00.000Z";
    int64_t us = wall_us < 0 ? 0 : wall_us > rfc3339_end_us ? rfc3339_end_us : wall_us;
    time_t seconds = (time_t)(us / 1000000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    memcpy(out, form, sizeof(form));
    rfc3339_put_digits(out + 4, utc.tm_year + 1900, 4);
    rfc3339_put_digits(out + 7, utc.tm_mon + 1, 2);
    rfc3339_put_digits(out + 10, utc.tm_mday, 2);
    rfc3339_put_digits(out + 13, utc.tm_hour, 2);
    rfc3339_put_digits(out + 16, utc.tm_min, 2);
    rfc3339_put_digits(out + 19, utc.tm_sec, 2);
    rfc3339_put_digits(out + 23, (int)(us / 1000 % 1000), 3);
}

static bool rfc3339_read_epoch(hookline_bytes text, int64_t *us)
{
    const char *cursor = text.base, *end = text.base + text.len;
    int64_t seconds = 0, fraction;

    for (; *cursor >= '0' && *cursor <= '9' && cursor - text.base < 12; cursor++)
        seconds = seconds * 10 + (*cursor - '0');
    if (cursor == text.base || !hookline_timestamp_read_fraction(&cursor, end, &fraction) ||
        cursor != end)
        return false;
    *us = seconds * 1000000 + fraction;
    return true;
}

bool rfc3339_read(const char *text, int64_t *us)
{
    hookline_bytes bytes = {text, strlen(text)};

    return rfc3339_read_epoch(bytes, us) || hookline_timestamp_read_rfc3339(bytes, "Tt ", us);
}

/* ---- ages */

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
