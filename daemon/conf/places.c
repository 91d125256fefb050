/* SPDX-License-Identifier: MIT */
#include "daemon/conf/places.h"

#include <stdlib.h>
#include <string.h>

struct config_place {
    char *path;
    size_t file;
    unsigned line;
};

struct config_places {
    char **files;
    size_t files_count;
    struct config_place *at;
    size_t count, room;
};

struct config_places *config_places_new(void)
{
    return calloc(1, sizeof(struct config_places));
}

void config_places_free(struct config_places **places)
{
    struct config_places *p = *places;

    *places = NULL;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->files_count; i++)
        free(p->files[i]);
    for (size_t i = 0; i < p->count; i++)
        free(p->at[i].path);
    free(p->files);
    free(p->at);
    free(p);
}

bool config_places_begin(struct config_places *p, const char *file)
{
    char **files = realloc(p->files, (p->files_count + 1) * sizeof(*files));

    if (files == NULL)
        return false;
    p->files = files;
    if ((files[p->files_count] = strdup(file)) == NULL)
        return false;
    p->files_count++;
    return true;
}

bool config_places_add(struct config_places *p, const char *path, unsigned line)
{
    if (p->count == p->room) {
        size_t room = p->room == 0 ? 64 : 2 * p->room;
        struct config_place *at = realloc(p->at, room * sizeof(*at));

        if (at == NULL)
            return false;
        p->at = at;
        p->room = room;
    }
    p->at[p->count] = (struct config_place){strdup(path), p->files_count - 1, line};
    if (p->at[p->count].path == NULL)
        return false;
    p->count++;
    return true;
}

static const struct config_place *config_places_lookup(const struct config_places *p,
                                                       const char *path, size_t len)
{
    for (size_t i = 0; p != NULL && i < p->count; i++)
        if (strncmp(p->at[i].path, path, len) == 0 && p->at[i].path[len] == '\0')
            return &p->at[i];
    return NULL;
}

const char *config_places_find(const struct config_places *p, const char *path, unsigned *line)
{
    const struct config_place *place;
    size_t len = strlen(path);

    while ((place = config_places_lookup(p, path, len)) == NULL && len > 0)
        for (len--; len > 0 && path[len] != '/';)
            len--;
    if (place == NULL)
        return NULL;
    *line = place->line;
    return p->files[place->file];
}

bool config_places_has(const struct config_places *p, const char *path)
{
    return config_places_lookup(p, path, strlen(path)) != NULL;
}
