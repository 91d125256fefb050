/* SPDX-License-Identifier: MIT
 *
 * table.h - text table with columns as wide as their widest cell.
 *
 * Ownership  A zeroed struct is an empty table; table_write() releases the rows.
 * Errors     Drops a row on ENOMEM.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "cli/terminal.h"

enum {
    TABLE_COLUMNS_MAX = 12,
    TABLE_CELL_SIZE = 400 /* bytes; longer cells are truncated */
};

struct table_row;

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
