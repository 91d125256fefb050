/* SPDX-License-Identifier: MIT
 *
 * A module that tests preload into hooklined: the wall clock returns the seconds in the file
 * $CLOCK_FILE, the monotonic clock those in $MONOTONIC_CLOCK_FILE. A clock without a file is real,
 * so timeouts work.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *file_of(clockid_t id)
{
    switch (id) {
    case CLOCK_REALTIME:
        return getenv("CLOCK_FILE");
    case CLOCK_MONOTONIC:
        return getenv("MONOTONIC_CLOCK_FILE");
    default:
        return NULL;
    }
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    const char *path = file_of(id);
    char text[32];
    ssize_t len;
    int fd;

    if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return (int)syscall(SYS_clock_gettime, id, now);
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    *now = (struct timespec){.tv_sec = strtoll(text, NULL, 10)};
    return 0;
}
