/* SPDX-License-Identifier: MIT */
#include "daemon/base/exits.h"

#include <errno.h>

int process_exit_code(int error)
{
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAILED;
}
