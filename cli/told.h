/* SPDX-License-Identifier: MIT
 *
 * told.h - numbers that have been, so that none is told twice. Pure.
 *
 * Ownership  A zeroed struct is empty; told_free() releases what it holds.
 */
#ifndef CLI_TOLD_H
#define CLI_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct told {
    int64_t *numbers; /* ascending */
    size_t count, size;
};

bool told_has(const struct told *told, int64_t number);

/* False without memory. */
bool told_add(struct told *told, int64_t number);

void told_free(struct told *told);

#endif
