/* SPDX-License-Identifier: MIT
 *
 * ledger_query.h - questions to a ledger's database, for its own files.
 *
 * Threads    One.
 */
#ifndef CLI_EMULATOR_LEDGER_QUERY_H
#define CLI_EMULATOR_LEDGER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "cli/emulator/ledger.h"

struct ledger_file;

struct ledger {
    struct ledger_file *file;
    sqlite3 *db;
    char why[LEDGER_WHY_SIZE];
};

/* What stands for ?1, ?2, ... in a statement. */
struct ledger_value {
    bool is_number;
    const char *text; /* may be NULL */
    int64_t number;
};

static inline struct ledger_value ledger_text(const char *text)
{
    return (struct ledger_value){.text = text};
}

static inline struct ledger_value ledger_number(int64_t number)
{
    return (struct ledger_value){.is_number = true, .number = number};
}

/* Keeps what ledger_why() says; returns false. */
bool ledger_fail(struct ledger *ledger, int code);

/* A statement to step through, for sqlite3_finalize(); NULL on failure. The texts of `values` have
 * to be there until then. */
sqlite3_stmt *ledger_prepare(struct ledger *ledger, const char *sql,
                             const struct ledger_value *values, size_t count);

/* Whether the statement has changed a row. */
bool ledger_execute(struct ledger *ledger, const char *sql, const struct ledger_value *values,
                    size_t count);

/* Its first row, for sqlite3_finalize(); NULL if there is none. */
sqlite3_stmt *ledger_query_row(struct ledger *ledger, const char *sql,
                               const struct ledger_value *values, size_t count);

/* A copy of a text of the row; NULL if it is NULL, and, with *good false, without memory. */
char *ledger_column_text(sqlite3_stmt *row, int column, bool *good);

#define LEDGER_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
