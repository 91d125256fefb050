/* SPDX-License-Identifier: MIT
 *
 * defaults.h - a configuration to begin with, for hooklined --print-defaults: each key, what it is
 * for, and its default.
 *
 * The numbers are those that config.h has; the keys are held against config_file.c by
 * tests/check-manuals.
 */
#ifndef DAEMON_CONF_DEFAULTS_H
#define DAEMON_CONF_DEFAULTS_H

void defaults_print(void); /* to standard output */

#endif
