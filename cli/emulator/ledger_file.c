/* SPDX-License-Identifier: MIT */
#include "cli/emulator/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/emulator/ledger.h"

enum {
    APPLICATION_ID = 0x686f656d, /* "hoem" */
    SCHEMA_VERSION = 1,
};

struct ledger_file {
    sqlite3 *db;
    const char *path; /* NULL: in memory */
    int lock;         /* -1: none */
};

/* What is kept of events and deliveries: old ones go with every new one. */
static const char ledger_file_schema[] =
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE endpoint(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, source TEXT UNIQUE, scheme TEXT, description TEXT, url TEXT NOT NULL, "
    "signed_url TEXT,"
    " secret TEXT NOT NULL, previous_secret TEXT NOT NULL, faults TEXT NOT NULL,"
    " detail TEXT NOT NULL, enabled INTEGER NOT NULL, created_us INTEGER NOT NULL,"
    " updated_us INTEGER NOT NULL, UNIQUE(provider, id));"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, created_us INTEGER NOT NULL,"
    " UNIQUE(provider, id));"
    "CREATE TRIGGER old_events AFTER INSERT ON event BEGIN"
    " DELETE FROM event WHERE seq <= new.seq - 10000; END;"
    "CREATE TABLE delivery(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL,"
    " event_type TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " response_status INTEGER NOT NULL, response_body TEXT, error TEXT,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, UNIQUE(provider, id));"
    "CREATE INDEX delivery_event ON delivery(provider, event_id);"
    "CREATE TRIGGER old_deliveries AFTER INSERT ON delivery BEGIN"
    " DELETE FROM delivery WHERE seq <= new.seq - 20000; END;";

static bool ledger_file_fail(char *why, const char *path, const char *what, const char *detail)
{
    snprintf(why, LEDGER_WHY_SIZE, "%s: %s%s", path == NULL ? "the emulator's store" : path, what,
             detail);
    return false;
}

/* In a file of its own, as the daemon does it: closing any descriptor of SQLite's files would give
 * its locks away. */
static bool ledger_file_lock(struct ledger_file *file, char *why)
{
    char *path, *real = realpath(file->path, NULL);
    bool good = false;

    if (asprintf(&path, "%s-lock", real == NULL ? file->path : real) < 0)
        path = NULL;
    free(real);
    if (path == NULL)
        return ledger_file_fail(why, file->path, "out of memory", "");
    file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->lock < 0)
        ledger_file_fail(why, path, "cannot be opened: ", strerror(errno));
    else if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
        good = true;
    else
        ledger_file_fail(why, file->path, "another process has this store open", "");
    free(path);
    return good;
}

static bool ledger_file_execute(struct ledger_file *file, const char *sql, char *why)
{
    int code = sqlite3_exec(file->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || ledger_file_fail(why, file->path, "", sqlite3_errmsg(file->db));
}

/* -1 on failure. */
static int64_t ledger_file_query_number(struct ledger_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static bool ledger_file_create(struct ledger_file *file, char *why)
{
    char done[96];

    snprintf(done, sizeof(done), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, SCHEMA_VERSION);
    return ledger_file_execute(file, "BEGIN IMMEDIATE", why) &&
           ledger_file_execute(file, ledger_file_schema, why) &&
           ledger_file_execute(file, done, why);
}

/* Never changes a file that is not ours. */
static bool ledger_file_prepare(struct ledger_file *file, char *why)
{
    int64_t tables, application, version;

    sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if ((tables = ledger_file_query_number(file, "SELECT count(*) FROM sqlite_master")) < 0)
        return ledger_file_fail(why, file->path, "", sqlite3_errmsg(file->db));
    application = ledger_file_query_number(file, "PRAGMA application_id");
    version = ledger_file_query_number(file, "PRAGMA user_version");
    if ((tables > 0 || application != 0 || version != 0) && application != APPLICATION_ID)
        return ledger_file_fail(why, file->path, "this is a database, but no store of an emulator",
                                "");
    if (version > SCHEMA_VERSION)
        return ledger_file_fail(why, file->path, "this store was written by a newer hookline",
                                ": install that version, or give another file");
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return ledger_file_execute(file, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", why) &&
           ledger_file_execute(file, "PRAGMA secure_delete=FAST", why) &&
           (version == SCHEMA_VERSION || ledger_file_create(file, why));
}

/* Behind a slash a name is a file's: others, such as "file:...", mean something to SQLite. */
static char *ledger_file_name(const struct ledger_file *file)
{
    bool is_plain = file->path == NULL || file->path[0] == '/';
    char *name;

    return asprintf(&name, "%s%s", is_plain ? "" : "./",
                    file->path == NULL ? ":memory:" : file->path) < 0
               ? NULL
               : name;
}

static bool ledger_file_open_db(struct ledger_file *file, char *why)
{
    char *name = ledger_file_name(file);
    int code = name == NULL
                   ? SQLITE_NOMEM
                   : sqlite3_open_v2(
                         name, &file->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    int error = file->db == NULL ? ENOMEM : sqlite3_system_errno(file->db);

    free(name);
    return code == SQLITE_OK ||
           ledger_file_fail(why, file->path, "cannot be opened: ",
                            error == 0 ? sqlite3_errstr(code) : strerror(error));
}

struct ledger_file *ledger_file_open(const char *path, char *why)
{
    struct ledger_file *file = calloc(1, sizeof(*file));
    mode_t mask = umask(0077);

    if (file == NULL) {
        ledger_file_fail(why, path, "out of memory", "");
    } else {
        file->path = path;
        file->lock = -1;
        if ((path != NULL && !ledger_file_lock(file, why)) || !ledger_file_open_db(file, why) ||
            !ledger_file_prepare(file, why))
            ledger_file_close(&file);
    }
    umask(mask);
    return file;
}

void ledger_file_close(struct ledger_file **file)
{
    if (*file == NULL)
        return;
    sqlite3_close((*file)->db);
    if ((*file)->lock >= 0)
        close((*file)->lock);
    free(*file);
    *file = NULL;
}

sqlite3 *ledger_file_db(const struct ledger_file *file)
{
    return file->db;
}
