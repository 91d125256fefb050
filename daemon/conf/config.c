/* SPDX-License-Identifier: MIT */
#include "daemon/conf/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/net.h"

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

/* Returns the file of the path, or of its nearest known ancestor, and sets *line; NULL if none. */
static const char *config_places_find(const struct config_places *p, const char *path,
                                      unsigned *line)
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

/* True if the path itself is known. */
static bool config_places_has(const struct config_places *p, const char *path)
{
    return config_places_lookup(p, path, strlen(path)) != NULL;
}

enum {
    THREADS_MAX = 256
};

/* ---- places */

size_t config_locate(const struct config *c, const char *key, char *out, size_t size)
{
    const char *file;
    unsigned line;
    int len;

    if (c->places == NULL)
        len = snprintf(out, size, "command line: ");
    else if ((file = config_places_find(c->places, key, &line)) == NULL)
        len = snprintf(out, size, "configuration: ");
    else
        len = snprintf(out, size, "%s:%u: ", file, line);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

void config_place(const struct config *c, const char *key, char *out, size_t size)
{
    unsigned line;
    const char *file = config_places_find(c->places, key, &line);

    out[0] = '\0';
    if (file != NULL)
        snprintf(out, size, " (first defined at %s:%u)", file, line);
}

bool config_has(const struct config *c, const char *key)
{
    return c->places != NULL && config_places_has(c->places, key);
}

static bool config_fail(const struct config *c, char *why, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool config_fail(const struct config *c, char *why, const char *key, const char *format, ...)
{
    size_t len = config_locate(c, key, why, CONFIG_WHY_SIZE);
    va_list args;

    va_start(args, format);
    vsnprintf(why + len, CONFIG_WHY_SIZE - len, format, args);
    va_end(args);
    return false;
}

/* ---- checks */

bool config_is_name(const char *name)
{
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL)
            return false;
    return true;
}

/* Reports both places, which may be in different files, because either may be the wrong one. */
static bool config_check_pair(const struct config *c, unsigned i, unsigned j, char *why)
{
    const struct config_source *source = &c->sources[i], *other = &c->sources[j];
    bool same_name = strcmp(source->name, other->name) == 0;
    char key[64], place[CONFIG_WHY_SIZE];

    if (!same_name && strcmp(source->path, other->path) != 0)
        return true;
    snprintf(key, sizeof(key), "sources/%u/path", j);
    if (same_name || !config_has(c, key))
        snprintf(key, sizeof(key), "sources/%u/name", j); /* the name makes the path */
    config_place(c, key, place, sizeof(place));
    snprintf(key, sizeof(key), "sources/%u/%s", i, same_name ? "name" : "path");
    if (same_name)
        return config_fail(c, why, key, "duplicate source name %s%s", source->name, place);
    return config_fail(c, why, key, "source %s: duplicate path %s, used by source %s%s",
                       source->name, source->path, other->name, place);
}

static bool config_is_path(const char *path)
{
    return path[0] == '/' && strpbrk(path, "?# \t\r\n") == NULL;
}

static bool config_check_source(struct config *c, unsigned i, char *why)
{
    struct config_source *source = &c->sources[i];
    char key[64];

    snprintf(key, sizeof(key), "sources/%u/name", i);
    if (!config_is_name(source->name))
        return config_fail(
            c, why, key, "source name with an invalid character; type letters, digits, - _ and .");
    snprintf(key, sizeof(key), "sources/%u", i);
    if (source->scheme == NULL && source->description == NULL)
        return config_fail(c, why, key,
                           "source %s: no signature scheme; type a scheme or a description",
                           source->name);
    snprintf(key, sizeof(key), "sources/%u/description", i);
    if (source->scheme != NULL && source->description != NULL)
        return config_fail(c, why, key,
                           "source %s: two signature schemes; type a scheme or a description, not "
                           "both",
                           source->name);
    if (source->path == NULL && asprintf(&source->path, "/%s", source->name) < 0) {
        source->path = NULL;
        return config_fail(c, why, key, "out of memory");
    }
    snprintf(key, sizeof(key), "sources/%u/path", i);
    if (!config_is_path(source->path))
        return config_fail(c, why, key,
                           "source %s: invalid path; type / first, and no ?, # or white space",
                           source->name);
    for (unsigned j = 0; j < i; j++)
        if (!config_check_pair(c, i, j, why))
            return false;
    return true;
}

bool config_is_one_secret(const struct config_secret *s)
{
    return (s->file != NULL) + (s->env != NULL) + (s->credential != NULL) == 1;
}

static bool config_check_label(const struct config *c, unsigned i, unsigned j, char *why)
{
    const struct config_source *source = &c->sources[i];
    const char *label = source->secrets[j].label;
    char key[64];

    snprintf(key, sizeof(key), "sources/%u/secrets/%u/label", i, j);
    if (label == NULL)
        return true;
    if (!config_is_name(label))
        return config_fail(c, why, key,
                           "source %s: label with an invalid character; type letters, digits, - _ "
                           "and .",
                           source->name);
    for (unsigned k = 0; k < j; k++)
        if (source->secrets[k].label != NULL && strcmp(source->secrets[k].label, label) == 0)
            return config_fail(c, why, key,
                               "source %s: duplicate label %s; give each secret its own",
                               source->name, label);
    return true;
}

static bool config_check_secrets(const struct config *c, unsigned i, char *why)
{
    const struct config_source *source = &c->sources[i];

    for (unsigned j = 0; j < source->secrets_count; j++) {
        char key[64];

        snprintf(key, sizeof(key), "sources/%u/secrets/%u", i, j);
        if (!config_is_one_secret(&source->secrets[j]))
            return config_fail(c, why, key, "source %s: expected one of file, env and credential",
                               source->name);
        if (!config_check_label(c, i, j, why))
            return false;
    }
    return true;
}

static bool config_check_allow(const struct config *c, unsigned i, char *why)
{
    const struct config_source *source = &c->sources[i];

    for (unsigned j = 0; j < source->allow_count; j++) {
        struct network network;
        const char *expected;
        char key[64];

        snprintf(key, sizeof(key), "sources/%u/allow/%u", i, j);
        if (!network_read(source->allow[j], &network, &expected))
            return config_fail(c, why, key, "source %s: %s is not a network; expected %s",
                               source->name, source->allow[j], expected);
    }
    return true;
}

/* $STATE_DIRECTORY may list several directories, separated by colons; the first one is used. */
static bool config_complete_store(struct config *c, char *why)
{
    const char *state = getenv("STATE_DIRECTORY");
    struct config_store *s = &c->store;

    if (s->file == NULL && (state == NULL || state[0] == '\0'))
        return config_fail(c, why, "store",
                           "no store; type store: {file: FILE} or --store FILE, or set "
                           "$STATE_DIRECTORY");
    if (s->file == NULL &&
        asprintf(&s->file, "%.*s/" CONFIG_DEFAULT_STORE, (int)strcspn(state, ":"), state) < 0) {
        s->file = NULL;
        return config_fail(c, why, "store", "out of memory");
    }
    return s->file[0] != '\0' ||
           config_fail(c, why, "store/file", "empty file name; type the name of the store's file");
}

static bool config_complete_listen(struct config *c, char *why)
{
    if (c->listen_count > 0)
        return c->listen_count <= CONFIG_LISTEN_MAX ||
               config_fail(c, why, "listen", "%u addresses; type at most %d", c->listen_count,
                           CONFIG_LISTEN_MAX);
    c->listen = calloc(1, sizeof(*c->listen));
    if (c->listen == NULL || (c->listen->address = strdup(CONFIG_DEFAULT_ADDRESS)) == NULL)
        return config_fail(c, why, "", "out of memory");
    c->listen_count = 1;
    c->listen_by_default = true;
    return true;
}

static bool config_check_listen(const struct config *c, unsigned i, char *why)
{
    struct sockaddr_storage address;
    socklen_t len;
    char key[64];
    bool is_unix;

    snprintf(key, sizeof(key), "listen/%u/address", i);
    if (!address_read(c->listen[i].address, &address, &len))
        return config_fail(
            c, why, key,
            "cannot listen on %s; expected a numeric ADDRESS:PORT or [ADDRESS]:PORT, or "
            "unix:PATH of at most 107 bytes",
            c->listen[i].address);
    is_unix = address.ss_family == AF_UNIX;
    snprintf(key, sizeof(key), "listen/%u/proxy_protocol", i);
    return !c->listen[i].proxy_protocol ||
           proxies_cover_transport(c->trusted_proxies, c->trusted_proxies_count, is_unix) ||
           config_fail(c, why, key,
                       "proxy_protocol, but no peer there is trusted; add %s to trusted_proxies",
                       is_unix ? "unix" : "an address");
}

static bool config_check_proxies(const struct config *c, char *why)
{
    const char *expected;
    char key[64];

    for (unsigned i = 0; i < c->trusted_proxies_count; i++) {
        snprintf(key, sizeof(key), "trusted_proxies/%u", i);
        if (!proxies_text_is_valid(c->trusted_proxies[i], &expected))
            return config_fail(c, why, key, "trusted_proxies: %s: expected %s",
                               c->trusted_proxies[i], expected);
    }
    return true;
}

/* The admin API shows deliveries: without a token, only local users may reach it. */
static bool config_check_admin(const struct config *c, char *why)
{
    const char *text = c->admin.address;
    struct sockaddr_storage address;
    socklen_t len;

    if (text == NULL && c->admin.token == NULL)
        return true;
    if (text == NULL)
        return config_fail(c, why, "admin", "admin: token without an address; type an address");
    if (c->admin.token != NULL && !config_is_one_secret(c->admin.token))
        return config_fail(c, why, "admin/token",
                           "admin: expected one of file, env and credential");
    if (!address_read(text, &address, &len))
        return config_fail(
            c, why, "admin/address",
            "admin: %s is not an address; expected unix:PATH, of %zu bytes at most, or "
            "a numeric ADDRESS:PORT such as 127.0.0.1:9090",
            text, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    return c->admin.token != NULL || address_is_local(&address) ||
           config_fail(c, why, "admin/address",
                       "admin: other machines can reach %s without a token; expected "
                       "unix:PATH, 127.0.0.1:PORT or [::1]:PORT, or a token",
                       text);
}

/* Leaves one processor to the thread that writes the store. */
static unsigned config_spare_processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    return online <= 2 ? 1 : online > THREADS_MAX ? THREADS_MAX : (unsigned)online - 1;
}

static void config_complete_rate(struct config_rate *rate)
{
    if (rate != NULL && rate->burst == 0)
        rate->burst = rate->per_second;
}

static bool config_check_health_path(const struct config *c, char *why)
{
    if (c->health_path == NULL)
        return true;
    if (!config_is_path(c->health_path))
        return config_fail(c, why, "health_path",
                           "health_path: invalid path; type / first, and no ?, # or white space");
    for (unsigned i = 0; i < c->sources_count; i++)
        if (strcmp(c->sources[i].path, c->health_path) == 0)
            return config_fail(c, why, "health_path",
                               "health_path: duplicate path %s, used by source %s", c->health_path,
                               c->sources[i].name);
    return true;
}

static bool config_check_sources(struct config *c, char *why)
{
    for (unsigned i = 0; i < c->sources_count; i++) {
        if (!config_check_source(c, i, why) || !config_check_secrets(c, i, why) ||
            !config_check_allow(c, i, why))
            return false;
        config_complete_rate(c->sources[i].rate);
    }
    return c->sources_count > 0 || c->include != NULL ||
           config_fail(c, why, "", "no source; type sources, or include");
}

bool config_complete(struct config *c, char why[CONFIG_WHY_SIZE])
{
    if (c->threads == 0)
        c->threads = config_spare_processors();
    if (!config_check_sources(c, why) || !config_check_health_path(c, why) ||
        !config_complete_listen(c, why))
        return false;
    for (unsigned i = 0; i < c->listen_count; i++)
        if (!config_check_listen(c, i, why))
            return false;
    for (unsigned i = 0; i < c->destinations_count; i++)
        config_complete_rate(c->destinations[i].rate);
    return config_check_proxies(c, why) && config_complete_store(c, why) &&
           config_check_admin(c, why);
}
