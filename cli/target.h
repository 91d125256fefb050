/* SPDX-License-Identifier: MIT
 *
 * target.h - the path and the query of a request, put together with values from outside. Pure.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SINK_TARGET_SIZE = 4096
};

struct sink_target {
    char text[SINK_TARGET_SIZE];
    size_t len;
    bool asks;     /* it has a query */
    bool too_long; /* something did not fit */
};

void sink_target_begin(struct sink_target *target, const char *path);

/* Adds "name=value" with %XX for what needs it; nothing for NULL. */
void sink_target_add(struct sink_target *target, const char *name, const char *value);
void sink_target_add_number(struct sink_target *target, const char *name, int64_t value);

#endif
