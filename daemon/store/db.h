/* SPDX-License-Identifier: MIT
 *
 * db.h - the SQLite database of the store: opens, locks, recovers and migrates it.
 *
 *   delivery     every verified delivery, once; seq grows and is never reused
 *   keys         hashes for duplicate detection, packed (deliveries.c)
 *   destination  low-water mark of each destination: its deliveries up to `cursor` have been
 *                attempted or filtered (outbox.c)
 *   unsent       deliveries to attempt again; due_us NULL: parked
 *   attempt      time and result of each attempt
 *   damaged      deliveries that can no longer be read
 *
 * Ownership  db_open() allocates, db_close() frees.
 * Threads    One handle a thread; one thread of one process writes.
 * Errors     int results are SQLITE_OK or SQLite's error code; db_error_text() returns its text.
 */
#ifndef DAEMON_STORE_DB_H
#define DAEMON_STORE_DB_H

#include <hookline.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "daemon/base/sqlite_file.h"
#include "daemon/base/sqlite_place.h"

struct db;

enum db_mode {
    DB_WRITE, /* creates, migrates and locks the store */
    DB_READ,
    DB_INSPECT, /* reads without a trace: creates no file */
};

enum {
    DB_WHY_SIZE = SQLITE_FILE_WHY_SIZE,
    DB_BUSY_MS = 5000, /* longest wait for a lock of another process */
};

/* Returns NULL with "FILE: problem" in `why`; errno is EACCES or EPERM if that is the reason. */
struct db *db_open(const char *path, enum db_mode mode, char why[DB_WHY_SIZE]);
void db_close(struct db **db); /* keeps errno */

/* Syncs the database file after a checkpoint. Returns SQLite's code. */
int db_sync(struct db *db);

/* Keeps the WAL when db_close() closes the database. Call it after a failed sync: pages may be
 * missing on disk even if the next sync succeeds, and the next writer restores them from the
 * WAL. */
void db_keep_wal(struct db *db);

const char *db_path(const struct db *db);

/* The files of a writer's store. */
struct sqlite_place *db_place(struct db *db);

/* Returns the new name of a WAL that belonged to another database, or NULL. */
const char *db_aside(const struct db *db);

/* Returns the size of the WAL that the last writer left because it did not close the store. Its
 * committed transactions were recovered. */
int64_t db_recovered_bytes(const struct db *db);

sqlite3 *db_sqlite(struct db *db);

/* Prepares a statement that lives until db_close(). */
int db_prepare(struct db *db, sqlite3_stmt **statement, const char *sql);

struct db_statement {
    sqlite3_stmt **statement;
    const char *sql;
};

/* Prepares a list of statements, which ends with a NULL `sql`. */
int db_prepare_all(struct db *db, const struct db_statement all[]);

/* Runs a statement that returns no rows and resets it. */
int db_run(sqlite3_stmt *statement);

/* Runs a statement that returns one number and resets it; stores `missing` for no row or NULL. */
int db_query_number(sqlite3_stmt *statement, int64_t *number, int64_t missing);

/* Prepares and runs a statement that returns one number; 0 for no row, NULL or an error. */
int db_query_once(struct db *db, const char *sql, int64_t *number);

/* Returns the bytes of a column, valid until the next step. `base` is NULL for NULL only, not
 * for an empty text or blob. */
hookline_bytes db_column_bytes(sqlite3_stmt *row, int column);

/* Returns the number in a column, -1 for NULL. */
int64_t db_column_number(sqlite3_stmt *row, int column);

/* Returns the size of the database in bytes without its free pages, -1 on failure. */
int64_t db_bytes(struct db *db);

/* Returns the size of the WAL in bytes, -1 if there is none. */
int64_t db_wal_bytes(const struct db *db);

/* Writes "FILE: SQLite's message" for the last failure. */
void db_error_text(struct db *db, int code, char why[DB_WHY_SIZE]);

#endif
