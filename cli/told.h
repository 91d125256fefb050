/* SPDX-License-Identifier: MIT
 *
 * told.h - numbers that have been, so that none is told twice. Pure.
 *
 * Ownership  A zeroed struct is empty; seq_set_free() releases what it holds.
 */
#ifndef CLI_TOLD_H
#define CLI_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seq_set {
    int64_t *numbers; /* ascending */
    size_t count, size;
};

bool seq_set_has(const struct seq_set *told, int64_t number);

/* False without memory. */
bool seq_set_add(struct seq_set *told, int64_t number);

void seq_set_free(struct seq_set *told);

#endif
