/* SPDX-License-Identifier: MIT */
#include "daemon/conf/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cyaml/cyaml.h>

#include "daemon/conf/complaint.h"
#include "daemon/conf/config.h"
#include "daemon/conf/include.h"
#include "daemon/conf/yaml_line.h"

#define TEXT(key, type, member, longest)                                                           \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, longest)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)

/* libcyaml's own takes any other word for true. */
static const cyaml_strval_t truths[] = {
    {"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false},
};
#define TRUTH(key, type, member)                                                                   \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_CASE_INSENSITIVE,   \
                     type, member, truths, sizeof(truths) / sizeof(truths[0]))

static const cyaml_schema_field_t tls_fields[] = {
    CYAML_FIELD_STRING_PTR("certificate", CYAML_FLAG_POINTER, struct config_tls, certificate, 1,
                           4096),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct config_tls, key, 1, 4096),
    TEXT("client_ca_file", struct config_tls, client_ca_file, 4096),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t listen_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct config_listen, address, 1, 256),
    CYAML_FIELD_MAPPING_PTR("tls", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_listen,
                            tls, tls_fields),
    TRUTH("proxy_protocol", struct config_listen, proxy_protocol),
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

static const cyaml_schema_field_t source_secret_fields[] = {
    TEXT("file", struct config_secret, file, 4096),
    TEXT("env", struct config_secret, env, 256),
    TEXT("credential", struct config_secret, credential, 255),
    TEXT("label", struct config_secret, label, 64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_secret_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_secret, source_secret_fields),
};

static const cyaml_strval_t answers[] = {
    {"stored", CONFIG_ANSWER_STORED},
    {"upstream", CONFIG_ANSWER_UPSTREAM},
};

static const cyaml_schema_value_t network_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 64),
};
static const cyaml_schema_field_t rate_fields[] = {
    CYAML_FIELD_UINT("per_second", CYAML_FLAG_DEFAULT, struct config_rate, per_second),
    NUMBER("burst", struct config_rate, burst),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t source_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_source, name, 1, 64),
    TEXT("path", struct config_source, path, 1024),
    TEXT("scheme", struct config_source, scheme, 64),
    TEXT("description", struct config_source, description, 1023),
    TEXT("url", struct config_source, url, 4096),
    CYAML_FIELD_SEQUENCE("secrets", CYAML_FLAG_POINTER, struct config_source, secrets,
                         &source_secret_schema, 1, 8),
    CYAML_FIELD_UINT_PTR("tolerance_seconds", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_source, tolerance_seconds),
    CYAML_FIELD_ENUM("answer", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct config_source,
                     answer, answers, sizeof(answers) / sizeof(answers[0])),
    CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_source,
                         allow, &network_schema, 1, CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING_PTR("rate", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_source,
                            rate, rate_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_source, source_fields),
};

static const cyaml_schema_field_t log_fields[] = {
    TEXT("file", struct config_log, file, 4096),
    TRUTH("body", struct config_log, body),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t store_fields[] = {
    TEXT("file", struct config_store, file, 4096),
    NUMBER("keep_days", struct config_store, keep_days),
    NUMBER("max_bytes", struct config_store, max_bytes),
    NUMBER("queue_bytes", struct config_store, queue_bytes),
    NUMBER("free_bytes_min", struct config_store, free_bytes_min),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t admin_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct config_admin, address, 1, 256),
    CYAML_FIELD_MAPPING_PTR("token", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_admin,
                            token, secret_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t name_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 64),
};
static const cyaml_schema_value_t type_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 256),
};
static const cyaml_schema_value_t seconds_schema = {
    CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, unsigned),
};

static const cyaml_schema_field_t destination_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_destination, name, 1, 64),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct config_destination, url, 1, 4096),
    CYAML_FIELD_SEQUENCE("sources", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_destination, sources, &name_schema, 1, CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("types", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_destination, types, &type_schema, 1, CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING_PTR("secret", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct config_destination, secret, secret_fields),
    NUMBER("concurrency", struct config_destination, concurrency),
    NUMBER("timeout_seconds", struct config_destination, timeout_seconds),
    TRUTH("ordered", struct config_destination, ordered),
    CYAML_FIELD_SEQUENCE("retry_seconds", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct config_destination, retry_seconds, &seconds_schema, 1, 32),
    TEXT("ca_file", struct config_destination, ca_file, 4096),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t destination_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_destination, destination_fields),
};

static const cyaml_schema_field_t limits_fields[] = {
    NUMBER("body_bytes", struct config_limits, body_bytes),
    NUMBER("head_bytes", struct config_limits, head_bytes),
    NUMBER("connections", struct config_limits, connections),
    NUMBER("connections_per_address", struct config_limits, connections_per_address),
    NUMBER("header_seconds", struct config_limits, header_seconds),
    NUMBER("body_seconds", struct config_limits, body_seconds),
    NUMBER("idle_seconds", struct config_limits, idle_seconds),
    NUMBER("shutdown_seconds", struct config_limits, shutdown_seconds),
    NUMBER("refused_per_minute", struct config_limits, refused_per_minute),
    CYAML_FIELD_END,
};

#define SOURCES                                                                                    \
    CYAML_FIELD_SEQUENCE("sources", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,       \
                         sources, &source_schema, 1, CYAML_UNLIMITED)
#define DESTINATIONS                                                                               \
    CYAML_FIELD_SEQUENCE("destinations", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,  \
                         destinations, &destination_schema, 1, CONFIG_DESTINATIONS_MAX)

static const cyaml_schema_field_t config_fields[] = {
    CYAML_FIELD_SEQUENCE("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config, listen,
                         &listen_schema, 1, CONFIG_LISTEN_MAX),
    CYAML_FIELD_SEQUENCE("trusted_proxies", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
                         trusted_proxies, &network_schema, 1, CONFIG_NETWORKS_MAX),
    NUMBER("threads", struct config, threads),
    CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct config, log, log_fields),
    CYAML_FIELD_MAPPING("store", CYAML_FLAG_OPTIONAL, struct config, store, store_fields),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config, limits, limits_fields),
    CYAML_FIELD_MAPPING("admin", CYAML_FLAG_OPTIONAL, struct config, admin, admin_fields),
    SOURCES,
    DESTINATIONS,
    TEXT("include", struct config, include, 4096),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields),
};

/* Of a file that is included: a config of these keys alone. */
static const cyaml_schema_field_t part_fields[] = {
    SOURCES,
    DESTINATIONS,
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t part_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, part_fields),
};

/* The fields of the mapping that holds the last part of `path`. */
static const cyaml_schema_field_t *fields_around(const cyaml_schema_value_t *value,
                                                 const char *path)
{
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

static void explain(const char *file, const cyaml_schema_value_t *schema, const struct complaint *c,
                    cyaml_err_t err, char *why)
{
    size_t len = config_locate(file, c->path, why, CONFIG_WHY_SIZE);
    const cyaml_schema_field_t *field = NULL;

    len += complaint_write(c, cyaml_strerror(err), why + len, CONFIG_WHY_SIZE - len);
    if (err == CYAML_ERR_INVALID_KEY)
        field = fields_around(schema, c->path);
    for (const char *between = "; expected "; field != NULL && field->key != NULL; field++) {
        if (len < CONFIG_WHY_SIZE)
            len += (size_t)snprintf(why + len, CONFIG_WHY_SIZE - len, "%s%s", between, field->key);
        between = ", ";
    }
}

static const cyaml_config_t *reader(struct complaint *complaint, cyaml_config_t *config)
{
    *config = (cyaml_config_t){
        .log_fn = complaint_hear,
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
        "threads",      "body_bytes",         "connections",      "header_seconds",
        "body_seconds", "idle_seconds",       "shutdown_seconds", "tolerance_seconds",
        "concurrency",  "timeout_seconds",    "retry_seconds",    "keep_days",
        "max_bytes",    "queue_bytes",        "free_bytes_min",   "per_second",
        "burst",        "refused_per_minute", "head_bytes",       "connections_per_address",
    };
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);
    unsigned line;
    const char *key = yaml_line_of_no_number(file, numbers, count, &line);

    if (key != NULL)
        snprintf(why, CONFIG_WHY_SIZE, "%s:%u: %s: expected a whole number, in decimal", file, line,
                 key);
    return key == NULL;
}

/* libcyaml passes over what follows the first document, and has no words for the rest of this. */
static bool check_document(const char *file, char *why)
{
    unsigned line;

    if ((line = yaml_line_of_odd_key(file)) > 0)
        snprintf(why, CONFIG_WHY_SIZE,
                 "%s:%u: expected a text as a key; are the braces those of a template?", file,
                 line);
    else if ((line = yaml_line_of_more(file)) > 0)
        snprintf(why, CONFIG_WHY_SIZE,
                 "%s:%u: expected the end of the file: it holds one YAML document", file, line);
    return line == 0;
}

static void free_as(struct config **config, const cyaml_schema_value_t *schema)
{
    struct complaint ignored;
    cyaml_config_t how;

    if (*config != NULL)
        cyaml_free(reader(&ignored, &how), schema, *config, 0);
    *config = NULL;
}

/* An empty file is NULL, and true. */
static bool read_as(const char *file, const cyaml_schema_value_t *schema, struct config **config,
                    char *why)
{
    struct complaint complaint = {0};
    cyaml_config_t how;
    struct stat st;
    cyaml_err_t err;

    *config = NULL;
    if (stat(file, &st) != 0 || access(file, R_OK) != 0) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: %s", file, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: %s", file, strerror(EISDIR));
        return false;
    }
    err = cyaml_load_file(file, reader(&complaint, &how), schema, (cyaml_data_t **)config, NULL);
    /* Not before: what comes from a pipe can be read once. */
    if (!check_numbers(file, why) || !check_document(file, why)) {
        free_as(config, schema);
        return false;
    }
    if (err != CYAML_OK)
        explain(file, schema, &complaint, err, why);
    return err == CYAML_OK;
}

/* ---- what is included */

/* Moves the items to the end of another array; the one that they were in is gone then. */
static bool append(void **to, unsigned *to_count, void **from, unsigned *from_count, size_t size)
{
    char *all;

    if (*from_count == 0)
        return true;
    if ((all = realloc(*to, (*to_count + *from_count) * size)) == NULL)
        return false;
    memcpy(all + *to_count * size, *from, *from_count * size);
    *to = all;
    *to_count += *from_count;
    free(*from);
    *from = NULL;
    *from_count = 0;
    return true;
}

static bool include_file(struct config *c, const char *file, char *why)
{
    struct config *part;
    struct stat st;
    bool good;

    if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: not a regular file", file);
        return false;
    }
    good = read_as(file, &part_schema, &part, why);
    if (!good || part == NULL)
        return good;
    good = append((void **)&c->sources, &c->sources_count, (void **)&part->sources,
                  &part->sources_count, sizeof(*c->sources)) &&
           append((void **)&c->destinations, &c->destinations_count, (void **)&part->destinations,
                  &part->destinations_count, sizeof(*c->destinations));
    if (!good)
        snprintf(why, CONFIG_WHY_SIZE, "%s: out of memory", file);
    free_as(&part, &part_schema);
    return good;
}

static bool include_all(struct config *c, const char *file, char *why)
{
    struct include include;
    bool good = true;

    if (c->include == NULL)
        return true;
    if (!include_open(&include, file, c->include)) {
        size_t len = config_locate(file, "include", why, CONFIG_WHY_SIZE);

        snprintf(why + len, CONFIG_WHY_SIZE - len, "include: %s: %s", c->include, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < include.count && good; i++)
        good = include_file(c, include.files[i], why);
    include_close(&include);
    return good;
}

/* ---- all of it */

struct config *config_file_read(const char *file, char *why)
{
    struct config *c;

    if (!read_as(file, &config_schema, &c, why))
        return NULL;
    if (c == NULL)
        snprintf(why, CONFIG_WHY_SIZE, "%s: the file is empty", file);
    else if (!include_all(c, file, why) || !config_complete(c, file, why))
        config_free(&c);
    return c;
}

void config_free(struct config **config)
{
    free_as(config, &config_schema);
}
