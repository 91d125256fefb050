/* SPDX-License-Identifier: MIT */
#include "daemon/base/iso_time.h"

#include <stdio.h>
#include <time.h>

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
