/* SPDX-License-Identifier: MIT
 *
 * sink_config.h - hooklined's own configuration, read by somebody who is not its service.
 */
#ifndef CLI_SINK_CONFIG_H
#define CLI_SINK_CONFIG_H

struct config;

/* Like config_file_read(), but what the service manager would say, where the state is kept, is
 * taken for the usual. For config_free(). Before there are threads. */
struct config *sink_config_read(const char *file, char *why);

#endif
