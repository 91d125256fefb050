/* SPDX-License-Identifier: MIT */
#include "cli/sink_config.h"

#include <stdlib.h>

#include "daemon/conf/config_file.h"

struct config *sink_config_read(const char *file, char *why)
{
    setenv("STATE_DIRECTORY", "/var/lib/hookline", 0);
    return config_file_read(file, why);
}
