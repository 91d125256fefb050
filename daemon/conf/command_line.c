/* SPDX-License-Identifier: MIT */
#include "daemon/conf/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/secret.h"

enum {
    ROWS_MAX = 48,
    HELP_COLUMN = 24,
    LONG_ONLY = 256, /* getopt_long() returns LONG_ONLY + n for the long option of row n */
    HELP = 255,
};

struct option_reader {
    const struct option_row *rows;
    char *options; /* the struct that the rows describe */
    char *why;
    struct option known[ROWS_MAX + 2];
    char letters[2 * ROWS_MAX + 8];
};

static bool option_fail(const struct option_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool option_fail(const struct option_reader *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->why, OPTION_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* ---- help */

static void option_write_row(const struct option_row *row)
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

void command_line_help(const struct option_row *rows)
{
    static const struct option_row help = {
        .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "show this and exit"};

    for (; rows->name != NULL; rows++)
        option_write_row(rows);
    option_write_row(&help);
}

/* ---- values */

static bool option_takes_value(const struct option_row *row)
{
    return row->kind != OPTION_FLAG && row->kind != OPTION_LAST;
}

static bool option_take_number(const struct option_reader *r, const struct option_row *row)
{
    char *end;
    intmax_t number;

    errno = 0;
    number = strtoimax(optarg, &end, 10);
    if (end == optarg || *end != '\0' || errno != 0 || number < row->min || number > row->max)
        return option_fail(r, "--%s: expected a number from %" PRId64 " to %" PRId64, row->name,
                           row->min, row->max);
    *(int64_t *)(void *)(r->options + row->at) = number;
    return true;
}

static bool option_take_once(const struct option_reader *r, const struct option_row *row,
                             const char **at)
{
    if (*at != NULL)
        return option_fail(r, "--%s given twice; give it once", row->name);
    *at = optarg;
    return true;
}

static bool option_take_text(const struct option_reader *r, const struct option_row *row,
                             struct option_texts *texts)
{
    if (texts->count == OPTION_TEXTS_MAX)
        return option_fail(r, "--%s given more than %d times", row->name, OPTION_TEXTS_MAX);
    texts->items[texts->count++] = optarg;
    return true;
}

static bool option_take_secret(const struct option_reader *r, const struct option_row *row,
                               struct option_secrets *secrets)
{
    if (secrets->count == HOOKLINE_SECRETS_MAX)
        return option_fail(r, "--%s given more than %d times", row->name, HOOKLINE_SECRETS_MAX);
    if (!secret_parse_location(&secrets->items[secrets->count], optarg))
        return option_fail(
            r,
            "--%s: a secret does not belong on the command line, where every user can read it; "
            "expected @FILE, env:VARIABLE or credential:NAME",
            row->name);
    secrets->count++;
    return true;
}

static bool option_take_checked(const struct option_reader *r, const struct option_row *row,
                                const char **text)
{
    const char *problem = row->problem(optarg);

    *text = optarg;
    return problem == NULL || option_fail(r, "--%s: %s: %s", row->name, optarg, problem);
}

/* Rejects an empty file name, such as an unset shell variable, because open()'s error would not show
 * it; and @FILE, the form of other tools and of secrets. */
static bool option_is_name(const struct option_reader *r, const struct option_row *row)
{
    bool file = row->value != NULL && strcmp(row->value, "FILE") == 0;
    bool folder = row->value != NULL && strcmp(row->value, "FOLDER") == 0;
    const char *kind = file ? "file" : "folder";

    if (!file && !folder)
        return true;
    if (optarg[0] == '@')
        return option_fail(r,
                           "--%s: expected the name of a %s without @; a name that begins with @ "
                           "is written ./@NAME",
                           row->name, kind);
    return optarg[0] != '\0' || option_fail(r, "--%s: expected the name of a %s", row->name, kind);
}

static bool option_take(const struct option_reader *r, const struct option_row *row)
{
    void *at = r->options + row->at;

    if (!option_is_name(r, row))
        return false;
    switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_LAST:
        *(bool *)at = true;
        return true;
    case OPTION_TEXT:
        *(const char **)at = optarg;
        return true;
    case OPTION_ONCE:
        return option_take_once(r, row, at);
    case OPTION_CHECKED:
        return option_take_checked(r, row, at);
    case OPTION_TEXTS:
        return option_take_text(r, row, at);
    case OPTION_NUMBER:
        return option_take_number(r, row);
    case OPTION_SECRETS:
        return option_take_secret(r, row, at);
    }
    return false;
}

/* ---- parsing */

static void option_list_known(struct option_reader *r)
{
    const struct option_row *rows = r->rows;
    size_t i, letters = 0;

    r->letters[letters++] = ':'; /* makes getopt_long() return ':' for a missing value */
    for (i = 0; rows[i].name != NULL && i < ROWS_MAX; i++) {
        bool value = option_takes_value(&rows[i]);

        r->known[i] = (struct option){rows[i].name, value ? required_argument : no_argument, NULL,
                                      LONG_ONLY + (int)i};
        if (rows[i].letter == 0)
            continue;
        r->letters[letters++] = rows[i].letter;
        if (value)
            r->letters[letters++] = ':';
    }
    r->known[i] = (struct option){"help", no_argument, NULL, HELP};
    r->letters[letters] = 'h';
}

static const struct option_row *option_find_row(const struct option_reader *r, int option)
{
    const struct option_row *row = r->rows;

    if (option >= LONG_ONLY)
        return &row[option - LONG_ONLY];
    while (row->name != NULL && row->letter != option)
        row++;
    return row->name == NULL ? NULL : row;
}

/* Never repeats the value, which may be a secret. */
static bool option_fail_unread(const struct option_reader *r, int option, char *argv[])
{
    const char *word = argv[optind - 1];
    int len = (int)strcspn(word, "=");

    if (option == ':')
        return option_fail(r, "%s needs a value", word);
    if (optopt >= HELP)
        return option_fail(r, "%.*s takes no value", len, word);
    if (optopt != 0) /* a letter within a group such as -jZq */
        return option_fail(r, "unknown option -%c", optopt);
    return option_fail(r, "unknown option %.*s", len, word);
}

enum command_line_result command_line_read(const struct option_row *rows, void *options, int argc,
                                           char *argv[], char why[OPTION_WHY_SIZE])
{
    struct option_reader r = {.rows = rows, .options = options, .why = why};
    const struct option_row *row;
    int option;

    option_list_known(&r);
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, r.letters, r.known, NULL)) != -1) {
        if (option == HELP || option == 'h')
            return COMMAND_LINE_HELP;
        if (option == ':' || option == '?') {
            option_fail_unread(&r, option, argv);
            return COMMAND_LINE_WRONG;
        }
        row = option_find_row(&r, option);
        if (row == NULL || !option_take(&r, row))
            return COMMAND_LINE_WRONG;
        if (row->kind == OPTION_LAST)
            return COMMAND_LINE_ENDED;
    }
    return COMMAND_LINE_READ;
}

void command_line_free(const struct option_row *rows, void *options)
{
    for (; rows->name != NULL; rows++) {
        struct option_secrets *secrets = (void *)((char *)options + rows->at);

        for (size_t i = 0; rows->kind == OPTION_SECRETS && i < secrets->count; i++) {
            free(secrets->items[i].file);
            free(secrets->items[i].env);
            free(secrets->items[i].credential);
        }
    }
}
