/* SPDX-License-Identifier: MIT */
#include "daemon/conf/include.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* Joins folder and pattern, with the folder's own wildcards escaped. */
static char *include_join(const char *file, const char *pattern)
{
    const char *slash = strrchr(file, '/');
    size_t folder = slash == NULL || pattern[0] == '/' ? 0 : (size_t)(slash - file) + 1;
    char *all = malloc(2 * folder + strlen(pattern) + 1), *to = all;

    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < folder; i++) {
        if (strchr("*?[]\\", file[i]) != NULL)
            *to++ = '\\';
        *to++ = file[i];
    }
    memcpy(to, pattern, strlen(pattern) + 1);
    return all;
}

static int include_glob_fail(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

bool include_open(struct include *include, const char *file, const char *pattern)
{
    char *all = include_join(file, pattern);
    glob_t found = {0};
    int code;

    *include = (struct include){0};
    errno = ENOMEM;
    if (all == NULL)
        return false;
    code = glob(all, 0, include_glob_fail, &found);
    free(all);
    if (code != 0) {
        int saved = errno;

        globfree(&found);
        errno = saved;
        return code == GLOB_NOMATCH;
    }
    include->files = found.gl_pathv;
    include->count = found.gl_pathc;
    return true;
}

void include_close(struct include *include)
{
    glob_t found = {.gl_pathc = include->count, .gl_pathv = include->files};

    if (include->files != NULL)
        globfree(&found);
    *include = (struct include){0};
}
