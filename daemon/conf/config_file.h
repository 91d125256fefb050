/* SPDX-License-Identifier: MIT
 *
 * config_file.h - a struct config with defaults, or read from YAML files by the rows of table.h.
 *
 * Ownership  config_new() and config_file_read() allocate, config_free() frees.
 * Threads    Any; config_file_read_outside() before threads start.
 * Errors     NULL; with `why`, "FILE:LINE: what was found; what to type" about the first mistake.
 */
#ifndef DAEMON_CONF_CONFIG_FILE_H
#define DAEMON_CONF_CONFIG_FILE_H

struct config;

/* Returns a configuration with the default of each key and with empty lists. NULL on ENOMEM. */
struct config *config_new(void);
void config_free(struct config **config);

/* Appends an item, with its defaults, to a list of `map`, a struct config or an item of one:
 * config_add("sources.secrets", source). Returns the item, NULL on ENOMEM. */
void *config_add(const char *key, void *map);

/* Reads the file and the files that it includes, then calls config_complete(). `why` has
 * CONFIG_WHY_SIZE bytes. */
struct config *config_file_read(const char *file, char *why);

/* Like config_file_read(), for a process that systemd did not start: sets $STATE_DIRECTORY to
 * /var/lib/hookline if it is unset. */
struct config *config_file_read_outside(const char *file, char *why);

#endif
