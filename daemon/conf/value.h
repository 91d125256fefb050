/* SPDX-License-Identifier: MIT
 *
 * value.h - the fields of a struct config, found by the rows of table.h: defaults,
 * new items of lists, and their release.
 */
#ifndef DAEMON_CONF_VALUE_H
#define DAEMON_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf/table.h"

/* Sets the fields of `map`, which is zero, to their defaults. `parent` is NULL for a struct config.
 */
void config_value_fill(const struct config_row *parent, void *map);

/* The struct of a mapping in `map`, allocated if it is a pointer. NULL on ENOMEM. */
void *config_value_map(const struct config_row *row, void *map);

/* A new last item of a list in `map`; a struct has its defaults. NULL on ENOMEM. */
void *config_value_add(const struct config_row *list, void *map);

unsigned config_value_count(const struct config_row *list, const void *map);

bool config_value_set_number(const struct config_row *row, void *map, uint64_t number);

/* Releases what the fields of `map` hold, but not `map`. */
void config_value_free(const struct config_row *parent, void *map);

#endif
