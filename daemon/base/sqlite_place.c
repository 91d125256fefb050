/* SPDX-License-Identifier: MIT */
#include "daemon/base/sqlite_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum place_file {
    PLACE_DATABASE,
    PLACE_WAL,
    PLACE_SHM,
    PLACE_LOCK,
    PLACE_FILES,
};

static const char *const place_endings[PLACE_FILES] = {"", "-wal", "-shm", "-lock"};

const char *sqlite_place_text(enum sqlite_place_finding finding)
{
    static const char *const texts[SQLITE_PLACE_FINDINGS] = {
        [SQLITE_PLACE_GOOD] = "the files are the open ones",
        [SQLITE_PLACE_GONE] = "the file is gone from this path",
        [SQLITE_PLACE_REPLACED] = "another file is at this path now",
        [SQLITE_PLACE_OVERWRITTEN] = "another program has overwritten the file",
        [SQLITE_PLACE_CUT] = "another program has cut the file short",
        [SQLITE_PLACE_WAL_GONE] = "its -wal is gone or replaced",
        [SQLITE_PLACE_WAL_CUT] = "its -wal is cut short or overwritten",
        [SQLITE_PLACE_SHM_GONE] = "its -shm is gone or replaced",
        [SQLITE_PLACE_LOCK_GONE] = "its -lock is gone or replaced",
    };

    return texts[finding];
}

/* ---- files */

static bool place_file_stat(const char *name, enum place_file which, struct stat *st)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s%s", name, place_endings[which]) < PATH_MAX &&
           stat(path, st) == 0;
}

static bool place_file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool place_file_read(int fd, void *bytes, size_t len, off_t at)
{
    return pread(fd, bytes, len, at) == (ssize_t)len;
}

/* ---- record in the lock file */

static void place_record_write(const struct sqlite_place *place, int lock)
{
    char text[128];
    int len = snprintf(
        text, sizeof(text), "database %ju of %jd bytes, wal %ju, lock %ju\n",
        (uintmax_t)place->at[PLACE_DATABASE].st_ino, (intmax_t)place->at[PLACE_DATABASE].st_size,
        (uintmax_t)place->at[PLACE_WAL].st_ino, (uintmax_t)place->at[PLACE_LOCK].st_ino);

    /* A missing record only means that a foreign WAL goes unnoticed at the next start. */
    if (ftruncate(lock, 0) != 0 || pwrite(lock, text, (size_t)len, 0) != len)
        errno = 0;
}

/* Returns true if the WAL and the lock file are those of the record, but the database is not. */
static bool place_record_accuses(const char *name, int lock)
{
    uintmax_t database, wal, own;
    struct stat at[PLACE_FILES];
    intmax_t bytes;
    char text[128];
    ssize_t len = pread(lock, text, sizeof(text) - 1, 0);

    text[len < 0 ? 0 : len] = '\0';
    if (sscanf(text, "database %ju of %jd bytes, wal %ju, lock %ju", &database, &bytes, &wal,
               &own) != 4 ||
        fstat(lock, &at[PLACE_LOCK]) != 0 || at[PLACE_LOCK].st_ino != own ||
        !place_file_stat(name, PLACE_WAL, &at[PLACE_WAL]) || at[PLACE_WAL].st_ino != wal ||
        at[PLACE_WAL].st_size == 0)
        return false;
    return !place_file_stat(name, PLACE_DATABASE, &at[PLACE_DATABASE]) ||
           at[PLACE_DATABASE].st_ino != database || at[PLACE_DATABASE].st_size < bytes;
}

/* ---- setting aside */

enum {
    ASIDE_MAX = 1000,
};

static char *place_move_wal(const char *name)
{
    char from[PATH_MAX], *to;

    snprintf(from, sizeof(from), "%s-wal", name);
    for (int i = 1; i <= ASIDE_MAX; i++) {
        if (asprintf(&to, "%s-wal.aside.%d", name, i) < 0)
            return NULL;
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
            return to;
        free(to);
        if (errno != EEXIST)
            break;
    }
    return NULL;
}

static void place_remove_shm(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s-shm", name);
    unlink(path);
}

char *sqlite_place_set_aside(const struct sqlite_place *place)
{
    struct stat st;
    char *moved = NULL;

    if (place_file_stat(place->name, PLACE_WAL, &st) &&
        place_file_is_same(&st, &place->at[PLACE_WAL]))
        moved = place_move_wal(place->name);
    if (place_file_stat(place->name, PLACE_SHM, &st) &&
        place_file_is_same(&st, &place->at[PLACE_SHM]))
        place_remove_shm(place->name);
    return moved;
}

char *sqlite_place_set_aside_stale(const char *name, int lock)
{
    char *moved = place_record_accuses(name, lock) ? place_move_wal(name) : NULL;

    if (moved != NULL)
        place_remove_shm(name);
    return moved;
}

/* ---- WAL index */

enum {
    INDEX_REGION = 32768,
    WAL_HEADER = 32,
    FRAME_HEADER = 24,
};

/* Copies the index that all connections share, and the numbers of copied frames behind it. Returns
 * false while another process changes the index. */
static bool place_index_read(const struct sqlite_place *place, struct sqlite_place_index *index,
                             uint32_t copied[2])
{
    const size_t begun_at = 32; /* nBackfillAttempted of SQLite's WalCkptInfo */
    volatile void *shared = NULL;
    struct sqlite_place_index copy;
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(place->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
            SQLITE_OK ||
        file->pMethods == NULL || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, INDEX_REGION, 0, &shared) != SQLITE_OK || shared == NULL)
        return false;
    memcpy(index, (const char *)shared, sizeof(*index));
    memcpy(&copy, (const char *)shared + sizeof(*index), sizeof(copy));
    memcpy(&copied[0], (const char *)shared + 2 * sizeof(*index), sizeof(copied[0]));
    memcpy(&copied[1], (const char *)shared + 2 * sizeof(*index) + begun_at, sizeof(copied[1]));
    return index->is_init && memcmp(index, &copy, sizeof(copy)) == 0;
}

static off_t place_page_size(const struct sqlite_place_index *index)
{
    return (index->page_size & 0xfe00) + ((index->page_size & 1) << 16);
}

static off_t place_frame_at(const struct sqlite_place_index *index, uint32_t frame)
{
    return WAL_HEADER + (off_t)(frame - 1) * (place_page_size(index) + FRAME_HEADER);
}

/* Looks for the last frame of the index in the WAL. A file that was cut and written again has zeros
 * before its last frame, so the WAL's header is read as well. */
static bool place_wal_has(const struct sqlite_place *place, const struct sqlite_place_index *index)
{
    unsigned char header[WAL_HEADER], frame[FRAME_HEADER];

    if (index->frames == 0)
        return true;
    return place_file_read(place->wal, header, sizeof(header), 0) &&
           memcmp(header + 16, index->salt, sizeof(index->salt)) == 0 &&
           place_file_read(place->wal, frame, sizeof(frame),
                           place_frame_at(index, index->frames)) &&
           memcmp(frame + 8, index->salt, sizeof(index->salt)) == 0;
}

static bool place_wal_is_whole(const struct sqlite_place *place, const struct stat *wal,
                               const struct sqlite_place_index *index)
{
    bool restarted = memcmp(index->salt, place->before.salt, sizeof(index->salt)) != 0;

    return (index->frames == 0 || wal->st_size >= place_frame_at(index, index->frames + 1)) &&
           place_wal_has(place, index) && (restarted || place_wal_has(place, &place->before));
}

/* ---- database */

/* Only a checkpoint writes to the database. It announces its frames before it writes and counts
 * them afterwards, so between two equal counts the file must not change. */
static bool place_is_overwritten(struct sqlite_place *place, const struct sqlite_place_index *index,
                                 const uint32_t copied[2])
{
    bool untouched = copied[0] == copied[1] &&
                     memcmp(copied, place->copied, sizeof(place->copied)) == 0 &&
                     memcmp(index->salt, place->before.salt, sizeof(index->salt)) == 0;
    char header[SQLITE_PLACE_HEADER] = {0};
    bool changed;

    if (pread(place->database, header, sizeof(header), 0) < 0)
        return false;
    changed = memcmp(header, place->header, sizeof(header)) != 0;
    memcpy(place->header, header, sizeof(header));
    memcpy(place->copied, copied, sizeof(place->copied));
    return untouched && changed;
}

/* VACUUM makes a file shorter, and its number of pages smaller. */
static bool place_is_cut(const struct sqlite_place *place, const struct stat *database,
                         const struct sqlite_place_index *index)
{
    return database->st_size < place->at[PLACE_DATABASE].st_size &&
           database->st_size < (off_t)index->pages * place_page_size(index);
}

static enum sqlite_place_finding place_compare(struct sqlite_place *place,
                                               const struct stat at[PLACE_FILES],
                                               const struct sqlite_place_index *index,
                                               const uint32_t copied[2])
{
    if (place_is_cut(place, &at[PLACE_DATABASE], index))
        return SQLITE_PLACE_CUT;
    if (place_is_overwritten(place, index, copied))
        return SQLITE_PLACE_OVERWRITTEN;
    return place_wal_is_whole(place, &at[PLACE_WAL], index) ? SQLITE_PLACE_GOOD
                                                            : SQLITE_PLACE_WAL_CUT;
}

/* A finding is void if a checkpoint or another writer changed the index meanwhile. */
static enum sqlite_place_finding place_check_contents(struct sqlite_place *place,
                                                      const struct stat at[PLACE_FILES])
{
    struct sqlite_place_index index, again;
    uint32_t copied[2], copied_again[2];
    enum sqlite_place_finding finding;

    if (!place_index_read(place, &index, copied))
        return SQLITE_PLACE_GOOD;
    finding = place_compare(place, at, &index, copied);
    if (finding != SQLITE_PLACE_GOOD && (!place_index_read(place, &again, copied_again) ||
                                         memcmp(&index, &again, sizeof(index)) != 0 ||
                                         memcmp(copied, copied_again, sizeof(copied)) != 0))
        finding = SQLITE_PLACE_GOOD;
    place->before = index;
    place->at[PLACE_DATABASE].st_size = at[PLACE_DATABASE].st_size;
    return finding;
}

bool sqlite_place_wal(const struct sqlite_place *place, struct sqlite_place_wal *wal)
{
    struct sqlite_place_index index;
    uint32_t copied[2];
    struct stat st;

    if (!place_index_read(place, &index, copied) || fstat(place->wal, &st) != 0)
        return false;
    *wal = (struct sqlite_place_wal){
        .bytes = st.st_size,
        .used_bytes = index.frames == 0 ? 0 : place_frame_at(&index, index.frames + 1),
        .frames = index.frames - copied[0],
    };
    return true;
}

/* Resolves symbolic links again, because another process would. */
enum sqlite_place_finding sqlite_place_check(struct sqlite_place *place)
{
    static const enum sqlite_place_finding missing[PLACE_FILES] = {
        SQLITE_PLACE_GONE, SQLITE_PLACE_WAL_GONE, SQLITE_PLACE_SHM_GONE, SQLITE_PLACE_LOCK_GONE};
    struct stat at[PLACE_FILES];
    char name[PATH_MAX];

    if (realpath(place->path, name) == NULL)
        return SQLITE_PLACE_GONE;
    for (int i = 0; i < PLACE_FILES; i++) {
        bool found = place_file_stat(name, (enum place_file)i, &at[i]);

        if (found && place_file_is_same(&at[i], &place->at[i]))
            continue;
        return found && i == PLACE_DATABASE ? SQLITE_PLACE_REPLACED : missing[i];
    }
    return place_check_contents(place, at);
}

/* ---- open and close */

bool sqlite_place_open(struct sqlite_place *place, sqlite3 *sqlite, const char *path,
                       const char *name, int database, int lock)
{
    char wal[PATH_MAX];

    *place = (struct sqlite_place){.sqlite = sqlite, .path = path, .database = database, .wal = -1};
    if ((place->name = strdup(name)) == NULL)
        return false;
    for (int i = 0; i < PLACE_FILES; i++)
        if (!place_file_stat(name, (enum place_file)i, &place->at[i]))
            return false;
    snprintf(wal, sizeof(wal), "%s-wal", name);
    place->wal = open(wal, O_RDONLY | O_CLOEXEC);
    if (place->wal < 0 || pread(database, place->header, sizeof(place->header), 0) < 0)
        return false;
    place_index_read(place, &place->before, place->copied);
    place_record_write(place, lock);
    return true;
}

void sqlite_place_close(struct sqlite_place *place)
{
    if (place->wal >= 0)
        close(place->wal);
    free(place->name);
    *place = (struct sqlite_place){.wal = -1};
}

/* ---- network file systems */

const char *sqlite_place_network(const char *path)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } kinds[] = {
        {0x6969, "NFS"},      {0x517b, "SMB"},        {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
        {0x01021997, "9p"},   {0x00c36400, "Ceph"},   {0x5346414f, "AFS"},  {0x73757245, "Coda"},
        {0x47504653, "GPFS"}, {0x0bd00bd0, "Lustre"}, {0x564c, "NCP"},
    };
    struct statfs disk;
    char *copy = strdup(path);
    bool known = statfs(path, &disk) == 0 || (copy != NULL && statfs(dirname(copy), &disk) == 0);

    free(copy);
    for (size_t i = 0; known && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if ((unsigned long)disk.f_type == kinds[i].magic || (uint32_t)disk.f_type == kinds[i].magic)
            return kinds[i].name;
    return NULL;
}
