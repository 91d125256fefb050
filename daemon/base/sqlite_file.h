/* SPDX-License-Identifier: MIT
 *
 * sqlite_file.h - one SQLite database: open, writer lock, schema.
 *
 * Call sqlite_file_open(), then run pragmas, then call sqlite_file_migrate(). A file of another
 * application or of a newer schema is refused and stays unchanged.
 *
 * Ownership  sqlite_file_open() fills the struct; sqlite_file_close() releases its contents.
 * Threads    One at a time.
 * Errors     false with "FILE: problem" in `why`; errno is EACCES or EPERM if that is the reason.
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
    SQLITE_FILE_WRITE, /* creates a missing file and locks out other writers */
    SQLITE_FILE_READ,
    SQLITE_FILE_INSPECT, /* creates and changes no file, not even a -wal */
};

struct sqlite_schema {
    const char *kind;    /* for messages: "store of hooklined" */
    const char *program; /* for messages: "hooklined" */
    int application_id, version;
    const char *const *migrations; /* migrations[n] upgrades version n to n + 1 */
    int busy_ms;                   /* longest wait for a lock of another process */
};

struct sqlite_file {
    sqlite3 *sqlite;
    const struct sqlite_schema *schema;
    char *path;       /* as given, for messages */
    char *name;       /* symbolic links resolved, so that all names of a file share one lock */
    int lock;         /* descriptor of the lock file; -1: none */
    int database;     /* read-only descriptor, locked as well; -1: none */
    char *aside;      /* WAL of another database, moved there; NULL: none */
    int64_t version;  /* schema version before sqlite_file_migrate() */
    bool is_new;      /* no tables yet */
    int64_t wal_left; /* bytes of the WAL that the last writer left: it did not close the file */
};

/* Opens the file, or an in-memory database if `path` is NULL. Closes it again on failure. */
bool sqlite_file_open(struct sqlite_file *file, const struct sqlite_schema *schema,
                      const char *path, enum sqlite_file_mode mode, char why[SQLITE_FILE_WHY_SIZE]);

/* Upgrades the schema in one transaction. Enables the checkpoint on close, which is off until then
 * so that a refused file stays unchanged. */
bool sqlite_file_migrate(struct sqlite_file *file, char why[SQLITE_FILE_WHY_SIZE]);

/* Finalizes all statements and unlocks the file. Keeps errno. A second call does nothing. */
void sqlite_file_close(struct sqlite_file *file);

/* Returns the size of the WAL in bytes, -1 if there is none. */
int64_t sqlite_file_wal_bytes(const struct sqlite_file *file);

/* Executes statements that return no rows. */
bool sqlite_file_execute(struct sqlite_file *file, const char *sql, char why[SQLITE_FILE_WHY_SIZE]);

/* Writes "FILE: ", `what` and `detail` into `why`. Returns false. */
bool sqlite_file_fail(const struct sqlite_file *file, const char *what, const char *detail,
                      char why[SQLITE_FILE_WHY_SIZE]);

/* Writes "FILE: ", the text of SQLite's error code, and the system error behind it. */
void sqlite_file_error_text(const struct sqlite_file *file, int code,
                            char why[SQLITE_FILE_WHY_SIZE]);

#endif
