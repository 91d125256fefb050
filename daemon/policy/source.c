/* SPDX-License-Identifier: MIT */
#include "daemon/policy/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/net.h"
#include "daemon/base/limit.h"
#include "daemon/conf/config.h"
#include "daemon/conf/secret.h"
#include "daemon/hints/secret_mistakes.h"
#include "daemon/log/metrics.h"

enum {
    SHORT_KEY = 16,         /* bytes, decoded */
    SOURCE_PATH_MAX = 1024, /* bytes of a path that is compared with a hint in mind */
};

struct sources {
    size_t count;
    struct source entry[]; /* sorted by path */
};

/* The source being opened, for error messages. */
struct source_opening {
    const struct config *all;
    const struct config_source *config;
    unsigned index;
    void (*warn)(const char *text);
    char *why;
};

static void source_fail(const struct source_opening *o, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void source_fail(const struct source_opening *o, const char *key, const char *format, ...)
{
    char path[64];
    size_t len;
    va_list args;

    snprintf(path, sizeof(path), "sources/%u/%s", o->index, key);
    len = config_locate(o->all, path, o->why, CONFIG_WHY_SIZE);
    len += (size_t)snprintf(o->why + len, CONFIG_WHY_SIZE - len, "source %s: ", o->config->name);
    if (len >= CONFIG_WHY_SIZE)
        return;
    va_start(args, format);
    vsnprintf(o->why + len, CONFIG_WHY_SIZE - len, format, args);
    va_end(args);
}

static void source_list_schemes(char *out, size_t size)
{
    const hookline_scheme *scheme;
    size_t len = 0;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", scheme->name);
}

static int source_make_verifier(const struct source_opening *o, hookline_verifier **verifier,
                                const char *secret)
{
    char detail[256] = "";
    int code;

    if (o->config->scheme != NULL)
        code = hookline_verifier_new(verifier, o->config->scheme, secret);
    else
        code = hookline_verifier_new_custom(verifier, o->config->description, secret, detail,
                                            sizeof(detail));
    if (code == HOOKLINE_BAD_SCHEME && o->config->scheme == NULL) {
        source_fail(o, "description", "%s", detail);
    } else if (code == HOOKLINE_BAD_SCHEME) {
        source_list_schemes(detail, sizeof(detail));
        source_fail(o, "scheme", "unknown scheme; expected one of %s", detail);
    }
    return code;
}

/* A duplicate secret adds nothing; the operator probably pasted the old one. */
static void source_warn_same_secret(const struct source_opening *o, unsigned j,
                                    const struct source *source, const char *secret)
{
    char text[128];

    for (unsigned i = 0; i < j; i++) {
        if (strcmp(source->secrets[i], secret) != 0)
            continue;
        snprintf(text, sizeof(text), "source %s: secrets %u and %u are identical; delete one",
                 o->config->name, i, j);
        o->warn(text);
        return;
    }
}

static const char *source_description(const struct config_source *c)
{
    return c->scheme == NULL ? c->description : hookline_scheme_find(c->scheme)->description;
}

/* Reports a secret that is unusable or probably stored wrongly; `code` is the library's. */
static bool source_check_secret(const struct source_opening *o, unsigned j, const char *secret,
                                int code)
{
    const char *mistake = secret_mistake_warning(secret);
    char key[32], text[256];

    if (code == 0 && mistake != NULL) {
        snprintf(text, sizeof(text), "source %s: secret %u %s", o->config->name, j, mistake);
        o->warn(text);
    }
    snprintf(key, sizeof(key), "secrets/%u", j);
    if (code < 0 && code != HOOKLINE_BAD_SCHEME)
        source_fail(o, key, "%s%s%s",
                    secret_error_text(code, source_description(o->config), secret),
                    mistake == NULL ? "" : "; this secret ", mistake == NULL ? "" : mistake);
    return code == 0;
}

/* Adds one secret; the first one creates the verifier. The secret stays in memory, because
 * diagnosing a mismatch needs it. */
static bool source_add_secret(const struct source_opening *o, unsigned j, struct source *source)
{
    char key[32], why[CONFIG_WHY_SIZE];
    char *secret = secret_read(&o->config->secrets[j], why, sizeof(why));
    bool good;

    if (secret == NULL) {
        snprintf(key, sizeof(key), "secrets/%u", j);
        source_fail(o, key, "%s", why);
        return false;
    }
    source_warn_same_secret(o, j, source, secret);
    good = source_check_secret(o, j, secret,
                               j == 0 ? source_make_verifier(o, &source->verifier, secret)
                                      : hookline_verifier_add_secret(source->verifier, secret));
    if (good)
        source->secrets[source->secrets_count++] = secret;
    else
        secret_free(&secret);
    return good;
}

/* Base64 and hex have fewer bytes than characters. */
static void source_warn_short_key(const struct source_opening *o, const struct source *source)
{
    size_t bytes = hookline_verifier_key_bytes(source->verifier);
    char text[256];

    if (bytes >= SHORT_KEY)
        return;
    snprintf(text, sizeof(text), "source %s: a secret of %zu bytes can be guessed; use %d or more",
             o->config->name, bytes, SHORT_KEY);
    o->warn(text);
}

static size_t source_find_no_header(const void *headers, const char *name, hookline_bytes *value)
{
    (void)headers, (void)name, (void)value;
    return 0;
}

/* Verifies an empty request: a verifier that needs the URL returns BAD_CALL before it reads
 * headers. */
static bool source_needs_url(const hookline_verifier *verifier)
{
    hookline_request empty = {.find_header = source_find_no_header, .method = {"POST", 4}};

    return hookline_verify(verifier, &empty, 1).reason == HOOKLINE_BAD_CALL;
}

/* Copies the rate limit and the allowed networks, which config_complete() has validated. Returns
 * false on ENOMEM. */
static bool source_open_limits(const struct config_source *c, struct source *source)
{
    const char *ignored;

    if (c->rate != NULL) {
        if ((source->rate = malloc(sizeof(*source->rate))) == NULL)
            return false;
        rate_init(source->rate, c->rate->per_second, c->rate->burst);
    }
    if (c->allow_count > 0 &&
        (source->allow = calloc(c->allow_count, sizeof(*source->allow))) == NULL)
        return false;
    for (unsigned i = 0; i < c->allow_count; i++)
        if (network_read(c->allow[i], &source->allow[source->allow_count], &ignored))
            source->allow_count++;
    return true;
}

/* Returns true if a description has the clause "event type PATH". */
static bool source_names_type(const char *description)
{
    static const char blanks[] = " \t\r";
    const char *clause = description;

    while (*clause != '\0') {
        const char *word = clause + strspn(clause, blanks);

        if (strncmp(word, "event", 5) == 0 && strchr(blanks, word[5]) != NULL && word[5] != '\0') {
            word += 5 + strspn(word + 5, blanks);
            if (strncmp(word, "type", 4) == 0 && word[4] != '\0' && strchr(blanks, word[4]) != NULL)
                return true;
        }
        clause += strcspn(clause, ";\n");
        clause += *clause != '\0';
    }
    return false;
}

static bool source_open(const struct source_opening *o, struct source *source)
{
    const struct config_source *c = o->config;

    for (unsigned j = 0; j < c->secrets_count; j++)
        if (!source_add_secret(o, j, source))
            return false;
    source_warn_short_key(o, source);
    if (c->tolerance_seconds != NULL &&
        hookline_verifier_set_tolerance(source->verifier, *c->tolerance_seconds,
                                        *c->tolerance_seconds) < 0) {
        source_fail(o, "tolerance_seconds", "%s", hookline_code_text(HOOKLINE_BAD_TOLERANCE));
        return false;
    }
    if (c->url == NULL && source_needs_url(source->verifier)) {
        source_fail(o, "name",
                    "expected url: this scheme signs the URL registered with the sender");
        return false;
    }
    for (unsigned j = 0; j < c->secrets_count; j++)
        if (c->secrets[j].label != NULL &&
            (source->labels[j] = strdup(c->secrets[j].label)) == NULL) {
            source_fail(o, "name", "out of memory");
            return false;
        }
    source->name = strdup(c->name);
    source->path = strdup(c->path);
    source->scheme = strdup(c->scheme == NULL ? "custom" : c->scheme);
    source->dedup_by_mac = c->dedup == CONFIG_DEDUP_MAC;
    source->url = c->url == NULL ? NULL : strdup(c->url);
    source->description = strdup(source_description(c));
    source->names_type = source->description != NULL && source_names_type(source->description);
    if (source->name == NULL || source->path == NULL || source->scheme == NULL ||
        source->description == NULL || (c->url != NULL && source->url == NULL) ||
        !source_open_limits(c, source)) {
        source_fail(o, "name", "out of memory");
        return false;
    }
    return true;
}

static int source_order_by_path(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

struct sources *sources_open(const struct config *config, void (*warn)(const char *text), char *why)
{
    struct sources *sources =
        calloc(1, sizeof(*sources) + config->sources_count * sizeof(sources->entry[0]));

    if (sources == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return NULL;
    }
    if (config->sources_count == 0)
        warn("no source is configured yet: every path answers 404");
    for (unsigned i = 0; i < config->sources_count; i++) {
        struct source_opening o = {config, &config->sources[i], i, warn, why};

        sources->count++;
        if (!source_open(&o, &sources->entry[i])) {
            sources_free(&sources);
            return NULL;
        }
    }
    qsort(sources->entry, sources->count, sizeof(sources->entry[0]), source_order_by_path);
    return sources;
}

void sources_free(struct sources **sources)
{
    for (size_t i = 0; *sources != NULL && i < (*sources)->count; i++) {
        struct source *source = &(*sources)->entry[i];

        hookline_verifier_free(&source->verifier);
        for (size_t j = 0; j < source->secrets_count; j++)
            secret_free(&source->secrets[j]);
        free(source->allow);
        free(source->rate);
        for (size_t j = 0; j < HOOKLINE_SECRETS_MAX; j++)
            free(source->labels[j]);
        free(source->description);
        free(source->name);
        free(source->path);
        free(source->scheme);
        free(source->url);
    }
    free(*sources);
    *sources = NULL;
}

/* A secret without a label is counted as #0, #1 ...; "#" cannot occur in a label. */
static bool source_attach_metrics(struct source *source, struct metrics *metrics)
{
    char place[16];

    if ((source->counters = metrics_source(metrics, source->name)) == NULL)
        return false;
    for (size_t j = 0; j < source->secrets_count; j++) {
        const char *label = source->labels[j];

        snprintf(place, sizeof(place), "#%zu", j);
        source->secret_counters[j] =
            metrics_secret(source->counters, label == NULL ? place : label);
        if (source->secret_counters[j] == NULL)
            return false;
    }
    return true;
}

bool sources_attach_metrics(struct sources *sources, struct metrics *metrics)
{
    for (size_t i = 0; i < sources->count; i++)
        if (!source_attach_metrics(&sources->entry[i], metrics))
            return false;
    return true;
}

void sources_inherit_rates(struct sources *sources, const struct sources *before)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct source *source = &sources->entry[i];
        const struct source *old =
            source->rate == NULL ? NULL : sources_find_name(before, source->name);

        if (old != NULL && old->rate != NULL)
            rate_carry_over(source->rate, old->rate);
    }
}

bool sources_are_locked(const struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->entry[i];

        if (!secret_is_locked(source->verifier, 1))
            return false;
        for (size_t j = 0; j < source->secrets_count; j++)
            if (!secret_is_locked(source->secrets[j], strlen(source->secrets[j])))
                return false;
    }
    return true;
}

size_t sources_count(const struct sources *sources)
{
    return sources->count;
}

const struct source *sources_at(const struct sources *sources, size_t number)
{
    return &sources->entry[number];
}

bool source_allows(const struct source *source, const struct network_host *host)
{
    return source->allow == NULL || networks_contain(source->allow, source->allow_count, host);
}

struct source_path {
    const char *base;
    size_t len;
};

/* Compares like strcmp(), except that the path of a request may contain NUL. */
static int source_compare_path(const void *key, const void *entry)
{
    const struct source_path *wanted = key;
    const char *path = ((const struct source *)entry)->path;
    size_t len = strlen(path);
    int order = memcmp(wanted->base, path, wanted->len < len ? wanted->len : len);

    return order != 0 ? order : (wanted->len > len) - (wanted->len < len);
}

const struct source *sources_find_path(const struct sources *sources, const char *path, size_t len)
{
    struct source_path wanted = {path, len};

    if (len == 0)
        return NULL;
    return bsearch(&wanted, sources->entry, sources->count, sizeof(sources->entry[0]),
                   source_compare_path);
}

/* Writes the path in lower case, percent-decoded, without repeated slashes and those at the end.
 * Returns the length, or 0 if the path is too long. */
static size_t source_path_fold(const char *path, size_t len, char out[SOURCE_PATH_MAX])
{
    size_t done = 0;

    for (size_t i = 0; i < len && done < SOURCE_PATH_MAX; i++) {
        unsigned char c = (unsigned char)path[i];
        unsigned char decoded[1];

        if (c == '%' && i + 2 < len &&
            sodium_hex2bin(decoded, 1, path + i + 1, 2, NULL, NULL, NULL) == 0) {
            c = decoded[0];
            i += 2;
        }
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        if (c != '/' || done == 0 || out[done - 1] != '/')
            out[done++] = (char)c;
    }
    if (done == SOURCE_PATH_MAX)
        return 0;
    while (done > 1 && out[done - 1] == '/')
        done--;
    return done;
}

const struct source *sources_find_near_path(const struct sources *sources, const char *path,
                                            size_t len)
{
    char wanted[SOURCE_PATH_MAX], own[SOURCE_PATH_MAX];
    size_t wanted_len = source_path_fold(path, len, wanted);

    for (size_t i = 0; wanted_len > 0 && i < sources->count; i++) {
        const struct source *source = &sources->entry[i];

        if (source_path_fold(source->path, strlen(source->path), own) == wanted_len &&
            memcmp(own, wanted, wanted_len) == 0)
            return source;
    }
    return NULL;
}

const struct source *sources_find_name(const struct sources *sources, const char *name)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->entry[i].name, name) == 0)
            return &sources->entry[i];
    return NULL;
}
