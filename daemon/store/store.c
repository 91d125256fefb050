/* SPDX-License-Identifier: MIT */
#include "daemon/store/store.h"

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

struct store {
    sqlite3 *db;
    sqlite3_stmt *bytes;
    char *path; /* as it was given, for messages */
    char *file; /* without symbolic links: the same store has one lock, whatever it is called */
    int lock;   /* -1: of a reader */
    bool was_left_open;
};

/* migrations[n] makes schema n + 1 of schema n. */
static const char *const migrations[SCHEMA_VERSION] = {
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

int store_prepare(struct store *store, sqlite3_stmt **statement, const char *sql)
{
    return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

int store_prepare_all(struct store *store, const struct store_statement all[])
{
    int code = SQLITE_OK;

    for (; all->sql != NULL && code == SQLITE_OK; all++)
        code = store_prepare(store, all->statement, all->sql);
    return code;
}

int store_run(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

int store_number(sqlite3_stmt *statement, int64_t *number, int64_t missing)
{
    *number = missing;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *number = sqlite3_column_int64(statement, 0);
    return sqlite3_reset(statement);
}

void store_why(struct store *store, int code, char why[STORE_WHY_SIZE])
{
    int error = sqlite3_system_errno(store->db);

    /* The transaction was rolled back since: the handle's own message may be of that. */
    snprintf(why, STORE_WHY_SIZE, "%s: %s%s%s", store->path, sqlite3_errstr(code),
             error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
}

static bool complain(char *why, const char *path, const char *what, const char *detail)
{
    snprintf(why, STORE_WHY_SIZE, "%s: %s%s", path, what, detail);
    return false;
}

/* One process writes. The lock has a file of its own, since closing any descriptor of SQLite's
 * files would give its locks away. */
static bool lock(struct store *store, char *why)
{
    char *path;
    bool good = false;

    if (asprintf(&path, "%s-lock", store->file) < 0)
        return complain(why, store->path, "out of memory", "");
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (store->lock < 0)
        complain(why, path, "cannot be opened: ", strerror(errno));
    else if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
        good = true;
    else if (errno == EWOULDBLOCK)
        complain(why, store->path, "another process has this store open", "");
    else
        complain(why, path, "cannot be locked: ", strerror(errno));
    free(path);
    return good;
}

static int64_t pragma(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    if (store_prepare(store, &statement, sql) == SQLITE_OK)
        store_number(statement, &number, -1);
    sqlite3_finalize(statement);
    return number;
}

static bool execute(struct store *store, const char *sql, char *why)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        store_why(store, sqlite3_extended_errcode(store->db), why);
    return code == SQLITE_OK;
}

static bool migrate(struct store *store, int64_t version, char *why)
{
    char done[96];

    snprintf(done, sizeof(done), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, SCHEMA_VERSION);
    if (!execute(store, "BEGIN IMMEDIATE", why))
        return false;
    for (; version < SCHEMA_VERSION; version++)
        if (!execute(store, migrations[version], why))
            return false;
    return execute(store, done, why);
}

/* Never changes a file that is not ours: nor is what its owner left in its log moved into it when
 * we close it. A reader never does that. */
static bool check_kind(struct store *store, bool *is_new, int64_t *version, char *why)
{
    int64_t tables, application;

    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    tables = pragma(store, "SELECT count(*) FROM sqlite_master");
    application = pragma(store, "PRAGMA application_id");
    if (tables < 0) {
        store_why(store, sqlite3_extended_errcode(store->db), why);
        return false;
    }
    *version = pragma(store, "PRAGMA user_version");
    *is_new = tables == 0 && application == 0 && *version == 0;
    if (!*is_new && application != APPLICATION_ID)
        return complain(why, store->path, "this is a database, but no store of hooklined", "");
    if (*version > SCHEMA_VERSION)
        return complain(why, store->path, "this store was written by a newer hooklined",
                        ": install that version, or give another file");
    return true;
}

static int find_file(const struct store *store, sqlite3_file **file)
{
    return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, file);
}

/* The log's index outlives us where somebody reads the store meanwhile, and with it the belief that
 * the file has what was copied out of the log. SQLite reads the log again if the index's header, of
 * which there are two, is none. */
static bool forget_index(struct store *store, char *why)
{
    enum {
        REGION = 32768,
        HEADERS = 2 * 48,
    };
    volatile void *index = NULL;
    sqlite3_file *file = NULL;
    int code = find_file(store, &file);

    if (code == SQLITE_OK)
        code = file->pMethods->xShmMap(file, 0, REGION, 0, &index);
    if (code != SQLITE_OK)
        store_why(store, code, why);
    for (size_t i = 0; index != NULL && i < HEADERS; i++)
        ((volatile char *)index)[i] = 0;
    return code == SQLITE_OK;
}

/* The checkpoint writes what is in the log to the file and syncs both: if a sync has failed in an
 * earlier life, the kernel may think that the disk has pages that it never got. */
static bool prepare_to_write(struct store *store, char *why)
{
    int64_t version;
    bool is_new;

    if (!check_kind(store, &is_new, &version, why))
        return false;
    if (is_new && !execute(store, "PRAGMA page_size=4096", why))
        return false;
    if (!execute(store, "PRAGMA journal_mode=WAL", why) ||
        !execute(store, "PRAGMA synchronous=FULL", why) ||
        !execute(store, "PRAGMA secure_delete=FAST; PRAGMA cache_size=-4096", why) ||
        (store->was_left_open && !forget_index(store, why)) ||
        !execute(store, "PRAGMA wal_checkpoint(TRUNCATE)", why))
        return false;
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return complain(why, store->path, "this file cannot be written: ", strerror(EROFS));
    if (version != SCHEMA_VERSION && !migrate(store, version, why))
        return false;
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return true;
}

static bool prepare_to_read(struct store *store, char *why)
{
    int64_t version;
    bool is_new;

    return check_kind(store, &is_new, &version, why) &&
           execute(store, "PRAGMA query_only=1; PRAGMA cache_size=-2048", why);
}

/* SQLite removes its log when the last connection is closed. */
static bool has_log(const struct store *store)
{
    struct stat st;
    char *path;
    bool found;

    if (asprintf(&path, "%s-wal", store->file) < 0)
        return false;
    found = stat(path, &st) == 0 && st.st_size > 0;
    free(path);
    return found;
}

static bool open_file(struct store *store, enum store_mode mode, char *why)
{
    /* A reader writes, too: into the index of the log, in shared memory. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                (mode == STORE_WRITE ? SQLITE_OPEN_CREATE : 0);
    int error;

    if (sqlite3_open_v2(store->file, &store->db, flags, NULL) == SQLITE_OK) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, BUSY_MS);
        return true;
    }
    errno = error = store->db == NULL ? ENOMEM : sqlite3_system_errno(store->db);
    return complain(why, store->path,
                    "cannot be opened: ", error == 0 ? sqlite3_errmsg(store->db) : strerror(error));
}

static bool may_be_a_store(const struct store *store, char *why)
{
    struct stat st;

    if (stat(store->file, &st) != 0)
        return true;
    if (!S_ISREG(st.st_mode))
        return complain(why, store->path, "not a regular file", "");
    /* SQLite would open it to be read. */
    return access(store->file, W_OK) == 0 ||
           complain(why, store->path, "cannot be written: ", strerror(errno));
}

/* A file that is not there yet has the name that it was given. Behind a slash it is nothing but
 * that: ":memory:" and "file:..." would mean something to SQLite, and be gone with the process. */
static bool name_file(struct store *store, const char *path)
{
    store->path = strdup(path);
    store->file = realpath(path, NULL);
    if (store->file == NULL && asprintf(&store->file, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
        store->file = NULL;
    return store->path != NULL && store->file != NULL;
}

struct store *store_open(const char *path, enum store_mode mode, char why[STORE_WHY_SIZE])
{
    struct store *store = calloc(1, sizeof(*store));
    bool good;

    errno = 0;
    if (store != NULL)
        store->lock = -1;
    if (store == NULL || !name_file(store, path)) {
        good = complain(why, path, "out of memory", "");
    } else if (mode == STORE_READ) {
        good = open_file(store, mode, why) && prepare_to_read(store, why);
    } else {
        mode_t mask = umask(0027);

        store->was_left_open = has_log(store);
        good = may_be_a_store(store, why) && lock(store, why) && open_file(store, mode, why) &&
               prepare_to_write(store, why);
        umask(mask);
    }
    if (!good)
        store_close(&store);
    return store;
}

static void close_file(sqlite3 *db)
{
    sqlite3_stmt *statement;

    while (db != NULL && (statement = sqlite3_next_stmt(db, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(db);
}

int store_sync(struct store *store)
{
    sqlite3_file *file = NULL;
    int code = find_file(store, &file);

    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

void store_keep_log(struct store *store)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void store_close(struct store **store)
{
    struct store *s = *store;
    int saved = errno;

    if (s == NULL)
        return;
    close_file(s->db);
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s->file);
    free(s);
    *store = NULL;
    errno = saved;
}

bool store_was_left_open(const struct store *store)
{
    return store->was_left_open;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

sqlite3 *store_db(struct store *store)
{
    return store->db;
}

int64_t store_bytes(struct store *store)
{
    int64_t bytes;

    if (store->bytes == NULL &&
        store_prepare(store, &store->bytes,
                      "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(),"
                      " pragma_freelist_count(), pragma_page_size()") != SQLITE_OK)
        return -1;
    return store_number(store->bytes, &bytes, -1) == SQLITE_OK ? bytes : -1;
}
