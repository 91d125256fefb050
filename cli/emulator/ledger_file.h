/* SPDX-License-Identifier: MIT
 *
 * ledger_file.h - the SQLite database of a ledger: opened, locked, of our schema.
 *
 * Ownership  ledger_file_open() makes it; ledger_file_close() ends it, when all statements are
 *            finalized.
 * Threads    One.
 */
#ifndef CLI_EMULATOR_LEDGER_FILE_H
#define CLI_EMULATOR_LEDGER_FILE_H

#include <sqlite3.h>

struct ledger_file;

/* `path` NULL: in memory. NULL, and in `why` (LEDGER_WHY_SIZE bytes) what is wrong. */
struct ledger_file *ledger_file_open(const char *path, char *why);
void ledger_file_close(struct ledger_file **file);

sqlite3 *ledger_file_db(const struct ledger_file *file);

#endif
