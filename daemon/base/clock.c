/* SPDX-License-Identifier: MIT */
#include "daemon/base/clock.h"

#include <pthread.h>
#include <time.h>

static int64_t boot_to_wall_us;

static int64_t clock_read_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

static void clock_fix_boot_offset(void)
{
    boot_to_wall_us = clock_read_us(CLOCK_REALTIME) - clock_read_us(CLOCK_BOOTTIME);
}

int64_t clock_steady_us(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, clock_fix_boot_offset);
    return clock_read_us(CLOCK_BOOTTIME) + boot_to_wall_us;
}
