/* SPDX-License-Identifier: MIT
 *
 * sqlite_place.h - the files of a SQLite database at its path: are they the open ones?
 *
 * SQLite keeps its descriptors when somebody moves, replaces or cuts a file. Commits then succeed,
 * but no other process can read them. A check costs ten system calls, and no sync.
 *
 * A new process cannot tell the WAL of a replaced database from its own. So the lock file records
 * the inodes of the database, the WAL and itself: if only the database is another file, the WAL
 * belongs to the replaced one. A copy of the whole folder changes all inodes, and keeps its WAL.
 *
 * Ownership  sqlite_place_open() fills the struct; sqlite_place_close() releases its contents.
 * Threads    The thread of the connection.
 */
#ifndef DAEMON_BASE_SQLITE_PLACE_H
#define DAEMON_BASE_SQLITE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>
#include <sys/stat.h>

enum sqlite_place_finding {
    SQLITE_PLACE_GOOD,
    SQLITE_PLACE_GONE,        /* no file at the path */
    SQLITE_PLACE_REPLACED,    /* another file */
    SQLITE_PLACE_OVERWRITTEN, /* the same file, written by another program */
    SQLITE_PLACE_CUT,         /* the same file, shorter */
    SQLITE_PLACE_WAL_GONE,    /* no WAL, or another one */
    SQLITE_PLACE_WAL_CUT,     /* committed pages are missing in the WAL */
    SQLITE_PLACE_SHM_GONE,
    SQLITE_PLACE_LOCK_GONE,
    SQLITE_PLACE_FINDINGS,
};

/* SQLite's WAL index: https://www.sqlite.org/walformat.html */
struct sqlite_place_index {
    uint32_t version, unused, change;
    uint8_t is_init, big_endian;
    uint16_t page_size;
    uint32_t frames, pages, checksum[2], salt[2], own_checksum[2];
};

enum {
    SQLITE_PLACE_HEADER = 100, /* bytes of the database's header */
};

struct sqlite_place {
    sqlite3 *sqlite;
    const char *path;                 /* as configured */
    char *name;                       /* the path without symbolic links, at the start */
    int database, wal;                /* descriptors; `database` is borrowed */
    struct stat at[4];                /* database, -wal, -shm, -lock */
    struct sqlite_place_index before; /* at the last check */
    uint32_t copied[2];               /* frames copied by checkpoints, and those begun */
    char header[SQLITE_PLACE_HEADER];
};

/* Remembers the files of an open database in WAL mode, and records them in the lock file. `path`
 * and the descriptors stay valid until sqlite_place_close(). Returns false with errno. */
bool sqlite_place_open(struct sqlite_place *place, sqlite3 *sqlite, const char *path,
                       const char *name, int database, int lock);
void sqlite_place_close(struct sqlite_place *place);

/* Compares the files at the path with the open ones. */
enum sqlite_place_finding sqlite_place_check(struct sqlite_place *place);

struct sqlite_place_wal {
    int64_t bytes;      /* size of the file, which SQLite reuses and never makes smaller */
    int64_t used_bytes; /* from its beginning */
    uint32_t frames;    /* not copied by a checkpoint yet */
};

/* Returns false while another process changes the index. */
bool sqlite_place_wal(const struct sqlite_place *place, struct sqlite_place_wal *wal);

/* Returns a finding as text: what was found. */
const char *sqlite_place_text(enum sqlite_place_finding finding);

/* Moves the WAL away from a database it does not belong to: SQLite would apply it at the next
 * start. Removes the WAL index. Files that are not the open ones stay. Returns the WAL's new name
 * for free(), or NULL. */
char *sqlite_place_set_aside(const struct sqlite_place *place);

/* As above, before a database is opened, by the record in the lock file `lock`. */
char *sqlite_place_set_aside_stale(const char *name, int lock);

/* Returns the name of the file system at `path` or its folder if it is a network file system, where
 * WAL and locks are unreliable; else NULL. */
const char *sqlite_place_network(const char *path);

#endif
