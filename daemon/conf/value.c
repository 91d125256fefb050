/* SPDX-License-Identifier: MIT */
#include "daemon/conf/value.h"

#include <stdlib.h>
#include <string.h>

static void *config_value_at(const struct config_row *row, void *map)
{
    return (char *)map + row->at;
}

static unsigned *config_value_length(const struct config_row *list, void *map)
{
    return (unsigned *)(void *)((char *)map + list->count_at);
}

static void config_value_store(size_t size, void *at, uint64_t number)
{
    if (size == sizeof(uint64_t))
        *(uint64_t *)at = number;
    else
        *(unsigned *)at = (unsigned)number;
}

void config_value_fill(const struct config_row *parent, void *map)
{
    const struct config_row *row = NULL;

    while ((row = config_table_child(parent, row)) != NULL) {
        if (row->kind == CONFIG_FLAG)
            *(bool *)config_value_at(row, map) = row->unset != 0;
        if (row->kind == CONFIG_NUMBER && !row->pointer)
            config_value_store(row->size, config_value_at(row, map), row->unset);
        if (row->kind == CONFIG_MAP && !row->pointer)
            config_value_fill(row, config_value_at(row, map));
    }
}

void *config_value_map(const struct config_row *row, void *map)
{
    void *at = config_value_at(row, map);

    if (!row->pointer)
        return at;
    if ((*(void **)at = calloc(1, row->size)) != NULL)
        config_value_fill(row, *(void **)at);
    return *(void **)at;
}

unsigned config_value_count(const struct config_row *list, const void *map)
{
    return *(const unsigned *)(const void *)((const char *)map + list->count_at);
}

void *config_value_add(const struct config_row *list, void *map)
{
    void **items = config_value_at(list, map);
    unsigned *count = config_value_length(list, map);
    char *bigger = realloc(*items, (*count + (size_t)1) * list->size), *item;

    if (bigger == NULL)
        return NULL;
    *items = bigger;
    item = bigger + *count * list->size;
    memset(item, 0, list->size);
    ++*count;
    if (list->kind == CONFIG_MAPS)
        config_value_fill(list, item);
    return item;
}

bool config_value_set_number(const struct config_row *row, void *map, uint64_t number)
{
    void *at = config_value_at(row, map);

    if (row->pointer && (at = *(void **)at = malloc(row->size)) == NULL)
        return false;
    config_value_store(row->size, at, number);
    return true;
}

static void config_value_free_list(const struct config_row *list, void *map)
{
    char *items = *(void **)config_value_at(list, map);
    unsigned count = config_value_count(list, map);

    for (unsigned i = 0; i < count; i++) {
        void *item = items + i * list->size;

        if (list->kind == CONFIG_TEXTS)
            free(*(char **)item);
        if (list->kind == CONFIG_MAPS)
            config_value_free(list, item);
    }
    free(items);
}

static void config_value_free_row(const struct config_row *row, void *map)
{
    void *at = config_value_at(row, map);

    switch (row->kind) {
    case CONFIG_FLAG:
    case CONFIG_CHOICE:
        break;
    case CONFIG_TEXT:
        free(*(char **)at);
        break;
    case CONFIG_NUMBER:
        if (row->pointer)
            free(*(void **)at);
        break;
    case CONFIG_MAP:
        if (!row->pointer)
            config_value_free(row, at);
        else if (*(void **)at != NULL)
            config_value_free(row, *(void **)at);
        if (row->pointer)
            free(*(void **)at);
        break;
    case CONFIG_MAPS:
    case CONFIG_TEXTS:
    case CONFIG_NUMBERS:
        config_value_free_list(row, map);
        break;
    }
}

void config_value_free(const struct config_row *parent, void *map)
{
    const struct config_row *row = NULL;

    while ((row = config_table_child(parent, row)) != NULL)
        config_value_free_row(row, map);
}
