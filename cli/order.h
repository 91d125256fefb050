/* SPDX-License-Identifier: MIT
 *
 * order.h - orders for stored deliveries, `replay` and `discard`: selects deliveries by number or by
 * their facts, and has the sink carry out the order for each.
 *
 * Threads    Main thread.
 * Errors     Reported by message_print().
 */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/pages.h"
#include "cli/sink.h"

struct order_options {
    struct sink_options sink;
    struct pages_filter filter;
    int64_t timeout;
    bool dry_run, json;
};

#define ORDER_DEFAULTS                                                                             \
    {                                                                                              \
        .timeout = 30                                                                              \
    }

/* All rows of an order's command. */
#define ORDER_OPTIONS(dry_run_help, json_help)                                                     \
    PAGES_OPTIONS(struct order_options, filter),                                                   \
        FLAG('n', "dry-run", struct order_options, dry_run, dry_run_help),                         \
        FLAG(0, "json", struct order_options, json, json_help),                                    \
        SINK_OPTIONS(struct order_options, sink),                                                  \
        NUMBER(0, "timeout", struct order_options, timeout, "SECONDS", 1, 86400,                   \
               "wait at most SECONDS for each answer; default: 30"),                               \
        OPTIONS_END

struct order_kind {
    const char *verb;       /* also the last part of the path: POST /deliveries/SEQ/verb */
    const char *done;       /* also the answer's count of changed destinations */
    const char *to;         /* between delivery and destination */
    const char *everywhere; /* instead of a destination, if the order names none */
    bool pending_only;      /* only for deliveries that are parked or retrying */
};

/* Runs an order's command on the deliveries with these numbers or, without numbers, on the selected
 * ones, oldest first. Continues after a refusal, and returns OUTCOME_REFUSED at the end. */
enum outcome order_run(const struct order_kind *kind, const struct order_options *options,
                       const char *const *arguments, size_t count);

#endif
