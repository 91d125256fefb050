/* SPDX-License-Identifier: MIT */
#include "cli/emulator/ledger_query.h"

#include <stdio.h>
#include <string.h>

bool ledger_fail(struct ledger *ledger, int code)
{
    snprintf(ledger->why, sizeof(ledger->why), "the emulator's store: %s", sqlite3_errstr(code));
    return false;
}

sqlite3_stmt *ledger_prepare(struct ledger *ledger, const char *sql,
                             const struct ledger_value *values, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL);

    ledger->why[0] = '\0';
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = values[i].is_number
                   ? sqlite3_bind_int64(statement, (int)i + 1, values[i].number)
                   : sqlite3_bind_text(statement, (int)i + 1, values[i].text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return statement;
    ledger_fail(ledger, code);
    sqlite3_finalize(statement);
    return NULL;
}

bool ledger_execute(struct ledger *ledger, const char *sql, const struct ledger_value *values,
                    size_t count)
{
    sqlite3_stmt *statement = ledger_prepare(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return false;
    code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return ledger_fail(ledger, code);
    return sqlite3_changes(ledger->db) > 0;
}

sqlite3_stmt *ledger_query_row(struct ledger *ledger, const char *sql,
                               const struct ledger_value *values, size_t count)
{
    sqlite3_stmt *statement = ledger_prepare(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return NULL;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return statement;
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        ledger_fail(ledger, code);
    return NULL;
}

char *ledger_column_text(sqlite3_stmt *row, int column, bool *good)
{
    const char *found = (const char *)sqlite3_column_text(row, column);
    char *copy = found == NULL ? NULL : strdup(found);

    if (copy == NULL && sqlite3_column_type(row, column) != SQLITE_NULL)
        *good = false;
    return copy;
}
