/* SPDX-License-Identifier: MIT
 *
 * config_file.h - a YAML file, and the files that it includes, as a struct config.
 *
 * Ownership  config_new() and config_file_read() allocate, config_free() releases.
 */
#ifndef DAEMON_CONF_CONFIG_FILE_H
#define DAEMON_CONF_CONFIG_FILE_H

struct config;

/* Holds the default of each key, and no list has an item. NULL on ENOMEM. */
struct config *config_new(void);

/* A new last item, with its defaults, of a list in `map`, which is a struct config or an item:
 * config_add("sources.secrets", source). NULL on ENOMEM. */
void *config_add(const char *key, void *map);

/* Reads the file, then calls config_complete(). NULL, and in `why`, which has CONFIG_WHY_SIZE
 * bytes, "FILE:LINE: what was found; what to type". */
struct config *config_file_read(const char *file, char *why);

/* Reads the file like config_file_read(), but outside of its service: the state folder that the
 * service manager would set is taken to be /var/lib/hookline. Call it before threads start. */
struct config *config_file_read_outside(const char *file, char *why);

void config_free(struct config **config);

#endif
