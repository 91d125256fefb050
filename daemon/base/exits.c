/* SPDX-License-Identifier: MIT */
#include "daemon/base/exits.h"

#include <errno.h>

int exits_of_errno(int error)
{
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAILED;
}
