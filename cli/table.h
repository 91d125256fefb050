/* SPDX-License-Identifier: MIT
 *
 * table.h - rows of texts in columns, whose widths are those of what stands in them.
 *
 * Ownership  A zeroed struct is an empty table; table_free_rows() releases its rows.
 * Errors     Without memory a row is left out.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/terminal.h"

/* ---- what a sink tells of a delivery or an event, one JSON object: its members, and the
 * object itself on a line. */

/* NULL if there is no such text. */
const char *record_text(const cJSON *record, const char *key);

bool record_is(const cJSON *record, const char *key, const char *text);

/* `otherwise` if there is no such whole number. */
int64_t record_number(const cJSON *record, const char *key, int64_t otherwise);

/* The number of the delivery, 1 and up; 0 if there is none. */
int64_t record_seq(const cJSON *record);

/* The same as an argument. */
bool record_read_seq(const char *text, int64_t *seq);

/* As printable.h writes JSON. */
void record_write(FILE *out, const cJSON *record);

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
