/* SPDX-License-Identifier: MIT
 *
 * command_line.h - options as rows, for hooklined and for each command of the tool: a row reads its
 * option and is its line of --help.
 *
 * Each macro is one row of a table that ends with OPTIONS_END:
 *
 *     FLAG('j', "json", struct options, json, "print one JSON object"),
 *     NUMBER('t', "timeout", struct options, timeout, "SECONDS", 1, 86400, "for all; default: 30"),
 *
 * Ownership  Texts are those of argv. command_line_free() releases what secrets hold.
 */
#ifndef DAEMON_CONF_COMMAND_LINE_H
#define DAEMON_CONF_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/conf/config.h"

enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_LAST,    /* bool; what follows it is not read */
    OPTION_TEXT,    /* const char *: NULL if it is not given; of several the last counts */
    OPTION_ONCE,    /* likewise, but given twice it is an error */
    OPTION_CHECKED, /* likewise: a text for which the row's problem() returns NULL */
    OPTION_TEXTS,   /* struct option_texts: may be given more than once */
    OPTION_NUMBER,  /* int64_t, from `min` to `max` */
    OPTION_SECRETS, /* struct option_secrets: @FILE, env:VARIABLE or credential:NAME, likewise */
};

enum {
    OPTION_TEXTS_MAX = 64,
    OPTION_WHY_SIZE = CONFIG_WHY_SIZE,
};

struct option_texts {
    const char *items[OPTION_TEXTS_MAX];
    size_t count;
};

struct option_secrets {
    struct config_secret items[HOOKLINE_SECRETS_MAX];
    size_t count;
};

struct option_row {
    const char *name; /* without its dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t at;                                /* offset in the struct of options */
    const char *value;                        /* what the help calls it; NULL for a flag */
    const char *help;                         /* '\n' begins a further line */
    int64_t min, max;                         /* of a number */
    const char *(*problem)(const char *text); /* of a checked text; NULL if there is none */
};

#define OPTION_ROW(letter, name, kind, type, member, value, help, min, max)                        \
    {                                                                                              \
        name, letter, OPTION_##kind, offsetof(type, member), value, help, min, max, NULL           \
    }
#define FLAG(letter, name, type, member, help)                                                     \
    OPTION_ROW(letter, name, FLAG, type, member, NULL, help, 0, 0)
#define LAST(letter, name, type, member, help)                                                     \
    OPTION_ROW(letter, name, LAST, type, member, NULL, help, 0, 0)
#define TEXT(letter, name, type, member, value, help)                                              \
    OPTION_ROW(letter, name, TEXT, type, member, value, help, 0, 0)
#define ONCE(letter, name, type, member, value, help)                                              \
    OPTION_ROW(letter, name, ONCE, type, member, value, help, 0, 0)
#define TEXTS(letter, name, type, member, value, help)                                             \
    OPTION_ROW(letter, name, TEXTS, type, member, value, help, 0, 0)
#define CHECKED(letter, name, type, member, value, problem, help)                                  \
    {                                                                                              \
        name, letter, OPTION_CHECKED, offsetof(type, member), value, help, 0, 0, problem           \
    }
#define NUMBER(letter, name, type, member, value, min, max, help)                                  \
    OPTION_ROW(letter, name, NUMBER, type, member, value, help, min, max)
#define SECRET(letter, name, type, member, value, help)                                            \
    OPTION_ROW(letter, name, SECRETS, type, member, value, help, 0, 0)
#define OPTIONS_END                                                                                \
    {                                                                                              \
        NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL                                            \
    }

enum command_line_result {
    COMMAND_LINE_READ,  /* optind is the first argument that is no option */
    COMMAND_LINE_ENDED, /* by an OPTION_LAST */
    COMMAND_LINE_HELP,  /* -h or --help, which need no row */
    COMMAND_LINE_WRONG, /* with `why` */
};

/* Reads the options behind argv[0] into the struct that the rows describe. */
enum command_line_result command_line_read(const struct option_row *rows, void *options, int argc,
                                           char *argv[], char why[OPTION_WHY_SIZE]);

/* Writes the rows, and that of --help, to standard output. */
void command_line_help(const struct option_row *rows);

void command_line_free(const struct option_row *rows, void *options);

#endif
