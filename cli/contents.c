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

const char *contents_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

static bool complain(const char *file, const char *what, char why[CONTENTS_WHY_SIZE])
{
    snprintf(why, CONTENTS_WHY_SIZE, "%s: %s", contents_name(file), what);
    return false;
}

/* One byte is left for the NUL. */
static bool grow(struct contents *contents, size_t *size)
{
    size_t bigger = *size == 0 ? FIRST_SIZE : 2 * *size;
    char *base = realloc(contents->base, bigger);

    if (base == NULL)
        return false;
    contents->base = base;
    *size = bigger;
    return true;
}

static bool read_all(struct contents *contents, int fd, const char *file, char *why)
{
    size_t size = 0;
    ssize_t n;

    do {
        if (contents->len + 1 >= size && !grow(contents, &size))
            return complain(file, "out of memory", why);
        n = read(fd, contents->base + contents->len, size - contents->len - 1);
        if (n < 0 && errno != EINTR)
            return complain(file, strerror(errno), why);
        if (n > 0)
            contents->len += (size_t)n;
        if (contents->len > CONTENTS_MAX)
            return complain(file, "it has more than 64 MiB, which is more than this reads", why);
    } while (n != 0);
    contents->base[contents->len] = '\0';
    return true;
}

bool contents_read(struct contents *contents, const char *file, char why[CONTENTS_WHY_SIZE])
{
    static bool is_taken; /* Who comes second would find it empty. */
    bool standard = strcmp(file, "-") == 0, good;
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *contents = (struct contents){NULL, 0};
    if (standard && is_taken)
        return complain(file, "it is given for two files: expected another one for one of them",
                        why);
    is_taken |= standard;
    if (fd < 0)
        return complain(file, strerror(errno), why);
    good = read_all(contents, fd, file, why);
    if (!standard)
        close(fd);
    if (!good)
        contents_free(contents);
    return good;
}

void contents_free(struct contents *contents)
{
    free(contents->base);
    *contents = (struct contents){NULL, 0};
}
