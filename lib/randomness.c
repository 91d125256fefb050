/* SPDX-License-Identifier: MIT */
#include "randomness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

bool hookline_randomness_exists(void)
{
    struct stat about;
    unsigned char byte;
    bool found;
    int fd;

    if (getrandom(&byte, 1, GRND_NONBLOCK) == 1 || errno == EAGAIN || errno == EINTR)
        return true;
    if ((fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    found = fstat(fd, &about) == 0 && S_ISCHR(about.st_mode);
    close(fd);
    return found;
}
