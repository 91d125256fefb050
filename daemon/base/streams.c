/* SPDX-License-Identifier: MIT */
#include "daemon/base/streams.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void process_reserve_stdio(void)
{
    /* The lowest free number is given, so in this order each gets its own. The one that is read is
     * opened for writing, the others the other way round. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}
