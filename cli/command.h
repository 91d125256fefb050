/* SPDX-License-Identifier: MIT
 *
 * command.h - what a command of the tool is: its name, its options as data, and what it does.
 *
 * All commands read their options in the same way (command_line.h), so all have the same grammar,
 * and their help is written from the same rows.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/conf/config.h"
#include "cli/outcome.h"

enum option_kind {
    OPTION_FLAG,        /* bool */
    OPTION_TEXT,        /* const char *: NULL if it is not given */
    OPTION_AUTHORITIES, /* likewise: a file of certificates that vouch for others */
    OPTION_TEXTS,       /* struct option_texts: may be given more than once */
    OPTION_NUMBER,      /* int64_t, from `min` to `max` */
    OPTION_SECRETS, /* struct option_secrets: @FILE, env:VARIABLE or credential:NAME, likewise */
};

enum {
    OPTION_TEXTS_MAX = 64
};

struct option_texts {
    const char *items[OPTION_TEXTS_MAX];
    size_t count;
};

struct option_secrets {
    struct config_secret items[HOOKLINE_SECRETS_MAX];
    size_t count;
};

/* A row. An empty row ends the list. */
struct option_row {
    const char *name; /* without its dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t at;         /* where in the command's options it is kept */
    const char *value; /* what the help calls it; NULL for a flag */
    const char *help;  /* '\n' begins a further line */
    int64_t min, max;  /* of a number */
};

struct command {
    const char *name;
    const char *arguments; /* what the help calls them; "" if there are none */
    unsigned arguments_min, arguments_max;
    const char *summary; /* one line, without a full stop */
    const char *details; /* lines that follow the options in the help, or NULL */
    const struct option_row *options;
    /* Of the struct that the rows describe; `defaults` is what it holds before they are read, or
     * NULL for zeros. */
    size_t options_size;
    const void *defaults;
    enum outcome (*run)(const void *options, const char *const *arguments, size_t count);
};

extern const struct command command_verify, command_sign, command_send, command_ping, command_wait,
    command_emulate, command_deliveries, command_show, command_replay, command_schemes;

#endif
