/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/base/text.h"

static bool terminal_is_interactive(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

const char *terminal_tone(FILE *stream, enum terminal_tone tone)
{
    static const char *const escapes[] = {"\033[0m", "\033[32m", "\033[31m", "\033[2m"};
    const char *no_color = getenv("NO_COLOR");

    if (!terminal_is_interactive(stream) || (no_color != NULL && no_color[0] != '\0'))
        return "";
    return escapes[tone];
}

static const char clear_line[] = "\r\033[K";
static volatile sig_atomic_t progress_is_shown;

/* Clears the progress line, so that the shell's prompt starts on a clean line. */
static void terminal_clear_and_raise(int signal)
{
    if (progress_is_shown && write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
        progress_is_shown = 0;
    raise(signal);
}

static void terminal_clear_on_signal(int signal)
{
    const struct sigaction clear = {.sa_handler = terminal_clear_and_raise,
                                    .sa_flags = (int)SA_RESETHAND};
    struct sigaction now;

    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        sigaction(signal, &clear, NULL);
}

/* One column less than the terminal, because a wrapped line could not be overwritten. */
static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col - 1
                                                                           : INT_MAX;
}

void terminal_progress(const char *text)
{
    if (!terminal_is_interactive(stderr))
        return;
    progress_is_shown = text != NULL;
    terminal_clear_on_signal(SIGINT);
    terminal_clear_on_signal(SIGTERM);
    fprintf(stderr, "%s%.*s", clear_line, terminal_width(), text == NULL ? "" : text);
}

/* ---- table */

struct table_row {
    struct table_row *next;
    size_t columns;
    enum terminal_tone tone;
    char *cells[TABLE_COLUMNS_MAX];
};

/* Counts UTF-8 characters. */
static size_t table_text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static void table_free_row(struct table_row *row)
{
    for (size_t i = 0; i < row->columns; i++)
        free(row->cells[i]);
    free(row);
}

static char *table_copy_cell(const char *cell)
{
    char text[TABLE_CELL_SIZE];

    if (cell == NULL)
        cell = "-";
    text_copy_printable(text, sizeof(text), cell, strlen(cell));
    return strdup(text);
}

void table_add(struct table *table, const char *const *cells, size_t columns,
               enum terminal_tone tone)
{
    struct table_row *row = calloc(1, sizeof(*row));

    if (row == NULL)
        return;
    row->tone = tone;
    for (; row->columns < columns && row->columns < TABLE_COLUMNS_MAX; row->columns++) {
        size_t width;

        if ((row->cells[row->columns] = table_copy_cell(cells[row->columns])) == NULL) {
            table_free_row(row);
            return;
        }
        width = table_text_width(row->cells[row->columns]);
        if (width > table->widths[row->columns])
            table->widths[row->columns] = width;
    }
    if (table->first == NULL)
        table->first = row;
    else
        table->last->next = row;
    table->last = row;
}

/* Does not pad the last column, so that no line ends with blanks. */
static void table_write_row(const struct table *table, const struct table_row *row, FILE *out)
{
    fputs(terminal_tone(out, row->tone), out);
    for (size_t i = 0; i < row->columns; i++) {
        fputs(row->cells[i], out);
        if (i + 1 < row->columns)
            fprintf(out, "%*s", (int)(table->widths[i] - table_text_width(row->cells[i]) + 2), "");
    }
    fputs(terminal_tone(out, TERMINAL_PLAIN), out);
    fputc('\n', out);
}

static void table_free_rows(struct table *table)
{
    while (table->first != NULL) {
        struct table_row *row = table->first;

        table->first = row->next;
        table_free_row(row);
    }
}

void table_write(struct table *table, FILE *out)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        table_write_row(table, row, out);
    table_free_rows(table);
}
