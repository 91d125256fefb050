/* SPDX-License-Identifier: MIT
 *
 * A module that tests preload into hooklined: a disk that loses power or fails on request.
 *
 * $UNSYNCED_FOLDER/NAME is the kernel's page cache of a file: visible to all processes, and it
 * survives a kill -9. $UNSYNCED_DISK/NAME is the file on the disk. To cut the power, the test kills
 * the process and replaces the first files by the second ones. The model:
 *
 *  - fsync() or fdatasync() copies earlier writes to the disk, in pages of 4 KiB. The test may copy
 *    others, because real disks write pages at any time, in any order;
 *  - the length of a file on the disk is that of its last fsync;
 *  - the fsync of a folder makes creations and removals of files durable. Linux's journals promise
 *    a bit more, POSIX does not;
 *  - a kill during an fsync leaves a part of the pages on the disk;
 *  - a failed fsync loses the pages but marks them clean, and the next fsync succeeds, as on Linux.
 *
 * NAME-shm is ignored, because SQLite rebuilds it.
 *
 * $UNSYNCED_FAULTS names a file, read at each call, with these lines:
 *
 *  - "CALL NAME ERRNO", such as "fsync store.db-wal EIO": CALL is open, write, truncate or fsync,
 *    NAME may be *;
 *  - "room BYTES": the limit for all files of the folder;
 *  - "slow MICROSECONDS" or "slow NAME MICROSECONDS": the time of an fsync, of any file or NAME.
 *    The removal of the line ends the wait.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    FILES = 32,
    DESCRIPTORS = 1 << 16,
    FOLDER = FILES, /* instead of a file's index */
};

struct file {
    char name[NAME_MAX + 1]; /* "" after removal */
    unsigned opened;         /* number of descriptors */
    int disk;                /* the file on the disk; -1: none */
    unsigned char *dirty;    /* one byte per page */
    size_t pages;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES];
static _Atomic unsigned char of_descriptor[DESCRIPTORS]; /* the file's index + 1 */

/* libc's function of that name. ISO C cannot convert an object pointer to a function. */
#define NEXT(name, ...)                                                                            \
    ({                                                                                             \
        static void *next;                                                                         \
        void *found = __atomic_load_n(&next, __ATOMIC_RELAXED);                                    \
        __typeof__(&name) libcs;                                                                   \
        if (found == NULL) {                                                                       \
            found = dlsym(RTLD_NEXT, #name);                                                       \
            __atomic_store_n(&next, found, __ATOMIC_RELAXED);                                      \
        }                                                                                          \
        *(void **)&libcs = found;                                                                  \
        libcs(__VA_ARGS__);                                                                        \
    })

/* ---- faults */

static const struct {
    const char *name;
    int number;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};

/* The value of the first line that begins with these words, or "". */
static void read_fault(const char *call, const char *name, char value[32])
{
    const char *path = getenv("UNSYNCED_FAULTS");
    char text[1024], *line, *rest = text, word[16], second[NAME_MAX + 1], third[32];
    int fd = path == NULL ? -1 : NEXT(open64, path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    value[0] = '\0';
    if (fd >= 0)
        NEXT(close, fd);
    text[len < 0 ? 0 : len] = '\0';
    while ((line = strsep(&rest, "\n")) != NULL) {
        int words = sscanf(line, "%15s %255s %31s", word, second, third);

        if (words < 2 || strcmp(word, call) != 0)
            continue;
        if (name == NULL)
            snprintf(value, 32, "%.31s", second);
        else if (words == 3 && (strcmp(second, "*") == 0 || strcmp(second, name) == 0))
            snprintf(value, 32, "%.31s", third);
        else
            continue;
        return;
    }
}

/* Returns true, with errno set, if the call must fail. */
static bool fails(const char *call, const char *name)
{
    char value[32];

    read_fault(call, name, value);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        if (strcmp(value, errors[i].name) == 0) {
            errno = errors[i].number;
            return true;
        }
    }
    return false;
}

static off64_t bytes_in_folder(void)
{
    off64_t sum = 0;
    DIR *folder = opendir(getenv("UNSYNCED_FOLDER"));

    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        struct stat64 status;

        if (fstatat64(dirfd(folder), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode))
            sum += status.st_size;
    }
    if (folder != NULL)
        closedir(folder);
    return sum;
}

/* The bytes of a write that fit; an overwrite needs no room. */
static size_t room_for(int fd, size_t len, off64_t offset)
{
    char value[32];
    struct stat64 status;
    off64_t grows, room;

    read_fault("room", NULL, value);
    if (value[0] == '\0' || fstat64(fd, &status) != 0)
        return len;
    grows = offset + (off64_t)len - status.st_size;
    room = strtoll(value, NULL, 10) - bytes_in_folder();
    if (grows <= 0 || grows <= room)
        return len;
    room = room > 0 ? room : 0;
    return (off64_t)len > grows - room ? len - (size_t)(grows - room) : 0;
}

/* ---- dirty pages and the disk; under the mutex */

static void broken(const char *what, const char *name)
{
    fprintf(stderr, "unsynced: %s %s: %s\n", what, name, strerror(errno));
    abort();
}

static void path_on_disk(const char *name, const char *suffix, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s%s", getenv("UNSYNCED_DISK"), name, suffix);
}

static void mark(struct file *file, off64_t offset, off64_t len)
{
    size_t first = (size_t)(offset / PAGE), end = (size_t)((offset + len + PAGE - 1) / PAGE);

    if (end > file->pages) {
        unsigned char *dirty = realloc(file->dirty, end);

        if (dirty == NULL)
            broken("memory for", file->name);
        memset(dirty + file->pages, 0, end - file->pages);
        file->dirty = dirty;
        file->pages = end;
    }
    if (end > first)
        memset(file->dirty + first, 1, end - first);
}

static void copy_page(const struct file *file, int fd, off64_t offset)
{
    char page[PAGE];
    ssize_t len = pread64(fd, page, sizeof(page), offset);

    if (len < 0 || NEXT(pwrite64, file->disk, page, (size_t)len, offset) != len)
        broken("cannot copy", file->name);
}

/* A failed fsync loses its pages; no later fsync writes them. */
static void sync_file(struct file *file, int fd, bool lost)
{
    struct stat64 status;

    if (fstat64(fd, &status) != 0)
        broken("cannot stat", file->name);
    for (size_t i = 0; i < file->pages; i++) {
        if (file->dirty[i] && !lost)
            copy_page(file, fd, (off64_t)i * PAGE);
        file->dirty[i] = 0;
    }
    if (!lost && NEXT(ftruncate64, file->disk, status.st_size) != 0)
        broken("cannot cut", file->name);
}

/* "NAME.new" is a file without a durable folder entry. */
static void sync_folder(void)
{
    DIR *folder = opendir(getenv("UNSYNCED_DISK"));

    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char here[PATH_MAX], there[PATH_MAX], name[NAME_MAX + 1];
        size_t len = strlen(entry->d_name);

        memcpy(name, entry->d_name, len + 1);
        path_on_disk(name, "", there);
        if (len > 4 && strcmp(name + len - 4, ".new") == 0) {
            name[len - 4] = '\0';
            path_on_disk(name, "", here);
            rename(there, here);
        } else if (entry->d_type == DT_REG) {
            snprintf(here, sizeof(here), "%s/%s", getenv("UNSYNCED_FOLDER"), name);
            if (access(here, F_OK) != 0)
                NEXT(unlink, there);
        }
    }
    if (folder != NULL)
        closedir(folder);
}

/* ---- descriptors */

/* The name in the emulated folder, "" for the folder itself, NULL for other paths. */
static const char *name_of(const char *path)
{
    const char *folder = getenv("UNSYNCED_FOLDER");
    size_t len = folder == NULL ? 0 : strlen(folder);

    if (len == 0 || path == NULL || strncmp(path, folder, len) != 0)
        return NULL;
    if (path[len] == '\0')
        return path + len;
    return path[len] == '/' && strchr(path + len + 1, '/') == NULL ? path + len + 1 : NULL;
}

static bool is_shared_memory(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, "-shm") == 0;
}

static struct file *look_up(int fd)
{
    int i = fd >= 0 && fd < DESCRIPTORS ? of_descriptor[fd] - 1 : -1;

    return i >= 0 && i < FILES ? &files[i] : NULL;
}

static struct file *find_file(const char *name)
{
    for (int i = 0; i < FILES; i++) {
        if (files[i].opened > 0 && strcmp(files[i].name, name) == 0)
            return &files[i];
    }
    for (int i = 0; i < FILES; i++) {
        if (files[i].opened == 0)
            return &files[i];
    }
    errno = EMFILE;
    broken("too many files:", name);
    return NULL;
}

/* Marks all pages dirty, because an earlier process may have left unsynced ones. */
static void begin(struct file *file, int fd, const char *name, bool made)
{
    char path[PATH_MAX];
    struct stat64 status;

    snprintf(file->name, sizeof(file->name), "%s", name);
    file->disk = -1;
    if (is_shared_memory(name))
        return;
    path_on_disk(name, ".new", path);
    if (!made && access(path, F_OK) != 0)
        path_on_disk(name, "", path);
    file->disk = NEXT(open64, path, O_RDWR | O_CREAT | O_CLOEXEC | (made ? O_TRUNC : 0), 0600);
    if (file->disk < 0 || fstat64(fd, &status) != 0)
        broken("cannot open the disk's", name);
    mark(file, 0, status.st_size);
}

static void opened(int fd, const char *name, bool made)
{
    struct file *file;

    if (fd >= DESCRIPTORS)
        return;
    pthread_mutex_lock(&mutex);
    if (name[0] == '\0') {
        of_descriptor[fd] = FOLDER + 1;
    } else {
        file = find_file(name);
        if (file->opened++ == 0)
            begin(file, fd, name, made);
        of_descriptor[fd] = (unsigned char)(file - files + 1);
    }
    pthread_mutex_unlock(&mutex);
}

static void closed(int fd)
{
    struct file *file;

    pthread_mutex_lock(&mutex);
    file = look_up(fd);
    of_descriptor[fd] = 0;
    if (file != NULL && --file->opened == 0) {
        if (file->disk >= 0)
            NEXT(close, file->disk);
        free(file->dirty);
        *file = (struct file){.disk = -1};
    }
    pthread_mutex_unlock(&mutex);
}

/* ---- system calls */

static int open_file(const char *path, int flags, mode_t mode)
{
    const char *name = name_of(path);
    bool made = name != NULL && access(path, F_OK) != 0;
    int fd;

    if (name != NULL && (flags & O_ACCMODE) != O_RDONLY && fails("open", name))
        return -1;
    fd = NEXT(open64, path, flags, mode);
    if (fd >= 0 && name != NULL && (name[0] == '\0' || (flags & O_ACCMODE) == O_RDWR))
        opened(fd, name, made);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_file(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_file(path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS && of_descriptor[fd] != 0)
        closed(fd);
    return NEXT(close, fd);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
    struct file *file = look_up(fd);
    ssize_t written;

    if (file == NULL)
        return NEXT(pwrite64, fd, data, len, offset);
    if (fails("write", file->name))
        return -1;
    pthread_mutex_lock(&mutex);
    len = room_for(fd, len, offset);
    written = len == 0 ? -1 : NEXT(pwrite64, fd, data, len, offset);
    if (len == 0)
        errno = ENOSPC;
    else if (written > 0)
        mark(file, offset, written);
    pthread_mutex_unlock(&mutex);
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    return pwrite64(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
    struct file *file = look_up(fd);
    off64_t offset;
    ssize_t written;

    if (file == NULL)
        return NEXT(write, fd, data, len);
    offset = lseek64(fd, 0, SEEK_CUR);
    written = pwrite64(fd, data, len, offset);
    if (written > 0)
        lseek64(fd, offset + written, SEEK_SET);
    return written;
}

int ftruncate64(int fd, off64_t len)
{
    struct file *file = look_up(fd);
    struct stat64 status;
    int result;

    if (file == NULL)
        return NEXT(ftruncate64, fd, len);
    if (fails("truncate", file->name))
        return -1;
    pthread_mutex_lock(&mutex);
    /* A file that shrinks and grows again has zeros there. */
    if (fstat64(fd, &status) == 0)
        mark(file, len < status.st_size ? len : status.st_size, llabs(status.st_size - len));
    result = NEXT(ftruncate64, fd, len);
    pthread_mutex_unlock(&mutex);
    return result;
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

static void take_time(const char *name)
{
    char slow[32];
    long left, step = 5000;

    for (long passed = 0;; passed += step) {
        read_fault("slow", name, slow);
        if ((left = strtol(slow, NULL, 10) - passed) <= 0)
            return;
        usleep((useconds_t)(left < step ? left : step));
    }
}

static int sync_descriptor(int fd)
{
    struct file *file = look_up(fd);
    bool lost;

    take_time(NULL);
    if (file != NULL)
        take_time(file->name);
    pthread_mutex_lock(&mutex);
    lost = fails("fsync", file == NULL ? "." : file->name);
    if (file != NULL && file->disk >= 0)
        sync_file(file, fd, lost);
    else if (file == NULL && !lost)
        sync_folder();
    pthread_mutex_unlock(&mutex);
    return lost ? -1 : 0;
}

int fdatasync(int fd)
{
    bool ours = fd >= 0 && fd < DESCRIPTORS && of_descriptor[fd] != 0;

    return ours ? sync_descriptor(fd) : NEXT(fdatasync, fd);
}

int fsync(int fd)
{
    bool ours = fd >= 0 && fd < DESCRIPTORS && of_descriptor[fd] != 0;

    return ours ? sync_descriptor(fd) : NEXT(fsync, fd);
}

int unlink(const char *path)
{
    const char *name = name_of(path);

    if (name != NULL) {
        pthread_mutex_lock(&mutex);
        for (int i = 0; i < FILES; i++) {
            if (files[i].opened > 0 && strcmp(files[i].name, name) == 0)
                files[i].name[0] = '\0';
        }
        pthread_mutex_unlock(&mutex);
    }
    return NEXT(unlink, path);
}
