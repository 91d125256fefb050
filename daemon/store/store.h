/* SPDX-License-Identifier: MIT
 *
 * store.h - the SQLite file that holds the deliveries: opened, locked, recovered, of our schema.
 *
 *   delivery     every verified delivery, once; seq grows and is never used again
 *   keys         what tells repeated deliveries, packed (shelf.c)
 *   destination  up to which seq deliveries were taken up for it (outbox.c)
 *   unsent       what was taken up and is neither done nor given up; due_us NULL: parked
 *   attempt      what was tried, when and with which result
 *
 * Ownership  store_open() makes it, store_close() ends it.
 * Threads    A store of its own for each thread; one of them writes.
 * Errors     Functions of SQLite's kind return SQLITE_OK or SQLite's code; store_why() is the text.
 */
#ifndef DAEMON_STORE_STORE_H
#define DAEMON_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

struct store;

enum store_mode {
    STORE_WRITE, /* creates what is not there, migrates, and keeps other writers out */
    STORE_READ,
};

enum {
    STORE_WHY_SIZE = 512
};

/* NULL, and in `why` what is wrong with which file; errno is EACCES or EPERM if that is what it is.
 */
struct store *store_open(const char *path, enum store_mode mode, char why[STORE_WHY_SIZE]);
void store_close(struct store **store); /* leaves errno alone */

/* Has the disk take what was copied out of the log into the file. SQLite's code. */
int store_sync(struct store *store);

/* A sync has failed: pages of the file may be missing on the disk though the next sync succeeds.
 * store_close() leaves the log, out of which the next one writes all of them again. */
void store_keep_log(struct store *store);

const char *store_path(const struct store *store);

/* Whether the last writer did not come to close it: what it had committed was recovered. */
bool store_was_left_open(const struct store *store);

sqlite3 *store_db(struct store *store);

/* A statement that is kept, at most until store_close(). */
int store_prepare(struct store *store, sqlite3_stmt **statement, const char *sql);

struct store_statement {
    sqlite3_stmt **statement;
    const char *sql;
};

/* Up to one without `sql`. */
int store_prepare_all(struct store *store, const struct store_statement all[]);

/* Runs a statement that returns no rows and resets it. */
int store_run(sqlite3_stmt *statement);

/* Runs a statement that returns one number and resets it; `missing` if there is no row, or NULL. */
int store_number(sqlite3_stmt *statement, int64_t *number, int64_t missing);

/* The bytes that the file takes, without those that are free inside. -1 on failure. */
int64_t store_bytes(struct store *store);

/* "FILE: what SQLite says", for the last failure. */
void store_why(struct store *store, int code, char why[STORE_WHY_SIZE]);

#endif
