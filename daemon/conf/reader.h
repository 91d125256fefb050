/* SPDX-License-Identifier: MIT
 *
 * reader.h - one YAML file read into a struct config by the rows of table.h.
 *
 * Errors     False with one message, "FILE:LINE: what was found; what to type", about the first
 *            mistake in the file.
 */
#ifndef DAEMON_CONF_READER_H
#define DAEMON_CONF_READER_H

#include <stdbool.h>

struct config;

/* Adds what the file holds. An `included` file may be empty and holds sources and destinations
 * only; their items are added to those that `config` has. */
bool config_reader_read(struct config *config, const char *file, bool included, char *why);

#endif
