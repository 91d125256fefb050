/* SPDX-License-Identifier: MIT
 *
 * table.h - rows of texts in columns, whose widths are those of what stands in them.
 *
 * Ownership  A zeroed struct is an empty table; table_free_rows() releases its rows.
 * Errors     Without memory a row is left out.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "cli/terminal.h"

enum {
    TABLE_COLUMNS_MAX = 12,
    TABLE_CELL_SIZE = 400 /* bytes; what is longer is cut */
};

struct table_row;

struct table {
    struct table_row *first, *last;
    size_t widths[TABLE_COLUMNS_MAX]; /* in characters; kept from table_write() to table_write() */
};

/* `cells` are texts of anybody, as printable.h writes them; NULL stands for "-". */
void table_add(struct table *table, const char *const *cells, size_t columns,
               enum terminal_tone tone);

/* Writes the rows and forgets them. */
void table_write(struct table *table, FILE *out);

#endif
