/* SPDX-License-Identifier: MIT
 *
 * config_file.h - a YAML file as a struct config.
 */
#ifndef DAEMON_CONF_CONFIG_FILE_H
#define DAEMON_CONF_CONFIG_FILE_H

struct config;

/* Checks the file against the schema, then as config_complete() does. NULL, and in `why`, which has
 * CONFIG_WHY_SIZE bytes, "FILE:LINE: what is wrong and what was expected". */
struct config *config_file_read(const char *file, char *why);

/* Releases what config_file_read() or the command line made. */
void config_free(struct config **config);

#endif
