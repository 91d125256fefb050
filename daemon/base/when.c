/* SPDX-License-Identifier: MIT */
#include "daemon/base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/moment.h"
#include "daemon/base/notice.h"

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
