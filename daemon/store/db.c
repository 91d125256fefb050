/* SPDX-License-Identifier: MIT */
#include "daemon/store/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SCHEMA_VERSION = 2,
};

struct db {
    struct sqlite_file file;
    struct sqlite_place place; /* writer only */
    sqlite3_stmt *bytes;
};

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

    "ALTER TABLE delivery ADD COLUMN delivery_id TEXT;"
    "ALTER TABLE delivery ADD COLUMN query TEXT;"
    "ALTER TABLE delivery ADD COLUMN unreadable TEXT;"
    "ALTER TABLE delivery ADD COLUMN sum INTEGER;"
    "CREATE TABLE damaged(seq INTEGER PRIMARY KEY, found_us INTEGER NOT NULL);",
};

static const struct sqlite_schema db_schema = {
    .kind = "store of hooklined",
    .program = "hooklined",
    .application_id = 0x686f6f6b, /* "hook" */
    .version = SCHEMA_VERSION,
    .migrations = db_migrations,
    .busy_ms = DB_BUSY_MS,
};

int db_prepare(struct db *db, sqlite3_stmt **statement, const char *sql)
{
    return sqlite3_prepare_v3(db->file.sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
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

int db_query_once(struct db *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int code = db_prepare(db, &statement, sql);

    *number = 0;
    if (code == SQLITE_OK)
        code = db_query_number(statement, number, 0);
    sqlite3_finalize(statement);
    return code;
}

void db_error_text(struct db *db, int code, char why[DB_WHY_SIZE])
{
    size_t len;

    sqlite_file_error_text(&db->file, code, why);
    len = strlen(why);
    if ((code & 0xff) == SQLITE_CORRUPT)
        snprintf(why + len, DB_WHY_SIZE - len, "; run `hookline store check`");
}

static int db_main_file(const struct db *db, sqlite3_file **file)
{
    return sqlite3_file_control(db->file.sqlite, "main", SQLITE_FCNTL_FILE_POINTER, file);
}

/* Invalidates the WAL index, so that SQLite reads the WAL again. The index survives a crash while a
 * reader has the store open, and would claim that checkpointed pages are safe in the file. Clearing
 * both copies of its header is enough. */
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

/* Checkpoints first, which rewrites and syncs every page of the WAL: after a failed sync in an
 * earlier run the kernel may hold pages as clean that never reached the disk. */
static bool db_prepare_writer(struct db *db, char *why)
{
    struct sqlite_file *file = &db->file;

    if (file->is_new && !sqlite_file_execute(file, "PRAGMA page_size=4096", why))
        return false;
    if (!sqlite_file_execute(file, "PRAGMA journal_mode=WAL", why) ||
        !sqlite_file_execute(file, "PRAGMA synchronous=FULL", why) ||
        !sqlite_file_execute(file, "PRAGMA secure_delete=FAST; PRAGMA cache_size=-4096", why) ||
        (file->wal_left > 0 && !db_discard_wal_index(db, why)) ||
        !sqlite_file_execute(file, "PRAGMA wal_checkpoint(TRUNCATE)", why))
        return false;
    if (sqlite3_db_readonly(file->sqlite, "main") == 1)
        return sqlite_file_fail(file, "this file cannot be written: ", strerror(EROFS), why);
    return sqlite_file_migrate(file, why);
}

static bool db_place_files(struct db *db, char *why)
{
    const struct sqlite_file *file = &db->file;

    return sqlite_place_open(&db->place, file->sqlite, file->path, file->name, file->database,
                             file->lock) ||
           sqlite_file_fail(file, "its files cannot be read: ", strerror(errno), why);
}

/* A reader never migrates, so that it never checkpoints either. */
static bool db_prepare_reader(struct db *db, char *why)
{
    return sqlite_file_execute(&db->file, "PRAGMA query_only=1; PRAGMA cache_size=-2048", why);
}

static bool db_open_file(struct db *db, const char *path, enum db_mode mode, char *why)
{
    mode_t mask;
    bool good;

    if (mode != DB_WRITE)
        return sqlite_file_open(&db->file, &db_schema, path,
                                mode == DB_READ ? SQLITE_FILE_READ : SQLITE_FILE_INSPECT, why) &&
               db_prepare_reader(db, why);
    mask = umask(0027);
    good = sqlite_file_open(&db->file, &db_schema, path, SQLITE_FILE_WRITE, why) &&
           db_prepare_writer(db, why) && db_place_files(db, why);
    umask(mask);
    return good;
}

struct db *db_open(const char *path, enum db_mode mode, char why[DB_WHY_SIZE])
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", path);
        return NULL;
    }
    db->place.wal = -1;
    if (!db_open_file(db, path, mode, why))
        db_close(&db);
    return db;
}

int db_sync(struct db *db)
{
    sqlite3_file *file = NULL;
    int code = db_main_file(db, &file);

    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

void db_keep_wal(struct db *db)
{
    sqlite3_db_config(db->file.sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void db_close(struct db **db)
{
    int saved = errno;

    if (*db == NULL)
        return;
    sqlite_place_close(&(*db)->place);
    sqlite_file_close(&(*db)->file);
    free(*db);
    *db = NULL;
    errno = saved;
}

struct sqlite_place *db_place(struct db *db)
{
    return &db->place;
}

const char *db_aside(const struct db *db)
{
    return db->file.aside;
}

int64_t db_recovered_bytes(const struct db *db)
{
    return db->file.wal_left;
}

const char *db_path(const struct db *db)
{
    return db->file.path;
}

sqlite3 *db_sqlite(struct db *db)
{
    return db->file.sqlite;
}

hookline_bytes db_column_bytes(sqlite3_stmt *row, int column)
{
    /* SQLite requires blob before bytes. The address of an empty blob is NULL. */
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

int64_t db_wal_bytes(const struct db *db)
{
    return sqlite_file_wal_bytes(&db->file);
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
