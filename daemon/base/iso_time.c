/* SPDX-License-Identifier: MIT */
#include "daemon/base/iso_time.h"

#include <stdio.h>
#include <time.h>

static const int64_t end_us = INT64_C(253402300799999999);

void iso_time_write(char out[ISO_TIME_SIZE], int64_t wall_us)
{
    int64_t us = wall_us < 0 ? 0 : wall_us > end_us ? end_us : wall_us;
    time_t seconds = (time_t)(us / 1000000);
    char date[ISO_TIME_SIZE - 5];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, ISO_TIME_SIZE, "%s.%03dZ", date, (int)(us / 1000 % 1000));
}
