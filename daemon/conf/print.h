/* SPDX-License-Identifier: MIT
 *
 * print.h - a configuration to begin with, written from the rows of table.h, for
 * hooklined --print-defaults.
 */
#ifndef DAEMON_CONF_PRINT_H
#define DAEMON_CONF_PRINT_H

void config_print_defaults(void); /* to standard output */

#endif
