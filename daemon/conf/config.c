/* SPDX-License-Identifier: MIT */
#include "daemon/conf/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/net.h"
#include "daemon/conf/include.h"
#include "daemon/base/rate.h"
#include "daemon/conf/yaml_line.h"

enum {
    THREADS_MAX = 256,
    DAYS_MAX = 36500,
    BODY_BYTES_MAX = 512 << 20, /* SQLite takes a billion bytes */
    HEAD_BYTES_MAX = 400 << 10, /* libh2o reads no more */
    SECONDS_MAX = 86400,
};

size_t config_locate(const char *file, const char *key, char *out, size_t size)
{
    struct include_place place;
    unsigned line;
    int len;

    if (file != NULL)
        include_find(file, key, &place);
    if (file == NULL)
        len = snprintf(out, size, "command line: ");
    else if ((line = yaml_line_of(place.file, place.key)) == 0)
        len = snprintf(out, size, "%s: ", place.file);
    else
        len = snprintf(out, size, "%s:%u: ", place.file, line);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

void config_place(const char *file, const char *key, char *out, size_t size)
{
    size_t len = 0;

    if (file != NULL) {
        len = (size_t)snprintf(out, size, ": ");
        len += config_locate(file, key, out + len, size - len) - strlen(": ");
    }
    out[len] = '\0';
}

static void complain(const char *file, char *why, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void complain(const char *file, char *why, const char *key, const char *format, ...)
{
    size_t len = config_locate(file, key, why, CONFIG_WHY_SIZE);
    va_list args;

    va_start(args, format);
    vsnprintf(why + len, CONFIG_WHY_SIZE - len, format, args);
    va_end(args);
}

bool config_is_name(const char *name)
{
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL)
            return false;
    return true;
}

/* The two may stand in different files, of which either may be the wrong one. */
static bool check_other(const struct config *c, unsigned i, unsigned j, const char *file, char *why)
{
    const struct config_source *source = &c->sources[i], *other = &c->sources[j];
    bool same_name = strcmp(source->name, other->name) == 0;
    char key[64], place[CONFIG_WHY_SIZE];

    if (!same_name && strcmp(source->path, other->path) != 0)
        return true;
    snprintf(key, sizeof(key), "sources/%u/name", j);
    config_place(file, key, place, sizeof(place));
    snprintf(key, sizeof(key), "sources/%u/%s", i, same_name ? "name" : "path");
    if (same_name)
        complain(file, why, key, "there is a source %s already%s", source->name, place);
    else
        complain(file, why, key, "source %s: %s is the path of source %s already%s", source->name,
                 source->path, other->name, place);
    return false;
}

static bool check_source(struct config *c, unsigned i, const char *file, char *why)
{
    struct config_source *source = &c->sources[i];
    char key[64];

    snprintf(key, sizeof(key), "sources/%u/name", i);
    if (!config_is_name(source->name)) {
        complain(file, why, key, "a source's name is made of letters, digits, - _ and .");
        return false;
    }
    snprintf(key, sizeof(key), "sources/%u/scheme", i);
    if ((source->scheme == NULL) == (source->description == NULL)) {
        complain(file, why, key, "source %s: expected a scheme or a description, one of the two",
                 source->name);
        return false;
    }
    if (source->path == NULL && asprintf(&source->path, "/%s", source->name) < 0) {
        source->path = NULL;
        complain(file, why, key, "out of memory");
        return false;
    }
    snprintf(key, sizeof(key), "sources/%u/path", i);
    if (source->path[0] != '/' || strpbrk(source->path, "?# \t\r\n") != NULL) {
        complain(file, why, key, "source %s: a path begins with / and holds no ? # or blank",
                 source->name);
        return false;
    }
    for (unsigned j = 0; j < i; j++)
        if (!check_other(c, i, j, file, why))
            return false;
    return true;
}

static bool is_one_secret(const struct config_secret *s)
{
    return (s->file != NULL) + (s->env != NULL) + (s->credential != NULL) == 1;
}

static bool check_label(const struct config_source *source, unsigned j)
{
    const char *label = source->secrets[j].label;

    for (unsigned i = 0; label != NULL && i < j; i++)
        if (source->secrets[i].label != NULL && strcmp(source->secrets[i].label, label) == 0)
            return false;
    return label == NULL || config_is_name(label);
}

static bool check_secrets(const struct config_source *source, unsigned i, const char *file,
                          char *why)
{
    for (unsigned j = 0; j < source->secrets_count; j++) {
        if (!is_one_secret(&source->secrets[j])) {
            char key[64];

            snprintf(key, sizeof(key), "sources/%u/secrets/%u", i, j);
            complain(file, why, key, "source %s: expected one of file, env and credential",
                     source->name);
            return false;
        }
        if (!check_label(source, j)) {
            char key[64];

            snprintf(key, sizeof(key), "sources/%u/secrets/%u/label", i, j);
            complain(file, why, key,
                     "source %s: a label is made of letters, digits, - _ and . and no two secrets "
                     "have the same",
                     source->name);
            return false;
        }
    }
    return true;
}

static bool check_allow(const struct config_source *source, unsigned i, const char *file, char *why)
{
    for (unsigned j = 0; j < source->allow_count; j++) {
        struct network network;
        const char *expected;

        if (!network_read(source->allow[j], &network, &expected)) {
            char key[64];

            snprintf(key, sizeof(key), "sources/%u/allow/%u", i, j);
            complain(file, why, key, "source %s: %s is no network: expected %s", source->name,
                     source->allow[j], expected);
            return false;
        }
    }
    return true;
}

static bool fill_rate(const struct config_source *source, unsigned i, const char *file, char *why)
{
    struct config_rate *rate = source->rate;
    char key[64];
    bool good;

    if (rate == NULL)
        return true;
    if (rate->burst == 0)
        rate->burst = rate->per_second;
    good = rate->per_second >= 1 && rate->per_second <= RATE_MAX;
    if (good && rate->burst <= RATE_MAX)
        return true;
    snprintf(key, sizeof(key), "sources/%u/rate/%s", i, good ? "burst" : "per_second");
    complain(file, why, key, "source %s: %s: expected 1 to %d", source->name,
             good ? "burst" : "per_second", RATE_MAX);
    return false;
}

static void fill_limits(struct config_limits *l)
{
    if (l->body_bytes == 0)
        l->body_bytes = CONFIG_DEFAULT_BODY_BYTES;
    if (l->head_bytes == 0)
        l->head_bytes = CONFIG_DEFAULT_HEAD_BYTES;
    if (l->connections == 0)
        l->connections = CONFIG_DEFAULT_CONNECTIONS;
    if (l->header_seconds == 0)
        l->header_seconds = CONFIG_DEFAULT_HEADER_SECONDS;
    if (l->body_seconds == 0)
        l->body_seconds = CONFIG_DEFAULT_BODY_SECONDS;
    if (l->idle_seconds == 0)
        l->idle_seconds = CONFIG_DEFAULT_IDLE_SECONDS;
    if (l->shutdown_seconds == 0)
        l->shutdown_seconds = CONFIG_DEFAULT_SHUTDOWN_SECONDS;
}

static bool check_limits(const struct config *c, const char *file, char *why)
{
    const struct config_limits *l = &c->limits;
    const struct {
        const char *key;
        uint64_t value, most;
        const char *so_much;
    } numbers[] = {
        {"limits/body_bytes", l->body_bytes, BODY_BYTES_MAX, " (512 MiB)"},
        {"limits/head_bytes", l->head_bytes, HEAD_BYTES_MAX, " (400 KiB)"},
        {"limits/header_seconds", l->header_seconds, SECONDS_MAX, " (a day)"},
        {"limits/body_seconds", l->body_seconds, SECONDS_MAX, " (a day)"},
        {"limits/idle_seconds", l->idle_seconds, SECONDS_MAX, " (a day)"},
        {"limits/shutdown_seconds", l->shutdown_seconds, SECONDS_MAX, " (a day)"},
        {"limits/refused_per_minute", l->refused_per_minute, REFUSAL_LIMIT_MAX, ""},
        {"threads", c->threads, THREADS_MAX, ""},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *key = numbers[i].key, *slash = strchr(key, '/');

        if (numbers[i].value > numbers[i].most) {
            complain(file, why, key, "%s: expected %" PRIu64 " at most%s",
                     slash == NULL ? key : slash + 1, numbers[i].most, numbers[i].so_much);
            return false;
        }
    }
    return true;
}

/* systemd names the directory; there may be several, with colons between them. */
static bool fill_store(struct config *c, const char *file, char *why)
{
    const char *state = getenv("STATE_DIRECTORY");
    struct config_store *s = &c->store;

    if (s->keep_days == 0)
        s->keep_days = CONFIG_DEFAULT_KEEP_DAYS;
    if (s->queue_bytes == 0)
        s->queue_bytes = CONFIG_DEFAULT_QUEUE_BYTES;
    if (s->free_bytes_min == 0)
        s->free_bytes_min = CONFIG_DEFAULT_FREE_BYTES_MIN;
    if (s->file == NULL && (state == NULL || state[0] == '\0'))
        complain(file, why, "store",
                 "nowhere to keep the deliveries: expected store: {file: FILE} or --store FILE");
    else if (s->file == NULL &&
             asprintf(&s->file, "%.*s/" CONFIG_DEFAULT_STORE, (int)strcspn(state, ":"), state) < 0)
        complain(file, why, "store", "out of memory");
    else if (s->file[0] == '\0')
        complain(file, why, "store/file", "store: expected the name of a file");
    else if (s->keep_days > DAYS_MAX)
        complain(file, why, "store/keep_days", "keep_days: expected %d at most", DAYS_MAX);
    else
        return true;
    return false;
}

static bool fill_listen(struct config *c, const char *file, char *why)
{
    struct sockaddr_storage address;
    socklen_t len;

    if (c->listen_count == 0) {
        c->listen = calloc(1, sizeof(*c->listen));
        if (c->listen == NULL || (c->listen->address = strdup(CONFIG_DEFAULT_ADDRESS)) == NULL) {
            complain(file, why, "", "out of memory");
            return false;
        }
        c->listen_count = 1;
        c->listen_by_default = true;
    }
    if (c->listen_count > CONFIG_LISTEN_MAX) {
        complain(file, why, "listen", "expected at most %d addresses", CONFIG_LISTEN_MAX);
        return false;
    }
    for (unsigned i = 0; i < c->listen_count; i++) {
        char key[64];
        bool is_unix;

        if (!address_read(c->listen[i].address, &address, &len)) {
            snprintf(key, sizeof(key), "listen/%u/address", i);
            complain(file, why, key,
                     "cannot listen on %s: expected a numeric ADDRESS:PORT or "
                     "[ADDRESS]:PORT, or unix:PATH of at most 107 bytes",
                     c->listen[i].address);
            return false;
        }
        is_unix = address.ss_family == AF_UNIX;
        if (c->listen[i].proxy_protocol &&
            !proxies_cover_transport(c->trusted_proxies, c->trusted_proxies_count, is_unix)) {
            snprintf(key, sizeof(key), "listen/%u/proxy_protocol", i);
            complain(file, why, key,
                     "proxy_protocol: nobody who comes there is trusted to send it; expected %s in "
                     "trusted_proxies",
                     is_unix ? "unix" : "an address");
            return false;
        }
    }
    return true;
}

static bool check_proxies(const struct config *c, const char *file, char *why)
{
    const char *expected;
    char key[64];

    for (unsigned i = 0; i < c->trusted_proxies_count; i++) {
        if (!proxies_text_is_valid(c->trusted_proxies[i], &expected)) {
            snprintf(key, sizeof(key), "trusted_proxies/%u", i);
            complain(file, why, key, "trusted_proxies: %s: expected %s", c->trusted_proxies[i],
                     expected);
            return false;
        }
    }
    return true;
}

/* It lists what was received: where it asks for no token, who may use the machine may use it. */
static bool check_admin(const struct config *c, const char *file, char *why)
{
    const char *text = c->admin.address;
    struct sockaddr_storage address;
    socklen_t len;

    if (text == NULL && c->admin.token == NULL)
        return true;
    if (text == NULL)
        complain(file, why, "admin", "admin: a token, but no address that asks for it");
    else if (c->admin.token != NULL && !is_one_secret(c->admin.token))
        complain(file, why, "admin/token", "admin: expected one of file, env and credential");
    else if (!address_read(text, &address, &len))
        complain(file, why, "admin/address",
                 "admin: %s is no address: expected unix:PATH, of %zu bytes at most, or a numeric "
                 "ADDRESS:PORT such as 127.0.0.1:9090",
                 text, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    else if (c->admin.token == NULL && !address_is_local(&address))
        complain(file, why, "admin/address",
                 "admin: others than this machine can reach %s, and it asks for no token: "
                 "expected unix:PATH, 127.0.0.1:PORT or [::1]:PORT, or a token",
                 text);
    else
        return true;
    return false;
}

/* One processor is the journal's: with a loop on it, too, both would be slower. */
static unsigned spare_processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    return online <= 2 ? 1 : online > THREADS_MAX ? THREADS_MAX : (unsigned)online - 1;
}

bool config_complete(struct config *c, const char *file, char why[CONFIG_WHY_SIZE])
{
    char key[64];

    for (unsigned i = 0; i < c->sources_count; i++)
        if (!check_source(c, i, file, why) || !check_secrets(&c->sources[i], i, file, why) ||
            !check_allow(&c->sources[i], i, file, why) || !fill_rate(&c->sources[i], i, file, why))
            return false;
    if (c->sources_count == 0 && c->include == NULL) {
        complain(file, why, "", "no source is configured: expected sources, or include");
        return false;
    }
    if (c->destinations_count > CONFIG_DESTINATIONS_MAX) {
        snprintf(key, sizeof(key), "destinations/%d", CONFIG_DESTINATIONS_MAX);
        complain(file, why, key, "expected at most %d destinations", CONFIG_DESTINATIONS_MAX);
        return false;
    }
    fill_limits(&c->limits);
    if (c->threads == 0)
        c->threads = spare_processors();
    return check_limits(c, file, why) && fill_listen(c, file, why) && check_proxies(c, file, why) &&
           fill_store(c, file, why) && check_admin(c, file, why);
}
