/* SPDX-License-Identifier: MIT */
#include "command.h"

static const struct option_row rows[] = {{NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0}};

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    (void)options, (void)arguments, (void)count;
    return OUTCOME_USAGE;
}

const struct command command_ping = {
    .name = "ping", .arguments = "", .summary = "to come", .options = rows, .run = run};
