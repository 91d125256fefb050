/* SPDX-License-Identifier: MIT
 *
 * db.h - the SQLite file that holds the deliveries: opened, locked, recovered, of our schema.
 *
 *   delivery     every verified delivery, once; seq grows and is never used again
 *   keys         what tells repeated deliveries, packed (shelf.c)
 *   destination  up to which seq deliveries were taken up for it (outbox.c)
 *   unsent       what was taken up and is neither done nor given up; due_us NULL: parked
 *   attempt      what was tried, when and with which result
 *
 * Ownership  db_open() makes it, db_close() ends it.
 * Threads    A store of its own for each thread; one of them writes.
 * Errors     Functions of SQLite's kind return SQLITE_OK or SQLite's code; db_error_text() is the text.
 */
#ifndef DAEMON_STORE_DB_H
#define DAEMON_STORE_DB_H

#include <hookline.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

struct db;

enum db_mode {
    DB_WRITE, /* creates what is not there, migrates, and keeps other writers out */
    DB_READ,
};

enum {
    DB_WHY_SIZE = 512
};

/* NULL, and in `why` what is wrong with which file; errno is EACCES or EPERM if that is what it is.
 */
struct db *db_open(const char *path, enum db_mode mode, char why[DB_WHY_SIZE]);
void db_close(struct db **db); /* leaves errno alone */

/* Has the disk take what was copied out of the log into the file. SQLite's code. */
int db_sync(struct db *db);

/* A sync has failed: pages of the file may be missing on the disk though the next sync succeeds.
 * db_close() leaves the log, out of which the next one writes all of them again. */
void db_keep_wal(struct db *db);

const char *db_path(const struct db *db);

/* Whether the last writer did not come to close it: what it had committed was recovered. */
bool db_was_left_open(const struct db *db);

sqlite3 *db_sqlite(struct db *db);

/* A statement that is kept, at most until db_close(). */
int db_prepare(struct db *db, sqlite3_stmt **statement, const char *sql);

struct db_statement {
    sqlite3_stmt **statement;
    const char *sql;
};

/* Up to one without `sql`. */
int db_prepare_all(struct db *db, const struct db_statement all[]);

/* Runs a statement that returns no rows and resets it. */
int db_run(sqlite3_stmt *statement);

/* Runs a statement that returns one number and resets it; `missing` if there is no row, or NULL. */
int db_query_number(sqlite3_stmt *statement, int64_t *number, int64_t missing);

/* A column of a statement's row: bytes of SQLite's, valid until the next step. An empty text or blob
 * has an address, NULL has none. */
hookline_bytes db_column_bytes(sqlite3_stmt *row, int column);

int64_t db_column_number(sqlite3_stmt *row, int column); /* -1 for NULL */

/* The bytes that the file takes, without those that are free inside. -1 on failure. */
int64_t db_bytes(struct db *db);

/* "FILE: what SQLite says", for the last failure. */
void db_error_text(struct db *db, int code, char why[DB_WHY_SIZE]);

#endif
