/* SPDX-License-Identifier: MIT
 *
 * places.h - file and line of each key of a configuration.
 *
 * A path joins keys and indexes with "/", such as "sources/0/scheme"; "" is the file itself.
 * Indexes count across all files, as in struct config.
 *
 * Ownership  config_places_new() allocates, config_places_free() frees.
 * Threads    Immutable after the configuration is read.
 * Errors     NULL or false on ENOMEM.
 */
#ifndef DAEMON_CONF_PLACES_H
#define DAEMON_CONF_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct config_places;

struct config_places *config_places_new(void);
void config_places_free(struct config_places **places);

/* Sets the file of the paths that follow. */
bool config_places_begin(struct config_places *places, const char *file);
bool config_places_add(struct config_places *places, const char *path, unsigned line);

/* Returns the file of the path, or of its nearest known ancestor, and sets *line; NULL if none. */
const char *config_places_find(const struct config_places *places, const char *path,
                               unsigned *line);

/* True if the path itself is known. */
bool config_places_has(const struct config_places *places, const char *path);

#endif
