/* SPDX-License-Identifier: MIT
 *
 * sqlite_file.h - one SQLite database: opened, locked against other writers, of a known schema.
 *
 * The order is sqlite_file_open(), the caller's pragmas, sqlite_file_migrate(). A file of another
 * application or of a newer schema is refused and left as it was.
 *
 * Ownership  sqlite_file_open() fills the struct; sqlite_file_close() releases what it holds.
 * Threads    One at a time.
 * Errors     false, and in `why` the path and what is wrong; errno is EACCES or EPERM if that is
 *            what it is.
 */
#ifndef DAEMON_BASE_SQLITE_FILE_H
#define DAEMON_BASE_SQLITE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

enum {
    SQLITE_FILE_WHY_SIZE = 512
};

enum sqlite_file_mode {
    SQLITE_FILE_WRITE, /* creates a missing file, and keeps other writers out */
    SQLITE_FILE_READ,
};

struct sqlite_schema {
    const char *kind;    /* of the file, for messages: "store of hooklined" */
    const char *program; /* the one to update when the file is newer */
    int application_id, version;
    const char *const *migrations; /* migrations[n] makes version n + 1 of version n */
    int busy_ms;                   /* for another process that has the database locked */
};

struct sqlite_file {
    sqlite3 *sqlite;
    const struct sqlite_schema *schema;
    char *path; /* as it was given, for messages */
    char *name; /* without symbolic links, so that one file has one lock, whatever it is called */
    int lock;   /* -1: none */
    int64_t version;    /* of the file's schema before sqlite_file_migrate() */
    bool is_new;        /* the file has no tables yet */
    bool was_left_open; /* the last writer has not closed the file: its WAL was still there */
};

/* `path` NULL: in memory. On failure nothing is left to be closed. */
bool sqlite_file_open(struct sqlite_file *file, const struct sqlite_schema *schema,
                      const char *path, enum sqlite_file_mode mode, char why[SQLITE_FILE_WHY_SIZE]);

/* Brings the schema up to date in one transaction. Only from here on SQLite checkpoints the WAL on
 * close, so that a refused file stays as it was. */
bool sqlite_file_migrate(struct sqlite_file *file, char why[SQLITE_FILE_WHY_SIZE]);

/* Finalizes all statements. Leaves errno alone; closing twice does nothing. */
void sqlite_file_close(struct sqlite_file *file);

/* Runs statements that return no rows. */
bool sqlite_file_execute(struct sqlite_file *file, const char *sql, char why[SQLITE_FILE_WHY_SIZE]);

/* Writes "path: what it is" into `why`; returns false. */
bool sqlite_file_fail(const struct sqlite_file *file, const char *what, const char *detail,
                      char why[SQLITE_FILE_WHY_SIZE]);

/* Writes the text of SQLite's code, and of the system's last error. */
void sqlite_file_error_text(const struct sqlite_file *file, int code,
                            char why[SQLITE_FILE_WHY_SIZE]);

#endif
