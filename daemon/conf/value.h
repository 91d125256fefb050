/* SPDX-License-Identifier: MIT
 *
 * value.h - fields of a struct config by the rows of table.h: defaults, list items, release.
 *
 * Errors     NULL or false on ENOMEM.
 */
#ifndef DAEMON_CONF_VALUE_H
#define DAEMON_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf/table.h"

/* Sets the fields of a zeroed `map` to their defaults. `parent` is NULL for a struct config. */
void config_value_fill(const struct config_row *parent, void *map);

/* Returns the struct of a mapping in `map`, allocated with defaults if the field is a pointer. */
void *config_value_map(const struct config_row *row, void *map);

/* Appends an item to a list in `map`, with defaults if it is a struct. Returns the item. */
void *config_value_add(const struct config_row *list, void *map);

unsigned config_value_count(const struct config_row *list, const void *map);

bool config_value_set_number(const struct config_row *row, void *map, uint64_t number);

/* Frees the contents of the fields of `map`, but not `map`. */
void config_value_free(const struct config_row *parent, void *map);

#endif
