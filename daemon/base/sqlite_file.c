/* SPDX-License-Identifier: MIT */
#include "daemon/base/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/sqlite_place.h"

static bool sqlite_file_say(char *why, const char *path, const char *what, const char *detail)
{
    snprintf(why, SQLITE_FILE_WHY_SIZE, "%s: %s%s", path, what, detail);
    return false;
}

bool sqlite_file_fail(const struct sqlite_file *file, const char *what, const char *detail,
                      char why[SQLITE_FILE_WHY_SIZE])
{
    return sqlite_file_say(why, file->path, what, detail);
}

void sqlite_file_error_text(const struct sqlite_file *file, int code,
                            char why[SQLITE_FILE_WHY_SIZE])
{
    int error = sqlite3_system_errno(file->sqlite);

    /* Not sqlite3_errmsg(): after a rollback the handle's message describes the rollback. */
    snprintf(why, SQLITE_FILE_WHY_SIZE, "%s: %s%s%s", file->path, sqlite3_errstr(code),
             error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
}

/* ---- path, permissions and lock */

/* Returns the target of a symbolic link, for free(); NULL if `path` is none. */
static char *sqlite_file_link_target(const char *path)
{
    char target[PATH_MAX], *folder = strdup(path), *result = NULL;
    ssize_t len = readlink(path, target, sizeof(target) - 1);

    if (folder != NULL && len > 0) {
        target[len] = '\0';
        if (target[0] == '/')
            result = strdup(target);
        else if (asprintf(&result, "%s/%s", dirname(folder), target) < 0)
            result = NULL;
    }
    free(folder);
    return result;
}

/* Resolves symbolic links, also one to a missing file: SQLite puts the WAL beside its target. A
 * missing file keeps its given name, as an absolute path or behind "./": SQLite would read
 * ":memory:" and "file:..." as an in-memory database or a URI. */
static bool sqlite_file_resolve(struct sqlite_file *file, const char *path)
{
    if (path == NULL) {
        file->path = strdup(file->schema->kind);
        file->name = strdup(":memory:");
    } else {
        file->path = strdup(path);
        file->name = realpath(path, NULL);
        if (file->name == NULL)
            file->name = sqlite_file_link_target(path);
        if (file->name == NULL &&
            asprintf(&file->name, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
            file->name = NULL;
    }
    return file->path != NULL && file->name != NULL;
}

/* SQLite deletes the WAL when the last connection closes. */
int64_t sqlite_file_wal_bytes(const struct sqlite_file *file)
{
    struct stat st;
    char *path;
    bool found;

    if (asprintf(&path, "%s-wal", file->name) < 0)
        return -1;
    found = stat(path, &st) == 0;
    free(path);
    return found ? st.st_size : -1;
}

static bool sqlite_file_check_writable(const struct sqlite_file *file, char *why)
{
    struct stat st;

    if (stat(file->name, &st) != 0)
        return true;
    if (!S_ISREG(st.st_mode))
        return sqlite_file_fail(file, "not a regular file", "", why);
    /* SQLite would open it to be read. */
    return access(file->name, W_OK) == 0 ||
           sqlite_file_fail(file, "cannot be written: ", strerror(errno), why);
}

static bool sqlite_file_lock_descriptor(const struct sqlite_file *file, int fd, const char *path,
                                        char *why)
{
    if (fd < 0)
        return sqlite_file_say(why, path, "cannot be opened: ", strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return sqlite_file_fail(file, "another process has this store open", "", why);
    return sqlite_file_say(why, path, "cannot be locked: ", strerror(errno));
}

/* Locks out other writers of this path. A database that replaces the open one would share its WAL,
 * so a lock on the database alone is not enough. */
static bool sqlite_file_lock_path(struct sqlite_file *file, char *why)
{
    char *path;
    bool good;

    if (asprintf(&path, "%s-lock", file->name) < 0)
        return sqlite_file_fail(file, "out of memory", "", why);
    file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    good = sqlite_file_lock_descriptor(file, file->lock, path, why);
    free(path);
    if (good)
        file->aside = sqlite_place_set_aside_stale(file->name, file->lock);
    return good;
}

/* Locks out other writers of this file, by whatever name (hard links). A missing database is locked
 * after SQLite has created it. The descriptor closes last: closing any descriptor of a database
 * drops SQLite's POSIX locks on it. On NFS flock() is such a lock, and the path's lock serves. */
static bool sqlite_file_lock_database(struct sqlite_file *file, char *why)
{
    if (file->database >= 0)
        return true;
    file->database = open(file->name, O_RDONLY | O_CLOEXEC);
    return (file->database < 0 && errno == ENOENT) ||
           (file->database >= 0 && sqlite_place_network(file->name) != NULL) ||
           sqlite_file_lock_descriptor(file, file->database, file->path, why);
}

/* ---- connection and schema */

/* Returns the URI of a file that no process has open, for free(). A database in WAL mode would get
 * a -wal even from a reader, unless it is immutable. */
static char *sqlite_file_immutable_uri(const char *name)
{
    static const char suffix[] = "?immutable=1", digits[] = "0123456789abcdef";
    char *uri = malloc(3 * strlen(name) + sizeof("file:") + sizeof(suffix)), *to;

    if (uri == NULL)
        return NULL;
    to = mempcpy(uri, "file:", 5);
    for (; *name != '\0'; name++) {
        if (strchr("?#%", *name) == NULL) {
            *to++ = *name;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*name >> 4];
            *to++ = digits[(unsigned char)*name & 15];
        }
    }
    memcpy(to, suffix, sizeof(suffix));
    return uri;
}

static int sqlite_file_open_name(struct sqlite_file *file, enum sqlite_file_mode mode)
{
    static const int flags[] = {
        [SQLITE_FILE_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        /* Readers open for writing as well: they update the WAL index in shared memory. */
        [SQLITE_FILE_READ] = SQLITE_OPEN_READWRITE,
        [SQLITE_FILE_INSPECT] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
    };
    char *uri = mode == SQLITE_FILE_INSPECT && sqlite_file_wal_bytes(file) < 0
                    ? sqlite_file_immutable_uri(file->name)
                    : NULL;
    int code = sqlite3_open_v2(uri == NULL ? file->name : uri, &file->sqlite,
                               flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);

    free(uri);
    return code;
}

static bool sqlite_file_connect(struct sqlite_file *file, enum sqlite_file_mode mode, char *why)
{
    int error;

    if (sqlite_file_open_name(file, mode) == SQLITE_OK) {
        sqlite3_extended_result_codes(file->sqlite, 1);
        sqlite3_busy_timeout(file->sqlite, file->schema->busy_ms);
        return true;
    }
    errno = error = file->sqlite == NULL ? ENOMEM : sqlite3_system_errno(file->sqlite);
    return sqlite_file_fail(file, "cannot be opened: ",
                            error == 0 ? sqlite3_errmsg(file->sqlite) : strerror(error), why);
}

/* Returns -1 on failure. */
static int64_t sqlite_file_query_number(struct sqlite_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    if (sqlite3_prepare_v2(file->sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

bool sqlite_file_execute(struct sqlite_file *file, const char *sql, char why[SQLITE_FILE_WHY_SIZE])
{
    int code = sqlite3_exec(file->sqlite, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        sqlite_file_error_text(file, sqlite3_extended_errcode(file->sqlite), why);
    return code == SQLITE_OK;
}

/* Never changes a foreign file: the checkpoint on close is off, so that the WAL of its owner is not
 * merged into it. */
static bool sqlite_file_check_schema(struct sqlite_file *file, char *why)
{
    const struct sqlite_schema *schema = file->schema;
    int64_t tables, application;

    sqlite3_db_config(file->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    tables = sqlite_file_query_number(file, "SELECT count(*) FROM sqlite_master");
    application = sqlite_file_query_number(file, "PRAGMA application_id");
    if (tables < 0) {
        sqlite_file_error_text(file, sqlite3_extended_errcode(file->sqlite), why);
        return false;
    }
    file->version = sqlite_file_query_number(file, "PRAGMA user_version");
    file->is_new = tables == 0 && application == 0 && file->version == 0;
    if (!file->is_new && application != schema->application_id)
        return sqlite_file_fail(file, "database of another application; expected a ", schema->kind,
                                why);
    if (file->version <= schema->version)
        return true;
    snprintf(why, SQLITE_FILE_WHY_SIZE,
             "%s: written by a newer %s; install that version, or give another file", file->path,
             schema->program);
    return false;
}

bool sqlite_file_migrate(struct sqlite_file *file, char why[SQLITE_FILE_WHY_SIZE])
{
    const struct sqlite_schema *schema = file->schema;
    char done[96];

    snprintf(done, sizeof(done), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             schema->application_id, schema->version);
    if (file->version < schema->version) {
        if (!sqlite_file_execute(file, "BEGIN IMMEDIATE", why))
            return false;
        for (int64_t version = file->version; version < schema->version; version++)
            if (!sqlite_file_execute(file, schema->migrations[version], why))
                return false;
        if (!sqlite_file_execute(file, done, why))
            return false;
    }
    sqlite3_db_config(file->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return true;
}

/* ---- open and close */

bool sqlite_file_open(struct sqlite_file *file, const struct sqlite_schema *schema,
                      const char *path, enum sqlite_file_mode mode, char why[SQLITE_FILE_WHY_SIZE])
{
    bool locks = mode == SQLITE_FILE_WRITE && path != NULL, good;

    *file = (struct sqlite_file){.schema = schema, .lock = -1, .database = -1};
    errno = 0;
    if (!sqlite_file_resolve(file, path)) {
        good = sqlite_file_say(why, path == NULL ? schema->kind : path, "out of memory", "");
    } else {
        good = !locks || (sqlite_file_check_writable(file, why) &&
                          sqlite_file_lock_path(file, why) && sqlite_file_lock_database(file, why));
        file->wal_left = good && locks ? sqlite_file_wal_bytes(file) : 0;
        if (file->wal_left < 0)
            file->wal_left = 0;
        good = good && sqlite_file_connect(file, mode, why) &&
               (!locks || sqlite_file_lock_database(file, why)) &&
               sqlite_file_check_schema(file, why);
    }
    if (!good)
        sqlite_file_close(file);
    return good;
}

void sqlite_file_close(struct sqlite_file *file)
{
    sqlite3_stmt *statement;
    int saved = errno;

    while (file->sqlite != NULL && (statement = sqlite3_next_stmt(file->sqlite, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(file->sqlite);
    if (file->database >= 0)
        close(file->database);
    if (file->lock >= 0)
        close(file->lock);
    free(file->path);
    free(file->name);
    free(file->aside);
    *file = (struct sqlite_file){.lock = -1, .database = -1};
    errno = saved;
}
