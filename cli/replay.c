/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/order.h"

static const struct order_options defaults = ORDER_DEFAULTS;

static const struct option_row rows[] = {
    ORDER_OPTIONS("print the deliveries without replaying them",
                  "print each replay as one line of JSON"),
};

static const struct order_kind replay = {
    .verb = "replay",
    .done = "replayed",
    .to = "to",
    .everywhere = "to all its destinations",
};

static enum outcome cmd_replay_run(const void *options, const char *const *arguments, size_t count)
{
    return order_run(&replay, options, arguments, count);
}

const struct command command_replay = {
    .name = "replay",
    .arguments = "[SEQ]...",
    .arguments_max = 64,
    .summary = "Forward stored deliveries to the application again",
    .details = "With SEQ, replays these deliveries to all their destinations, or only to\n"
               "--destination. Without SEQ, replays the selected deliveries that are parked, or\n"
               "in the given --state, oldest first.\n",
    .options = rows,
    .options_size = sizeof(struct order_options),
    .defaults = &defaults,
    .run = cmd_replay_run,
};
