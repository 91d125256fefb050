/* SPDX-License-Identifier: MIT
 *
 * options.h - the command line of hooklined.
 *
 * Ownership  The caller frees options.config; options.file and options.ready point into argv.
 * Threads    The main thread.
 * Errors     mode OPTIONS_WRONG with the reason in options.why.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "daemon/conf/config.h"

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_CHECK,
    OPTIONS_READY, /* ask the running hooklined at `ready` */
    OPTIONS_DEFAULTS,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG, /* usage error */
};

struct options {
    enum options_mode mode;
    const char *file;      /* --config FILE, or NULL: `config` holds the configuration */
    const char *ready;     /* --ready ADDRESS */
    struct config *config; /* the configuration from the other options */
    char why[CONFIG_WHY_SIZE];
};

/* Reads the command line. */
struct options options_read(int argc, char *argv[]);

/* Prints the help to standard output. */
void options_help(void);

#endif
