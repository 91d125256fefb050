/* SPDX-License-Identifier: MIT
 *
 * options.h - the command line.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "daemon/conf/config.h"

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_CHECK,
    OPTIONS_DEFAULTS,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG, /* `why` says what */
};

struct options {
    enum options_mode mode;
    const char *file;      /* the configuration to read, or NULL ... */
    struct config *config; /* ... and the one that the command line gives: the caller's */
    char why[CONFIG_WHY_SIZE];
};

struct options options_read(int argc, char *argv[]);
void options_help(void); /* to standard output */

#endif
