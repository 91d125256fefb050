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
    TARGET_SIZE = 4096
};

struct target {
    char text[TARGET_SIZE];
    size_t len;
    bool asks;     /* it has a query */
    bool too_long; /* something did not fit */
};

void target_begin(struct target *target, const char *path);

/* Adds "name=value" with %XX for what needs it; nothing for NULL. */
void target_add(struct target *target, const char *name, const char *value);
void target_add_number(struct target *target, const char *name, int64_t value);

#endif
