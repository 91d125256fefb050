/* SPDX-License-Identifier: MIT */
#include "daemon/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x686f6f6b, /* "hook" */
    SCHEMA_VERSION = 1,
    BUSY_MS = 5000,
};

struct db {
    sqlite3 *sqlite;
    sqlite3_stmt *bytes;
    char *path; /* as it was given, for messages */
    char *file; /* without symbolic links: the same store has one lock, whatever it is called */
    int lock;   /* -1: of a reader */
    bool was_left_open;
};

/* migrations[n] makes schema n + 1 of schema n. */
static const char *const db_migrations[SCHEMA_VERSION] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('hash_key', randomblob(16));"
    "CREATE TABLE delivery(seq INTEGER PRIMARY KEY, source TEXT NOT NULL, scheme TEXT NOT NULL,"
    " id TEXT, mac BLOB, type TEXT, test INTEGER NOT NULL, fresh INTEGER NOT NULL,"
    " secret INTEGER NOT NULL, received_us INTEGER NOT NULL, signed_at INTEGER,"
    " remote TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE keys(first_seq INTEGER PRIMARY KEY, hashes BLOB NOT NULL);"
    "CREATE TABLE destination(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " cursor INTEGER NOT NULL, active INTEGER NOT NULL DEFAULT 1);"
    "CREATE TABLE unsent(destination INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, due_us INTEGER, set_us INTEGER NOT NULL,"
    " PRIMARY KEY(destination, seq)) WITHOUT ROWID;"
    "CREATE INDEX unsent_due ON unsent(destination, due_us) WHERE due_us IS NOT NULL;"
    "CREATE INDEX unsent_seq ON unsent(seq);"
    "CREATE TABLE attempt(seq INTEGER NOT NULL, destination INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, tries INTEGER NOT NULL, took_us INTEGER NOT NULL,"
    " status INTEGER NOT NULL, error TEXT, PRIMARY KEY(seq, destination, at_us)) WITHOUT ROWID;",
};

int db_prepare(struct db *db, sqlite3_stmt **statement, const char *sql)
{
    return sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

int db_prepare_all(struct db *db, const struct db_statement all[])
{
    int code = SQLITE_OK;

    for (; all->sql != NULL && code == SQLITE_OK; all++)
        code = db_prepare(db, all->statement, all->sql);
    return code;
}

int db_run(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

int db_query_number(sqlite3_stmt *statement, int64_t *number, int64_t missing)
{
    *number = missing;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *number = sqlite3_column_int64(statement, 0);
    return sqlite3_reset(statement);
}

void db_error_text(struct db *db, int code, char why[DB_WHY_SIZE])
{
    int error = sqlite3_system_errno(db->sqlite);

    /* The transaction was rolled back since: the handle's own message may be of that. */
    snprintf(why, DB_WHY_SIZE, "%s: %s%s%s", db->path, sqlite3_errstr(code), error == 0 ? "" : ": ",
             error == 0 ? "" : strerror(error));
}

static bool db_fail(char *why, const char *path, const char *what, const char *detail)
{
    snprintf(why, DB_WHY_SIZE, "%s: %s%s", path, what, detail);
    return false;
}

/* One process writes. The lock has a file of its own, since closing any descriptor of SQLite's
 * files would give its locks away. */
static bool db_lock(struct db *db, char *why)
{
    char *path;
    bool good = false;

    if (asprintf(&path, "%s-lock", db->file) < 0)
        return db_fail(why, db->path, "out of memory", "");
    db->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (db->lock < 0)
        db_fail(why, path, "cannot be opened: ", strerror(errno));
    else if (flock(db->lock, LOCK_EX | LOCK_NB) == 0)
        good = true;
    else if (errno == EWOULDBLOCK)
        db_fail(why, db->path, "another process has this store open", "");
    else
        db_fail(why, path, "cannot be locked: ", strerror(errno));
    free(path);
    return good;
}

static int64_t db_read_pragma(struct db *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    if (db_prepare(db, &statement, sql) == SQLITE_OK)
        db_query_number(statement, &number, -1);
    sqlite3_finalize(statement);
    return number;
}

static bool db_execute(struct db *db, const char *sql, char *why)
{
    int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        db_error_text(db, sqlite3_extended_errcode(db->sqlite), why);
    return code == SQLITE_OK;
}

static bool db_migrate(struct db *db, int64_t version, char *why)
{
    char done[96];

    snprintf(done, sizeof(done), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, SCHEMA_VERSION);
    if (!db_execute(db, "BEGIN IMMEDIATE", why))
        return false;
    for (; version < SCHEMA_VERSION; version++)
        if (!db_execute(db, db_migrations[version], why))
            return false;
    return db_execute(db, done, why);
}

/* Never changes a file that is not ours: nor is what its owner left in its log moved into it when
 * we close it. A reader never does that. */
static bool db_check_schema(struct db *db, bool *is_new, int64_t *version, char *why)
{
    int64_t tables, application;

    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    tables = db_read_pragma(db, "SELECT count(*) FROM sqlite_master");
    application = db_read_pragma(db, "PRAGMA application_id");
    if (tables < 0) {
        db_error_text(db, sqlite3_extended_errcode(db->sqlite), why);
        return false;
    }
    *version = db_read_pragma(db, "PRAGMA user_version");
    *is_new = tables == 0 && application == 0 && *version == 0;
    if (!*is_new && application != APPLICATION_ID)
        return db_fail(why, db->path, "this is a database, but no store of hooklined", "");
    if (*version > SCHEMA_VERSION)
        return db_fail(why, db->path, "this store was written by a newer hooklined",
                       ": install that version, or give another file");
    return true;
}

static int db_main_file(const struct db *db, sqlite3_file **file)
{
    return sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, file);
}

/* The log's index outlives us where somebody reads the store meanwhile, and with it the belief that
 * the file has what was copied out of the log. SQLite reads the log again if the index's header, of
 * which there are two, is none. */
static bool db_discard_wal_index(struct db *db, char *why)
{
    enum {
        REGION = 32768,
        HEADERS = 2 * 48,
    };
    volatile void *index = NULL;
    sqlite3_file *file = NULL;
    int code = db_main_file(db, &file);

    if (code == SQLITE_OK)
        code = file->pMethods->xShmMap(file, 0, REGION, 0, &index);
    if (code != SQLITE_OK)
        db_error_text(db, code, why);
    for (size_t i = 0; index != NULL && i < HEADERS; i++)
        ((volatile char *)index)[i] = 0;
    return code == SQLITE_OK;
}

/* The checkpoint writes what is in the log to the file and syncs both: if a sync has failed in an
 * earlier life, the kernel may think that the disk has pages that it never got. */
static bool db_prepare_writer(struct db *db, char *why)
{
    int64_t version;
    bool is_new;

    if (!db_check_schema(db, &is_new, &version, why))
        return false;
    if (is_new && !db_execute(db, "PRAGMA page_size=4096", why))
        return false;
    if (!db_execute(db, "PRAGMA journal_mode=WAL", why) ||
        !db_execute(db, "PRAGMA synchronous=FULL", why) ||
        !db_execute(db, "PRAGMA secure_delete=FAST; PRAGMA cache_size=-4096", why) ||
        (db->was_left_open && !db_discard_wal_index(db, why)) ||
        !db_execute(db, "PRAGMA wal_checkpoint(TRUNCATE)", why))
        return false;
    if (sqlite3_db_readonly(db->sqlite, "main") == 1)
        return db_fail(why, db->path, "this file cannot be written: ", strerror(EROFS));
    if (version != SCHEMA_VERSION && !db_migrate(db, version, why))
        return false;
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return true;
}

static bool db_prepare_reader(struct db *db, char *why)
{
    int64_t version;
    bool is_new;

    return db_check_schema(db, &is_new, &version, why) &&
           db_execute(db, "PRAGMA query_only=1; PRAGMA cache_size=-2048", why);
}

/* SQLite removes its log when the last connection is closed. */
static bool db_has_wal(const struct db *db)
{
    struct stat st;
    char *path;
    bool found;

    if (asprintf(&path, "%s-wal", db->file) < 0)
        return false;
    found = stat(path, &st) == 0 && st.st_size > 0;
    free(path);
    return found;
}

static bool db_open_file(struct db *db, enum db_mode mode, char *why)
{
    /* A reader writes, too: into the index of the log, in shared memory. */
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == DB_WRITE ? SQLITE_OPEN_CREATE : 0);
    int error;

    if (sqlite3_open_v2(db->file, &db->sqlite, flags, NULL) == SQLITE_OK) {
        sqlite3_extended_result_codes(db->sqlite, 1);
        sqlite3_busy_timeout(db->sqlite, BUSY_MS);
        return true;
    }
    errno = error = db->sqlite == NULL ? ENOMEM : sqlite3_system_errno(db->sqlite);
    return db_fail(why, db->path,
                   "cannot be opened: ", error == 0 ? sqlite3_errmsg(db->sqlite) : strerror(error));
}

static bool db_check_file(const struct db *db, char *why)
{
    struct stat st;

    if (stat(db->file, &st) != 0)
        return true;
    if (!S_ISREG(st.st_mode))
        return db_fail(why, db->path, "not a regular file", "");
    /* SQLite would open it to be read. */
    return access(db->file, W_OK) == 0 ||
           db_fail(why, db->path, "cannot be written: ", strerror(errno));
}

/* A file that is not there yet has the name that it was given. Behind a slash it is nothing but
 * that: ":memory:" and "file:..." would mean something to SQLite, and be gone with the process. */
static bool db_resolve_path(struct db *db, const char *path)
{
    db->path = strdup(path);
    db->file = realpath(path, NULL);
    if (db->file == NULL && asprintf(&db->file, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
        db->file = NULL;
    return db->path != NULL && db->file != NULL;
}

struct db *db_open(const char *path, enum db_mode mode, char why[DB_WHY_SIZE])
{
    struct db *db = calloc(1, sizeof(*db));
    bool good;

    errno = 0;
    if (db != NULL)
        db->lock = -1;
    if (db == NULL || !db_resolve_path(db, path)) {
        good = db_fail(why, path, "out of memory", "");
    } else if (mode == DB_READ) {
        good = db_open_file(db, mode, why) && db_prepare_reader(db, why);
    } else {
        mode_t mask = umask(0027);

        db->was_left_open = db_has_wal(db);
        good = db_check_file(db, why) && db_lock(db, why) && db_open_file(db, mode, why) &&
               db_prepare_writer(db, why);
        umask(mask);
    }
    if (!good)
        db_close(&db);
    return db;
}

static void db_close_file(sqlite3 *sqlite)
{
    sqlite3_stmt *statement;

    while (sqlite != NULL && (statement = sqlite3_next_stmt(sqlite, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(sqlite);
}

int db_sync(struct db *db)
{
    sqlite3_file *file = NULL;
    int code = db_main_file(db, &file);

    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

void db_keep_wal(struct db *db)
{
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void db_close(struct db **db)
{
    struct db *s = *db;
    int saved = errno;

    if (s == NULL)
        return;
    db_close_file(s->sqlite);
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s->file);
    free(s);
    *db = NULL;
    errno = saved;
}

bool db_was_left_open(const struct db *db)
{
    return db->was_left_open;
}

const char *db_path(const struct db *db)
{
    return db->path;
}

sqlite3 *db_sqlite(struct db *db)
{
    return db->sqlite;
}

hookline_bytes db_column_bytes(sqlite3_stmt *row, int column)
{
    /* SQLite wants the address before the length. */
    const char *base = sqlite3_column_blob(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);

    if (base == NULL && sqlite3_column_type(row, column) != SQLITE_NULL)
        base = "";
    return (hookline_bytes){base, len};
}

int64_t db_column_number(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(row, column);
}

int64_t db_bytes(struct db *db)
{
    int64_t bytes;

    if (db->bytes == NULL &&
        db_prepare(db, &db->bytes,
                   "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(),"
                   " pragma_freelist_count(), pragma_page_size()") != SQLITE_OK)
        return -1;
    return db_query_number(db->bytes, &bytes, -1) == SQLITE_OK ? bytes : -1;
}
