/* SPDX-License-Identifier: MIT
 *
 * command_line.h - command-line options as table rows, for hooklined and each command of hookline.
 *
 * A row parses its option and is its entry in --help. Each macro is one row; OPTIONS_END ends the
 * table:
 *
 *     FLAG('j', "json", struct options, json, "print one JSON object"),
 *     NUMBER('t', "timeout", struct options, timeout, "SECONDS", 1, 86400, "for all; default: 30"),
 *
 * Ownership  Texts point into argv. command_line_free() frees the members of secrets.
 * Threads    One; getopt_long() has global state.
 * Errors     COMMAND_LINE_WRONG with a message in `why`.
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
    OPTION_LAST,    /* bool; ends the parsing */
    OPTION_TEXT,    /* const char *, NULL if not given; the last one wins */
    OPTION_ONCE,    /* const char *; a second one is an error */
    OPTION_CHECKED, /* const char * for which problem() returns NULL */
    OPTION_TEXTS,   /* struct option_texts; repeatable */
    OPTION_NUMBER,  /* int64_t, `min` to `max` */
    OPTION_SECRETS, /* struct option_secrets: @FILE, env:VARIABLE or credential:NAME; repeatable */
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
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t at;                                /* offset in the struct of options */
    const char *value;                        /* placeholder in the help; NULL for a flag */
    const char *help;                         /* '\n' starts another line */
    int64_t min, max;                         /* range of a number */
    const char *(*problem)(const char *text); /* returns NULL for a valid text */
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
    COMMAND_LINE_READ,  /* optind is the first argument after the options */
    COMMAND_LINE_ENDED, /* an OPTION_LAST ended the parsing */
    COMMAND_LINE_HELP,  /* -h or --help, which need no row */
    COMMAND_LINE_WRONG, /* message in `why` */
};

/* Parses the options after argv[0] into the struct that the rows describe. */
enum command_line_result command_line_read(const struct option_row *rows, void *options, int argc,
                                           char *argv[], char why[OPTION_WHY_SIZE]);

/* Prints the help of all rows, and of --help, to standard output. */
void command_line_help(const struct option_row *rows);

void command_line_free(const struct option_row *rows, void *options);

#endif
