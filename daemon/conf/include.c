/* SPDX-License-Identifier: MIT */
#include "daemon/conf/include.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/yaml_line.h"

/* The folder is no part of the pattern, whatever its name is. */
static char *join(const char *file, const char *pattern)
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

static int fail(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

/* The list is glob()'s, but for its type. */
bool include_open(struct include *include, const char *file, const char *pattern)
{
    char *all = join(file, pattern);
    glob_t found = {0};
    int code;

    *include = (struct include){0};
    errno = ENOMEM;
    if (all == NULL)
        return false;
    code = glob(all, 0, fail, &found);
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

static void set(struct include_place *place, const char *file, const char *key)
{
    snprintf(place->file, sizeof(place->file), "%s", file);
    snprintf(place->key, sizeof(place->key), "%s", key);
}

/* Splits "sources/7/scheme". False for other keys. */
static bool split(const char *key, char list[16], size_t *index, const char **rest)
{
    static const char *const lists[] = {"sources", "destinations"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        size_t len = strlen(lists[i]);
        char *end;

        if (strncmp(key, lists[i], len) != 0 || key[len] != '/')
            continue;
        memcpy(list, lists[i], len + 1);
        *index = strtoul(key + len + 1, &end, 10);
        *rest = end;
        return true;
    }
    return false;
}

static void find_included(const char *file, const char *pattern, const char *list, size_t index,
                          const char *rest, struct include_place *place)
{
    struct include include;

    if (!include_open(&include, file, pattern))
        return;
    for (size_t i = 0; i < include.count; i++) {
        size_t count = yaml_line_count(include.files[i], list);

        if (index < count) {
            char key[sizeof(place->key)];

            snprintf(key, sizeof(key), "%s/%zu%s", list, index, rest);
            set(place, include.files[i], key);
            break;
        }
        index -= count;
    }
    include_close(&include);
}

void include_find(const char *file, const char *key, struct include_place *place)
{
    char list[16], *pattern;
    const char *rest;
    size_t index, count;

    set(place, file, key);
    if (!split(key, list, &index, &rest) || index < (count = yaml_line_count(file, list)) ||
        (pattern = yaml_line_text(file, "include")) == NULL)
        return;
    find_included(file, pattern, list, index - count, rest, place);
    free(pattern);
}
