/* SPDX-License-Identifier: MIT
 *
 * print.h - hooklined --print-defaults: a commented configuration from the rows of table.h.
 */
#ifndef DAEMON_CONF_PRINT_H
#define DAEMON_CONF_PRINT_H

void config_print_defaults(void); /* to standard output */

#endif
