/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cyaml/cyaml.h>

#include "address.h"
#include "yaml_line.h"

enum {
    LISTEN_MAX = 16,
    THREADS_MAX = 256,
};

#define TEXT(key, type, member, longest)                                                           \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, longest)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)

static const cyaml_schema_field_t listen_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct config_listen, address, 1, 256),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t listen_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_listen, listen_fields),
};

static const cyaml_schema_field_t secret_fields[] = {
    TEXT("file", struct config_secret, file, 4096),
    TEXT("env", struct config_secret, env, 256),
    TEXT("credential", struct config_secret, credential, 255),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t secret_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_secret, secret_fields),
};

static const cyaml_schema_field_t source_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_source, name, 1, 64),
    TEXT("path", struct config_source, path, 1024),
    TEXT("scheme", struct config_source, scheme, 64),
    TEXT("description", struct config_source, description, 1023),
    TEXT("url", struct config_source, url, 4096),
    CYAML_FIELD_SEQUENCE("secrets", CYAML_FLAG_POINTER, struct config_source, secrets,
                         &secret_schema, 1, 8),
    CYAML_FIELD_UINT_PTR("tolerance_seconds", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_source, tolerance_seconds),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_source, source_fields),
};

/* libcyaml's own takes any other word for true. */
static const cyaml_strval_t truths[] = {
    {"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false},
};

static const cyaml_schema_field_t log_fields[] = {
    TEXT("file", struct config_log, file, 4096),
    CYAML_FIELD_ENUM("body", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_CASE_INSENSITIVE,
                     struct config_log, body, truths, sizeof(truths) / sizeof(truths[0])),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
    NUMBER("body_bytes", struct config_limits, body_bytes),
    NUMBER("connections", struct config_limits, connections),
    NUMBER("header_seconds", struct config_limits, header_seconds),
    NUMBER("body_seconds", struct config_limits, body_seconds),
    NUMBER("idle_seconds", struct config_limits, idle_seconds),
    NUMBER("shutdown_seconds", struct config_limits, shutdown_seconds),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
    CYAML_FIELD_SEQUENCE("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config, listen,
                         &listen_schema, 1, LISTEN_MAX),
    NUMBER("threads", struct config, threads),
    CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct config, log, log_fields),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config, limits, limits_fields),
    CYAML_FIELD_SEQUENCE("sources", CYAML_FLAG_POINTER, struct config, sources, &source_schema, 1,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields),
};

/* What libcyaml says of an error: a sentence, then where it stood, from the inside to the
 * outside. Its line is the last one that it understood, so the path is taken instead. */
struct complaint {
    char sentence[256];
    char path[256];
};

static void prepend(struct complaint *c, const char *part)
{
    char rest[sizeof(c->path)];

    memcpy(rest, c->path, sizeof(rest));
    snprintf(c->path, sizeof(c->path), "%s%s%.*s", part, rest[0] == '\0' ? "" : "/",
             (int)(sizeof(rest) - 1 - strlen(part) - 1), rest);
}

static void listen_to_cyaml(cyaml_log_t level, void *data, const char *format, va_list args)
{
    struct complaint *c = data;
    char line[256], part[64];
    const char *text = line;
    unsigned entry;

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "Load: ", 6) == 0)
        text += 6;
    if (sscanf(text, " in mapping field '%63[^']'", part) == 1) {
        prepend(c, part);
    } else if (sscanf(text, " in sequence entry '%u'", &entry) == 1) {
        snprintf(part, sizeof(part), "%u", entry == 0 ? 0 : entry - 1);
        prepend(c, part);
    } else if (c->sentence[0] == '\0' && strcmp(text, "Backtrace:") != 0) {
        snprintf(c->sentence, sizeof(c->sentence), "%s", text);
        if (sscanf(text, "Unexpected key: %63s", part) == 1)
            prepend(c, part);
    }
}

/* The fields of the mapping that holds the last part of `path`. */
static const cyaml_schema_field_t *fields_around(const char *path)
{
    const cyaml_schema_value_t *value = &config_schema;
    const char *slash;

    while ((slash = strchr(path, '/')) != NULL) {
        if (value->type == CYAML_SEQUENCE) {
            value = value->sequence.entry;
        } else if (value->type != CYAML_MAPPING) {
            return NULL; /* the slash is one of the key's own */
        } else {
            const cyaml_schema_field_t *field = value->mapping.fields;

            while (field->key != NULL && (strncmp(field->key, path, (size_t)(slash - path)) != 0 ||
                                          field->key[slash - path] != '\0'))
                field++;
            if (field->key == NULL)
                return NULL;
            value = &field->value;
        }
        path = slash + 1;
    }
    return value->type == CYAML_MAPPING ? value->mapping.fields : NULL;
}

static void explain(const char *file, const struct complaint *c, cyaml_err_t err, char *why)
{
    size_t len = config_locate(file, c->path, why, CONFIG_WHY_SIZE);
    const cyaml_schema_field_t *field = NULL;

    len += (size_t)snprintf(why + len, CONFIG_WHY_SIZE - len, "%s",
                            c->sentence[0] == '\0' ? cyaml_strerror(err) : c->sentence);
    if (strncmp(c->sentence, "Invalid ENUM", 12) == 0 && len < CONFIG_WHY_SIZE)
        snprintf(why + len, CONFIG_WHY_SIZE - len, "; expected true or false");
    if (err == CYAML_ERR_INVALID_KEY)
        field = fields_around(c->path);
    for (const char *between = "; expected "; field != NULL && field->key != NULL; field++) {
        if (len < CONFIG_WHY_SIZE)
            len += (size_t)snprintf(why + len, CONFIG_WHY_SIZE - len, "%s%s", between, field->key);
        between = ", ";
    }
}

size_t config_locate(const char *file, const char *key, char *out, size_t size)
{
    unsigned line;
    int len;

    if (file == NULL)
        len = snprintf(out, size, "command line: ");
    else if ((line = yaml_line_of(file, key)) == 0)
        len = snprintf(out, size, "%s: ", file);
    else
        len = snprintf(out, size, "%s:%u: ", file, line);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
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

/* Names go into paths, logs and metrics. */
static bool is_name(const char *name)
{
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL)
            return false;
    return true;
}

static bool check_source(struct config *c, unsigned i, const char *file, char *why)
{
    struct config_source *source = &c->sources[i];
    char key[64];

    snprintf(key, sizeof(key), "sources/%u/name", i);
    if (!is_name(source->name)) {
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
    for (unsigned j = 0; j < i; j++) {
        if (strcmp(c->sources[j].path, source->path) == 0) {
            complain(file, why, key, "source %s: %s is the path of source %s already", source->name,
                     source->path, c->sources[j].name);
            return false;
        }
        if (strcmp(c->sources[j].name, source->name) == 0) {
            snprintf(key, sizeof(key), "sources/%u/name", i);
            complain(file, why, key, "a second source %s", source->name);
            return false;
        }
    }
    return true;
}

static bool check_secrets(const struct config_source *source, unsigned i, const char *file,
                          char *why)
{
    for (unsigned j = 0; j < source->secrets_count; j++) {
        const struct config_secret *s = &source->secrets[j];

        if ((s->file != NULL) + (s->env != NULL) + (s->credential != NULL) != 1) {
            char key[64];

            snprintf(key, sizeof(key), "sources/%u/secrets/%u", i, j);
            complain(file, why, key, "source %s: expected one of file, env and credential",
                     source->name);
            return false;
        }
    }
    return true;
}

static void fill_limits(struct config_limits *l)
{
    if (l->body_bytes == 0)
        l->body_bytes = CONFIG_DEFAULT_BODY_BYTES;
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
    const uint64_t gib = 1 << 30;
    const unsigned seconds_max = 86400;
    const struct config_limits *l = &c->limits;

    if (l->body_bytes > gib)
        complain(file, why, "limits/body_bytes", "body_bytes: expected 1 GiB at most");
    else if (l->header_seconds > seconds_max || l->body_seconds > seconds_max ||
             l->idle_seconds > seconds_max || l->shutdown_seconds > seconds_max)
        complain(file, why, "limits", "limits: expected a day's seconds at most");
    else if (c->threads > THREADS_MAX)
        complain(file, why, "threads", "threads: expected %d at most", THREADS_MAX);
    else
        return true;
    return false;
}

static bool fill_listen(struct config *c, const char *file, char *why)
{
    struct sockaddr_storage ignored;
    socklen_t len;

    if (c->listen_count == 0) {
        c->listen = calloc(1, sizeof(*c->listen));
        if (c->listen == NULL || (c->listen->address = strdup(CONFIG_DEFAULT_ADDRESS)) == NULL) {
            complain(file, why, "", "out of memory");
            return false;
        }
        c->listen_count = 1;
    }
    if (c->listen_count > LISTEN_MAX) {
        complain(file, why, "listen", "expected at most %d addresses", LISTEN_MAX);
        return false;
    }
    for (unsigned i = 0; i < c->listen_count; i++) {
        if (!address_read(c->listen[i].address, &ignored, &len)) {
            char key[64];

            snprintf(key, sizeof(key), "listen/%u/address", i);
            complain(file, why, key,
                     "cannot listen on %s: expected a numeric ADDRESS:PORT or "
                     "[ADDRESS]:PORT",
                     c->listen[i].address);
            return false;
        }
    }
    return true;
}

static unsigned processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    return online < 1 ? 1 : online > THREADS_MAX ? THREADS_MAX : (unsigned)online;
}

bool config_complete(struct config *c, const char *file, char why[CONFIG_WHY_SIZE])
{
    for (unsigned i = 0; i < c->sources_count; i++)
        if (!check_source(c, i, file, why) || !check_secrets(&c->sources[i], i, file, why))
            return false;
    if (c->sources_count == 0) {
        complain(file, why, "", "no source is configured");
        return false;
    }
    fill_limits(&c->limits);
    if (c->threads == 0)
        c->threads = processors();
    return check_limits(c, file, why) && fill_listen(c, file, why);
}

static const cyaml_config_t *reader(struct complaint *complaint, cyaml_config_t *config)
{
    *config = (cyaml_config_t){
        .log_fn = listen_to_cyaml,
        .log_ctx = complaint,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    return config;
}

/* libcyaml reads 10m as 10 and 010 as 8. */
static bool check_numbers(const char *file, char *why)
{
    static const char *const numbers[] = {
        "threads",      "body_bytes",   "connections",      "header_seconds",
        "body_seconds", "idle_seconds", "shutdown_seconds", "tolerance_seconds",
    };
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);
    unsigned line;
    const char *key = yaml_line_of_no_number(file, numbers, count, &line);

    if (key != NULL)
        snprintf(why, CONFIG_WHY_SIZE, "%s:%u: %s: expected a whole number, in decimal", file, line,
                 key);
    return key == NULL;
}

struct config *config_load(const char *file, char why[CONFIG_WHY_SIZE])
{
    struct complaint complaint = {0};
    struct config *c = NULL;
    cyaml_config_t how;
    cyaml_err_t err;

    if (access(file, R_OK) != 0) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: %s", file, strerror(errno));
        return NULL;
    }
    err =
        cyaml_load_file(file, reader(&complaint, &how), &config_schema, (cyaml_data_t **)&c, NULL);
    /* Not before: what comes from a pipe can be read once. */
    if (!check_numbers(file, why)) {
        config_free(&c);
        return NULL;
    }
    if (err != CYAML_OK) {
        explain(file, &complaint, err, why);
        return NULL;
    }
    if (c == NULL)
        snprintf(why, CONFIG_WHY_SIZE, "%s: the file is empty", file);
    else if (!config_complete(c, file, why))
        config_free(&c);
    return c;
}

void config_free(struct config **config)
{
    struct complaint ignored;
    cyaml_config_t how;

    if (*config != NULL)
        cyaml_free(reader(&ignored, &how), &config_schema, *config, 0);
    *config = NULL;
}
