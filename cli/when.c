/* SPDX-License-Identifier: MIT */
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../daemon/clock.h"
#include "../daemon/moment.h"
#include "../daemon/notice.h"

enum {
    DIGITS_MAX = 9
};

static bool read_ago(const char *text, int64_t *us)
{
    static const char units[] = "smhd";
    static const int64_t seconds[] = {1, 60, 3600, 86400};
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] == '\0' ? NULL : strchr(units, text[digits]);

    if (digits == 0 || digits > DIGITS_MAX || unit == NULL || text[digits + 1] != '\0')
        return false;
    *us = 0;
    for (size_t i = 0; i < digits; i++)
        *us = *us * 10 + (text[i] - '0');
    *us *= seconds[unit - units] * 1000000;
    return true;
}

bool when_read(const char *text, int64_t now_us, char moment[WHEN_TEXT_SIZE])
{
    int64_t us, ago_us;

    moment[0] = '\0';
    if (read_ago(text, &ago_us))
        us = ago_us < now_us ? now_us - ago_us : 0;
    else if (!moment_read(text, &us))
        return false;
    snprintf(moment, WHEN_TEXT_SIZE, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    return true;
}

bool when_option(const char *name, const char **text, char moment[WHEN_TEXT_SIZE])
{
    if (*text == NULL)
        return true;
    if (!when_read(*text, clock_wall_us(), moment)) {
        notice("--%s: expected a moment such as 2026-11-22T04:00:00Z, seconds since 1970, or 15m, "
               "2h or 7d for so long ago",
               name);
        return false;
    }
    *text = moment;
    return true;
}
