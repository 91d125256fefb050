/* SPDX-License-Identifier: MIT */
#include "cli/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/tls.h"
#include "daemon/base/clock.h"
#include "daemon/base/process.h"
#include "daemon/conf/secret.h"
#include "cli/command.h"

enum {
    ROWS_MAX = 48,
    HELP_COLUMN = 24,
    LONG_ONLY = 256, /* + the row's number: what getopt_long() returns for it */
    HELP = 255
};

struct command_parse {
    const struct command *command;
    char *options; /* the command's struct */
    struct option known[ROWS_MAX + 2];
    char letters[2 * ROWS_MAX + 8];
    bool help;
};

/* ---- help */

static void option_print_help(const struct option_row *row)
{
    char head[80];
    const char *line = row->help, *end;
    int len =
        snprintf(head, sizeof(head), "  %c%c%s --%s%s%s", row->letter == 0 ? ' ' : '-',
                 row->letter == 0 ? ' ' : row->letter, row->letter == 0 ? " " : ",", row->name,
                 row->value == NULL ? "" : " ", row->value == NULL ? "" : row->value);

    printf("%s", head);
    if (len >= HELP_COLUMN - 1) {
        putchar('\n');
        len = 0;
    }
    for (;; line = end + 1, len = 0) {
        end = line + strcspn(line, "\n");
        printf("%*s%.*s\n", HELP_COLUMN - len, "", (int)(end - line), line);
        if (*end == '\0')
            break;
    }
}

static void command_print_help(const struct command *c)
{
    static const struct option_row help = {"help", 'h', OPTION_FLAG, 0, NULL, "show this and exit",
                                           0,      0};

    printf("Usage: hookline %s [OPTION]...%s%s\n\n%s.\n\n", c->name,
           c->arguments[0] == '\0' ? "" : " ", c->arguments, c->summary);
    for (const struct option_row *row = c->options; row->name != NULL; row++)
        option_print_help(row);
    option_print_help(&help);
    if (c->details != NULL)
        printf("\n%s", c->details);
    printf("\nhookline(1) has examples and the exit status.\n");
}

/* ---- values */

static bool option_take_number(const struct command_parse *r, const struct option_row *row,
                               const char *text)
{
    char *end;
    intmax_t number;

    errno = 0;
    number = strtoimax(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < row->min || number > row->max) {
        message_print("--%s: expected a number from %" PRId64 " to %" PRId64, row->name, row->min,
                      row->max);
        return false;
    }
    *(int64_t *)(void *)(r->options + row->at) = number;
    return true;
}

static bool option_take_text(const struct option_row *row, struct option_texts *texts,
                             const char *text)
{
    if (texts->count == OPTION_TEXTS_MAX) {
        message_print("--%s: it is given more than %d times", row->name, OPTION_TEXTS_MAX);
        return false;
    }
    texts->items[texts->count++] = text;
    return true;
}

static bool option_take_secret(const struct option_row *row, struct option_secrets *secrets,
                               const char *text)
{
    if (secrets->count == HOOKLINE_SECRETS_MAX) {
        message_print("--%s: it is given more than %d times", row->name, HOOKLINE_SECRETS_MAX);
        return false;
    }
    if (!secret_parse_location(&secrets->items[secrets->count], text)) {
        message_print(
            "--%s: a secret does not belong on the command line, where everybody can read it; "
            "expected @FILE, env:VARIABLE or credential:NAME",
            row->name);
        return false;
    }
    secrets->count++;
    return true;
}

/* libcurl would find out as late as it needs them, and as if the other side had the trouble. */
static bool option_take_authorities(const struct option_row *row, const char **path,
                                    const char *text)
{
    const char *problem = certificate_file_problem(text);

    *path = text;
    if (problem != NULL)
        message_print("--%s: %s: %s", row->name, text, problem);
    return problem == NULL;
}

/* As a variable of a script is that was never set: the system's error would say no name. */
static bool option_lacks_file_name(const struct option_row *row)
{
    bool file = row->value != NULL && strcmp(row->value, "FILE") == 0;
    bool folder = row->value != NULL && strcmp(row->value, "FOLDER") == 0;

    if ((!file && !folder) || optarg[0] != '\0')
        return false;
    message_print("--%s: expected the name of a %s", row->name, file ? "file" : "folder");
    return true;
}

static bool option_take(const struct command_parse *r, const struct option_row *row)
{
    void *at = r->options + row->at;

    if (option_lacks_file_name(row))
        return false;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return true;
    case OPTION_TEXT:
        *(const char **)at = optarg;
        return true;
    case OPTION_AUTHORITIES:
        return option_take_authorities(row, at, optarg);
    case OPTION_TEXTS:
        return option_take_text(row, at, optarg);
    case OPTION_NUMBER:
        return option_take_number(r, row, optarg);
    case OPTION_SECRETS:
        return option_take_secret(row, at, optarg);
    }
    return false;
}

/* ---- reading */

static void command_list_options(struct command_parse *r)
{
    const struct option_row *rows = r->command->options;
    size_t i, letters = 0;

    r->letters[letters++] = ':'; /* so that a missing value is told from an unknown option */
    for (i = 0; rows[i].name != NULL && i < ROWS_MAX; i++) {
        r->known[i] = (struct option){rows[i].name,
                                      rows[i].kind == OPTION_FLAG ? no_argument : required_argument,
                                      NULL, LONG_ONLY + (int)i};
        if (rows[i].letter == 0)
            continue;
        r->letters[letters++] = rows[i].letter;
        if (rows[i].kind != OPTION_FLAG)
            r->letters[letters++] = ':';
    }
    r->known[i] = (struct option){"help", no_argument, NULL, HELP};
    r->letters[letters] = 'h';
}

static const struct option_row *command_find_option(const struct command_parse *r, int option)
{
    const struct option_row *row = r->command->options;

    if (option >= LONG_ONLY)
        return &row[option - LONG_ONLY];
    while (row->name != NULL && row->letter != option)
        row++;
    return row->name == NULL ? NULL : row;
}

static bool command_option_error(int option, char *argv[])
{
    const char *word = argv[optind - 1];
    int len = (int)strcspn(word, "="); /* behind it may be a secret */

    if (option == ':')
        message_print("%s: expected a value", word);
    else if (optopt >= HELP)
        message_print("%.*s: it takes no value", len, word);
    else if (optopt != 0) /* of several letters in one argument, which is not over */
        message_print("-%c: there is no such option", optopt);
    else
        message_print("%.*s: there is no such option", len, word);
    return false;
}

static bool command_read_options(struct command_parse *r, int argc, char *argv[])
{
    const struct option_row *row;
    int option;

    command_list_options(r);
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, r->letters, r->known, NULL)) != -1) {
        if (option == HELP || option == 'h') {
            r->help = true;
            return true;
        }
        if (option == ':' || option == '?')
            return command_option_error(option, argv);
        row = command_find_option(r, option);
        if (row == NULL || !option_take(r, row))
            return false;
    }
    return true;
}

static bool command_check_arguments(const struct command *c, int count)
{
    if ((unsigned)count >= c->arguments_min && (unsigned)count <= c->arguments_max)
        return true;
    if (c->arguments_max == 0)
        message_print("%s: it takes no arguments but options", c->name);
    else
        message_print("%s: expected %s", c->name, c->arguments);
    return false;
}

static void command_free_secrets(const struct command_parse *r)
{
    for (const struct option_row *row = r->command->options; row->name != NULL; row++) {
        struct option_secrets *secrets = (void *)(r->options + row->at);

        for (size_t i = 0; row->kind == OPTION_SECRETS && i < secrets->count; i++) {
            free(secrets->items[i].file);
            free(secrets->items[i].env);
            free(secrets->items[i].credential);
        }
    }
}

int command_run(const struct command *command, int argc, char *argv[])
{
    struct command_parse r = {.command = command, .options = calloc(1, command->options_size + 1)};
    int code = OUTCOME_USAGE;

    if (r.options == NULL) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if (command->defaults != NULL)
        memcpy(r.options, command->defaults, command->options_size);
    if (command_read_options(&r, argc, argv) &&
        (r.help || command_check_arguments(command, argc - optind))) {
        code = OUTCOME_GOOD;
        if (r.help)
            command_print_help(command);
        else
            code = (int)command->run(r.options, (const char *const *)&argv[optind],
                                     (size_t)(argc - optind));
    } else {
        fprintf(stderr, "Try: hookline %s --help\n", command->name);
    }
    command_free_secrets(&r);
    free(r.options);
    return code;
}

bool option_read_time(const char *name, const char **text, char epoch_text[RFC3339_EPOCH_SIZE])
{
    if (*text == NULL)
        return true;
    if (!rfc3339_read_or_ago(*text, clock_wall_us(), epoch_text)) {
        message_print(
            "--%s: expected a moment such as 2026-11-22T04:00:00Z, seconds since 1970, or 15m, "
            "2h or 7d for so long ago",
            name);
        return false;
    }
    *text = epoch_text;
    return true;
}
