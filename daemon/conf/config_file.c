/* SPDX-License-Identifier: MIT */
#include "daemon/conf/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/conf/config.h"
#include "daemon/conf/places.h"
#include "daemon/conf/reader.h"
#include "daemon/conf/value.h"
#include "daemon/conf/include.h"

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof(*c));

    if (c != NULL)
        config_value_fill(NULL, c);
    return c;
}

void *config_add(const char *key, void *map)
{
    return config_value_add(config_table_row(key), map);
}

void config_free(struct config **config)
{
    struct config *c = *config;

    *config = NULL;
    if (c == NULL)
        return;
    config_value_free(NULL, c);
    config_places_free(&c->slots);
    free(c);
}

static bool config_include_file(struct config *c, const char *file, char *why)
{
    struct stat st;

    if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: not a regular file", file);
        return false;
    }
    return config_reader_read(c, file, true, why);
}

static bool config_include_all(struct config *c, const char *file, char *why)
{
    struct include include;
    bool good = true;

    if (c->include == NULL)
        return true;
    if (!include_open(&include, file, c->include)) {
        int error = errno;
        size_t len = config_locate(c, "include", why, CONFIG_WHY_SIZE);

        snprintf(why + len, CONFIG_WHY_SIZE - len, "include: %s: %s", c->include, strerror(error));
        return false;
    }
    for (size_t i = 0; i < include.count && good; i++)
        good = config_include_file(c, include.files[i], why);
    include_close(&include);
    return good;
}

struct config *config_file_read(const char *file, char *why)
{
    struct config *c = config_new();

    if (c != NULL)
        c->slots = config_places_new();
    if (c == NULL || c->slots == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: out of memory", file);
        config_free(&c);
    } else if (!config_reader_read(c, file, false, why) || !config_include_all(c, file, why) ||
               !config_complete(c, why)) {
        config_free(&c);
    }
    return c;
}

/* The state folder is what the service manager would set. */
struct config *config_file_read_outside(const char *file, char *why)
{
    setenv("STATE_DIRECTORY", "/var/lib/hookline", 0);
    return config_file_read(file, why);
}
