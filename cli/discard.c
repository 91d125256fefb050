/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/order.h"

static const struct order_options defaults = ORDER_DEFAULTS;

static const struct option_row rows[] = {
    ORDER_OPTIONS("print the deliveries without discarding them",
                  "print each discard as one line of JSON"),
};

static const struct order_kind discard = {
    .verb = "discard",
    .done = "discarded",
    .to = "at",
    .everywhere = "where parked or retrying",
    .pending_only = true,
};

static enum outcome cmd_discard_run(const void *options, const char *const *arguments, size_t count)
{
    return order_run(&discard, options, arguments, count);
}

const struct command command_discard = {
    .name = "discard",
    .arguments = "[SEQ]...",
    .arguments_max = 64,
    .summary = "Stop forwarding deliveries that are parked or retrying",
    .details = "With SEQ, discards these deliveries wherever they are parked or retrying, or\n"
               "only at --destination. Without SEQ, discards the selected deliveries that are\n"
               "parked, or those in --state retrying, oldest first. A discarded delivery counts\n"
               "as done; it stays in the store, and `hookline replay` forwards it again.\n",
    .options = rows,
    .options_size = sizeof(struct order_options),
    .defaults = &defaults,
    .run = cmd_discard_run,
};
