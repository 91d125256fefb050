/* SPDX-License-Identifier: MIT
 *
 * terminal.h - colours, a progress line, and text tables.
 *
 * Ownership  A zeroed table is empty; table_write() releases its rows.
 * Threads    Main thread.
 * Errors     A table drops a row on ENOMEM.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

/* ---- colours and progress */

enum terminal_tone {
    TERMINAL_PLAIN,
    TERMINAL_GOOD,
    TERMINAL_BAD,
    TERMINAL_FAINT,
};

/* Returns the escape sequence of a tone; "" if the stream is no terminal, NO_COLOR is set or TERM is
 * dumb. */
const char *terminal_tone(FILE *stream, enum terminal_tone tone);

/* Replaces the progress line on standard error by `text`, cut to the terminal's width. NULL removes
 * the line; so do SIGINT and SIGTERM. Does nothing unless standard error is a terminal. */
void terminal_progress(const char *text);

/* ---- table */

enum {
    TABLE_COLUMNS_MAX = 12,
    TABLE_CELL_SIZE = 400 /* bytes; longer cells are truncated */
};

struct table_row;

/* Columns are as wide as their widest cell. */
struct table {
    struct table_row *first, *last;
    size_t widths[TABLE_COLUMNS_MAX]; /* in characters; never shrink, even across table_write() */
};

/* Appends a row. `cells` may be untrusted texts, see text_copy_printable(); NULL prints "-". */
void table_add(struct table *table, const char *const *cells, size_t columns,
               enum terminal_tone tone);

/* Prints and releases the rows. */
void table_write(struct table *table, FILE *out);

#endif
