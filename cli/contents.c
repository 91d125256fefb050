/* SPDX-License-Identifier: MIT */
#include "cli/contents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_SIZE = 1 << 16
};

const char *file_contents_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

static bool file_contents_fail(const char *file, const char *what, char why[FILE_CONTENTS_WHY_SIZE])
{
    snprintf(why, FILE_CONTENTS_WHY_SIZE, "%s: %s", file_contents_name(file), what);
    return false;
}

/* One byte is left for the NUL. */
static bool file_contents_grow(struct file_contents *contents, size_t *size)
{
    size_t bigger = *size == 0 ? FIRST_SIZE : 2 * *size;
    char *base = realloc(contents->base, bigger);

    if (base == NULL)
        return false;
    contents->base = base;
    *size = bigger;
    return true;
}

static bool file_contents_read_all(struct file_contents *contents, int fd, const char *file,
                                   char *why)
{
    size_t size = 0;
    ssize_t n;

    do {
        if (contents->len + 1 >= size && !file_contents_grow(contents, &size))
            return file_contents_fail(file, "out of memory", why);
        n = read(fd, contents->base + contents->len, size - contents->len - 1);
        if (n < 0 && errno != EINTR)
            return file_contents_fail(file, strerror(errno), why);
        if (n > 0)
            contents->len += (size_t)n;
        if (contents->len > FILE_CONTENTS_MAX)
            return file_contents_fail(
                file, "it has more than 64 MiB, which is more than this reads", why);
    } while (n != 0);
    contents->base[contents->len] = '\0';
    return true;
}

bool file_contents_read(struct file_contents *contents, const char *file,
                        char why[FILE_CONTENTS_WHY_SIZE])
{
    static bool is_taken; /* Who comes second would find it empty. */
    bool standard = strcmp(file, "-") == 0, good;
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *contents = (struct file_contents){NULL, 0};
    if (standard && is_taken)
        return file_contents_fail(
            file, "it is given for two files: expected another one for one of them", why);
    is_taken |= standard;
    if (fd < 0)
        return file_contents_fail(file, strerror(errno), why);
    good = file_contents_read_all(contents, fd, file, why);
    if (!standard)
        close(fd);
    if (!good)
        file_contents_free(contents);
    return good;
}

void file_contents_free(struct file_contents *contents)
{
    free(contents->base);
    *contents = (struct file_contents){NULL, 0};
}
