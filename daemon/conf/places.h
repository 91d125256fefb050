/* SPDX-License-Identifier: MIT
 *
 * places.h - the file and the line of each key of a configuration.
 *
 * A path joins keys and indexes by "/": "sources/0/scheme"; "" is the file itself. An index counts
 * through all files, as it does in struct config.
 *
 * Ownership  config_places_new() allocates, config_places_free() releases.
 * Threads    Constant once the configuration is read.
 */
#ifndef DAEMON_CONF_PLACES_H
#define DAEMON_CONF_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct config_places;

struct config_places *config_places_new(void); /* NULL on ENOMEM */
void config_places_free(struct config_places **slots);

/* Further paths stand in this file. False on ENOMEM. */
bool config_places_begin(struct config_places *slots, const char *file);
bool config_places_add(struct config_places *slots, const char *path, unsigned line);

/* The place of the path, or of its longest part that was read. NULL if there is none. */
const char *config_places_find(const struct config_places *slots, const char *path, unsigned *line);

/* True if exactly this path was read. */
bool config_places_has(const struct config_places *slots, const char *path);

#endif
