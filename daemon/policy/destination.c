/* SPDX-License-Identifier: MIT */
#include "daemon/policy/destination.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/backoff.h"
#include "daemon/base/header_name.h"
#include "daemon/conf/config.h"
#include "daemon/conf/secret.h"
#include "daemon/hints/secret_mistakes.h"
#include "daemon/http/tls.h"
#include "daemon/log/metrics.h"
#include "daemon/store/outbox.h"

enum {
    SHORT_KEY = 24, /* bytes, decoded; minimum of Standard Webhooks */
};

/* The destination being opened, for error messages. */
struct destination_opening {
    const struct config *config;
    const struct config_destination *d;
    unsigned index;
    void (*warn)(const char *text);
    char *why;
};

static bool destination_fail_at(const struct destination_opening *o, const char *path,
                                const char *format, va_list args)
{
    size_t len = config_locate(o->config, path, o->why, CONFIG_WHY_SIZE);

    vsnprintf(o->why + len, CONFIG_WHY_SIZE - len, format, args);
    return false;
}

static bool destination_fail(const struct destination_opening *o, const char *key,
                             const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool destination_fail(const struct destination_opening *o, const char *key,
                             const char *format, ...)
{
    char path[64];
    va_list args;

    snprintf(path, sizeof(path), "destinations/%u/%s", o->index, key);
    va_start(args, format);
    destination_fail_at(o, path, format, args);
    va_end(args);
    return false;
}

static bool destination_fail_source(const struct destination_opening *o, unsigned source,
                                    const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool destination_fail_source(const struct destination_opening *o, unsigned source,
                                    const char *format, ...)
{
    char path[64];
    va_list args;

    snprintf(path, sizeof(path), "sources/%u/answer", source);
    va_start(args, format);
    destination_fail_at(o, path, format, args);
    va_end(args);
    return false;
}

static bool destination_source_exists(const struct config *c, const char *name)
{
    for (unsigned i = 0; i < c->sources_count; i++)
        if (strcmp(c->sources[i].name, name) == 0)
            return true;
    return false;
}

static bool destination_fail_duplicate(const struct destination_opening *o, unsigned first)
{
    char key[64], place[CONFIG_WHY_SIZE];

    snprintf(key, sizeof(key), "destinations/%u/name", first);
    config_place(o->config, key, place, sizeof(place));
    return destination_fail(o, "name", "duplicate destination name %s%s", o->d->name, place);
}

static bool destination_check_names(const struct destination_opening *o)
{
    if (!config_is_name(o->d->name))
        return destination_fail(o, "name",
                                "a destination's name is made of letters, digits, - _ and .");
    for (unsigned i = 0; i < o->index; i++)
        if (strcmp(o->config->destinations[i].name, o->d->name) == 0)
            return destination_fail_duplicate(o, i);
    for (unsigned i = 0; i < o->d->sources_count; i++) {
        char key[32];

        snprintf(key, sizeof(key), "sources/%u", i);
        if (!destination_source_exists(o->config, o->d->sources[i]))
            return destination_fail(o, key, "destination %s: unknown source %s", o->d->name,
                                    o->d->sources[i]);
    }
    return true;
}

/* The default of concurrency does not contradict `ordered`; a number in the file does. */
static bool destination_check_order(const struct destination_opening *o)
{
    char key[64];

    snprintf(key, sizeof(key), "destinations/%u/concurrency", o->index);
    return !o->d->ordered || o->d->concurrency == 1 || !config_has(o->config, key) ||
           destination_fail(o, "concurrency",
                            "destination %s: ordered means one at a time; delete concurrency",
                            o->d->name);
}

/* Never print the URL: its query may hold a token. */
static bool destination_check_target(const struct destination_opening *o)
{
    const char *problem = client_url_problem(o->d->url);

    if (problem != NULL)
        return destination_fail(o, "url", "destination %s: %s", o->d->name, problem);
    if (o->d->socket != NULL && o->d->socket[0] != '/')
        return destination_fail(o, "socket", "destination %s: expected a path that begins with /",
                                o->d->name);
    if (o->d->ca_file == NULL || (problem = certificate_file_problem(o->d->ca_file)) == NULL)
        return true;
    return destination_fail(o, "ca_file", "destination %s: %s: %s", o->d->name, o->d->ca_file,
                            problem);
}

/* Reports a secret that is unusable, short or probably stored wrongly; `code` is the library's. */
static bool destination_check_signer(const struct destination_opening *o,
                                     const hookline_verifier *signer, const char *secret, int code)
{
    const char *mistake = secret_mistake_warning(secret);
    char text[256];

    if (code < 0)
        return destination_fail(
            o, "secret",
            "destination %s: %s%s%s; try: echo whsec_$(openssl rand "
            "-base64 32)",
            o->d->name,
            secret_error_text(code, hookline_scheme_find("standard")->description, secret),
            mistake == NULL ? "" : "; this secret ", mistake == NULL ? "" : mistake);
    if (hookline_verifier_key_bytes(signer) < SHORT_KEY) {
        snprintf(text, sizeof(text),
                 "destination %s: a secret of %zu bytes can be guessed; use %d or more", o->d->name,
                 hookline_verifier_key_bytes(signer), SHORT_KEY);
        o->warn(text);
    }
    if (mistake != NULL) {
        snprintf(text, sizeof(text), "destination %s: its secret %s", o->d->name, mistake);
        o->warn(text);
    }
    return true;
}

/* Checks the files as those of a listener: the same types and modes of keys are good. */
static bool destination_check_certificate(const struct destination_opening *o)
{
    const struct config_tls files = {.certificate = o->d->certificate, .key = o->d->key};
    const char *key = "certificate";
    char problem[CONFIG_WHY_SIZE];
    struct tls *tls;

    if (files.certificate == NULL && files.key == NULL)
        return true;
    if (files.certificate == NULL)
        return destination_fail(o, "key", "destination %s: key without certificate; type both",
                                o->d->name);
    if (files.key == NULL)
        return destination_fail(o, key, "destination %s: certificate without key; type both",
                                o->d->name);
    if (strncasecmp(o->d->url, "https:", strlen("https:")) != 0)
        return destination_fail(
            o, key, "destination %s: certificate without TLS; type https:// in url", o->d->name);
    if ((tls = tls_open(&files, o->warn, &key, problem, sizeof(problem))) == NULL)
        return destination_fail(o, key, "destination %s: %s", o->d->name, problem);
    tls_free(&tls);
    return true;
}

static bool destination_open_signer(const struct destination_opening *o, hookline_verifier **signer)
{
    char why[CONFIG_WHY_SIZE];
    char *secret = secret_read(o->d->secret, why, sizeof(why));
    int code;
    bool good;

    if (secret == NULL)
        return destination_fail(o, "secret", "destination %s: %s", o->d->name, why);
    code = hookline_verifier_new(signer, "standard", secret);
    good = destination_check_signer(o, *signer, secret, code);
    secret_free(&secret);
    return good;
}

static bool destination_check_secret(const struct destination_opening *o,
                                     hookline_verifier **signer)
{
    const struct config_secret *s = o->d->secret;

    if (s == NULL)
        return true;
    if (!config_is_one_secret(s))
        return destination_fail(
            o, "secret", "destination %s: expected one of file, env and credential", o->d->name);
    return destination_open_signer(o, signer);
}

/* ---- headers of the sender */

static hookline_bytes destination_bytes_of(const char *text)
{
    return (hookline_bytes){text, strlen(text)};
}

static bool destination_name_is(const char *pattern, hookline_bytes name)
{
    return header_name_matches(pattern, name.base, name.len);
}

static bool destination_signs_header(const struct destination *d, hookline_bytes name)
{
    return d->signer != NULL && (destination_name_is("webhook-id", name) ||
                                 destination_name_is("webhook-timestamp", name) ||
                                 destination_name_is("webhook-signature", name));
}

bool destination_adds_header(const struct destination *d, hookline_bytes name)
{
    for (char **line = d->added; line != NULL && *line != NULL; line++)
        if (strcspn(*line, ":") == name.len && header_name_equals(*line, name.base, name.len))
            return true;
    return false;
}

static bool destination_lists_header(const struct destination *d, hookline_bytes name)
{
    for (char **pattern = d->headers; *pattern != NULL; pattern++)
        if (destination_name_is(*pattern, name))
            return true;
    return false;
}

bool destination_takes_header(const struct destination *d, hookline_bytes name)
{
    return header_name_travels(name.base, name.len) && !destination_signs_header(d, name) &&
           !destination_adds_header(d, name) &&
           (d->headers == NULL || destination_name_is("content-type", name) ||
            destination_name_is("content-encoding", name) || destination_lists_header(d, name));
}

static bool destination_check_pattern(const struct destination_opening *o, unsigned i)
{
    const char *pattern = o->d->headers[i];
    size_t len = strcspn(pattern, "*");
    bool whole = pattern[len] == '\0';
    char key[32];

    snprintf(key, sizeof(key), "headers/%u", i);
    if ((!whole && pattern[len + 1] != '\0') ||
        ((len > 0 || whole) && !header_name_is_token(pattern, len)))
        return destination_fail(
            o, key,
            "destination %s: not a header's name; type a name, or its beginning "
            "and a final *",
            o->d->name);
    return !whole || header_name_travels(pattern, len) ||
           destination_fail(o, key, "destination %s: the sender's %s is never forwarded",
                            o->d->name, pattern);
}

/* ---- headers that are added
 *
 * Credentials are headers, too. All of them are lines in locked memory. */

/* Joins the texts in locked memory; NULL on ENOMEM. */
static char *destination_join(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *line = sodium_init() < 0 ? NULL : sodium_malloc(size);

    if (line != NULL)
        snprintf(line, size, "%s%s%s", a, b, c);
    return line;
}

/* Keeps the line, or frees it and fails. `added` has room. */
static bool destination_keep_line(const struct destination_opening *o, struct destination *d,
                                  const char *key, char *line)
{
    char **end = d->added;

    while (*end != NULL)
        end++;
    *end = line;
    return line != NULL || destination_fail(o, key, "out of memory");
}

static const char *destination_value_problem(const char *value)
{
    size_t len = strlen(value);

    if (len == 0)
        return "an empty value";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
            return "a line end or another control character";
    return value[0] == ' ' || value[len - 1] == ' ' ? "a blank at an end" : NULL;
}

/* Reads a secret that becomes part of a header. */
static char *destination_read_value(const struct destination_opening *o, const char *key,
                                    const struct config_secret *where)
{
    char why[CONFIG_WHY_SIZE];
    const char *problem;
    char *value;

    if (!config_is_one_secret(where)) {
        destination_fail(o, key, "destination %s: expected one of file, env and credential",
                         o->d->name);
        return NULL;
    }
    if ((value = secret_read(where, why, sizeof(why))) == NULL)
        destination_fail(o, key, "destination %s: %s", o->d->name, why);
    else if ((problem = destination_value_problem(value)) != NULL) {
        destination_fail(o, key, "destination %s: the secret has %s; delete it", o->d->name,
                         problem);
        secret_free(&value);
    }
    return value;
}

static bool destination_open_bearer(const struct destination_opening *o, struct destination *d)
{
    char *token;
    bool good;

    if (o->d->bearer == NULL)
        return true;
    if (o->d->basic != NULL)
        return destination_fail(o, "bearer", "destination %s: basic and bearer; delete one of them",
                                o->d->name);
    if ((token = destination_read_value(o, "bearer", o->d->bearer)) == NULL)
        return false;
    good = strchr(token, ' ') == NULL
               ? destination_keep_line(o, d, "bearer",
                                       destination_join("Authorization: Bearer ", token, ""))
               : destination_fail(o, "bearer",
                                  "destination %s: the token has a blank; type the "
                                  "token alone, without Bearer",
                                  o->d->name);
    secret_free(&token);
    return good;
}

static char *destination_encode_basic(const char *user, const char *password)
{
    static const char begin[] = "Authorization: Basic ";
    char *text = destination_join(user, ":", password), *line = NULL;
    size_t len = text == NULL ? 0 : strlen(text);
    size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);

    if (text != NULL && (line = sodium_malloc(sizeof(begin) + size)) != NULL) {
        memcpy(line, begin, sizeof(begin));
        sodium_bin2base64(line + strlen(begin), size, (const unsigned char *)text, len,
                          sodium_base64_VARIANT_ORIGINAL);
    }
    sodium_free(text);
    return line;
}

static bool destination_open_basic(const struct destination_opening *o, struct destination *d)
{
    const struct config_basic *basic = o->d->basic;
    char *password;
    bool good;

    if (basic == NULL)
        return true;
    if (strchr(basic->user, ':') != NULL || destination_value_problem(basic->user) != NULL)
        return destination_fail(o, "basic/user",
                                "destination %s: a user without colons, line ends and blanks at an "
                                "end is expected",
                                o->d->name);
    if ((password = destination_read_value(o, "basic/password", &basic->password)) == NULL)
        return false;
    good = destination_keep_line(o, d, "basic", destination_encode_basic(basic->user, password));
    secret_free(&password);
    return good;
}

static bool destination_check_added(const struct destination_opening *o,
                                    const struct destination *d, const char *key, const char *name)
{
    hookline_bytes bytes = destination_bytes_of(name);

    if (!header_name_is_token(name, bytes.len))
        return destination_fail(o, key,
                                "destination %s: not a header's name; type one such as "
                                "X-Tenant",
                                o->d->name);
    if (!header_name_is_settable(name, bytes.len))
        return destination_fail(o, key, "destination %s: %s is hooklined's own header; delete it",
                                o->d->name, name);
    if (destination_signs_header(d, bytes))
        return destination_fail(o, key,
                                "destination %s: %s is part of the signature by secret; "
                                "delete one of them",
                                o->d->name, name);
    return !destination_adds_header(d, bytes) ||
           destination_fail(o, key, "destination %s: a second %s; delete one of them", o->d->name,
                            name);
}

static bool destination_open_added(const struct destination_opening *o, struct destination *d,
                                   unsigned i)
{
    const struct config_header *header = &o->d->add_headers[i];
    const char *problem;
    char key[64], *value;
    bool good;

    snprintf(key, sizeof(key), "add_headers/%u/name", i);
    if (!destination_check_added(o, d, key, header->name))
        return false;
    snprintf(key, sizeof(key), "add_headers/%u", i);
    if (header->value == NULL) {
        if ((value = destination_read_value(o, key, &header->secret)) == NULL)
            return false;
        good = destination_keep_line(o, d, key, destination_join(header->name, ": ", value));
        secret_free(&value);
        return good;
    }
    if (header->secret.file != NULL || header->secret.env != NULL ||
        header->secret.credential != NULL)
        return destination_fail(o, key,
                                "destination %s: %s: expected one of value, file, env and "
                                "credential",
                                o->d->name, header->name);
    if ((problem = destination_value_problem(header->value)) != NULL)
        return destination_fail(o, key, "destination %s: %s: the value has %s; delete it",
                                o->d->name, header->name, problem);
    return destination_keep_line(o, d, key, destination_join(header->name, ": ", header->value));
}

static bool destination_open_headers(const struct destination_opening *o, struct destination *d)
{
    if ((d->added = calloc(o->d->add_headers_count + 2, sizeof(*d->added))) == NULL)
        return destination_fail(o, "name", "out of memory");
    for (unsigned i = 0; i < o->d->headers_count; i++)
        if (!destination_check_pattern(o, i))
            return false;
    if (!destination_open_basic(o, d) || !destination_open_bearer(o, d))
        return false;
    for (unsigned i = 0; i < o->d->add_headers_count; i++)
        if (!destination_open_added(o, d, i))
            return false;
    return true;
}

static void destination_free_added(char **added)
{
    for (char **line = added; line != NULL && *line != NULL; line++)
        sodium_free(*line);
    free(added);
}

/* ---- opening */

/* Copies the list with a trailing NULL; an empty list becomes NULL. Returns false on ENOMEM. */
static bool destination_copy_list(char ***copy, char *const *list, unsigned count)
{
    if (count == 0)
        return true;
    if ((*copy = calloc(count + 1, sizeof(**copy))) == NULL)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (((*copy)[i] = strdup(list[i])) == NULL)
            return false;
    return true;
}

static bool destination_copy_schedule(struct destination *d, const struct config_destination *c)
{
    const unsigned *schedule = c->retry_seconds_count > 0 ? c->retry_seconds : BACKOFF_STANDARD;

    d->retries = c->retry_seconds_count > 0 ? c->retry_seconds_count : BACKOFF_STANDARD_COUNT;
    if ((d->retry_s = calloc(d->retries, sizeof(*d->retry_s))) == NULL)
        return false;
    memcpy(d->retry_s, schedule, d->retries * sizeof(*d->retry_s));
    return true;
}

static bool destination_copy_statuses(struct destination *d, const struct config_destination *c)
{
    static const unsigned usual[] = {410};
    const unsigned *statuses = c->park_statuses_count > 0 ? c->park_statuses : usual;
    unsigned count = c->park_statuses_count > 0 ? c->park_statuses_count : 1;

    if ((d->park_statuses = calloc(count + 1, sizeof(*d->park_statuses))) == NULL)
        return false;
    memcpy(d->park_statuses, statuses, count * sizeof(*statuses));
    return true;
}

static bool destination_copy_text(const char **copy, const char *text)
{
    return text == NULL || (*copy = strdup(text)) != NULL;
}

static bool destination_copy_target(struct client_target *target,
                                    const struct config_destination *c)
{
    target->timeout_s = c->timeout_seconds;
    return destination_copy_text(&target->url, c->url) &&
           destination_copy_text(&target->unix_socket, c->socket) &&
           destination_copy_text(&target->ca_file, c->ca_file) &&
           destination_copy_text(&target->certificate, c->certificate) &&
           destination_copy_text(&target->key, c->key);
}

static bool destination_copy(struct destination *d, const struct config_destination *c,
                             const struct config *config)
{
    d->name = strdup(c->name);
    d->query = c->query;
    d->ordered = c->ordered;
    d->concurrency = c->ordered ? 1 : c->concurrency;
    d->per_second = c->rate == NULL ? 0 : c->rate->per_second;
    d->burst = c->rate == NULL ? 0 : c->rate->burst;
    d->answers = calloc(config->sources_count + 1, sizeof(*d->answers));
    return d->name != NULL && d->answers != NULL && destination_copy_target(&d->target, c) &&
           destination_copy_list(&d->headers, c->headers, c->headers_count) &&
           destination_copy_list(&d->sources, c->sources, c->sources_count) &&
           destination_copy_list(&d->types, c->types, c->types_count) &&
           destination_copy_schedule(d, c) && destination_copy_statuses(d, c);
}

static bool destination_open(const struct destination_opening *o, struct destination *d)
{
    if (!destination_check_names(o) || !destination_check_order(o) ||
        !destination_check_target(o) || !destination_check_certificate(o) ||
        !destination_check_secret(o, &d->signer) || !destination_open_headers(o, d))
        return false;
    return destination_copy(d, o->d, o->config) || destination_fail(o, "name", "out of memory");
}

static bool destination_is_listed(char *const *list, hookline_bytes text)
{
    for (; *list != NULL; list++)
        if (strlen(*list) == text.len && memcmp(*list, text.base, text.len) == 0)
            return true;
    return false;
}

static bool destination_matches_source(const struct destination *d, hookline_bytes source)
{
    return d->sources == NULL || destination_is_listed(d->sources, source);
}

/* Finds the destinations that take every type of the source: returns the last one and their
 * number. */
static struct destination *destinations_find_sole(struct destinations *all, const char *source,
                                                  size_t *count)
{
    struct destination *found = NULL;

    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (destination_takes_all_types(&all->at[i]) &&
            destination_matches_source(&all->at[i], destination_bytes_of(source))) {
            found = &all->at[i];
            ++*count;
        }
    }
    return found;
}

static bool destination_add_answer(struct destination *d, const char *source)
{
    size_t i = 0;

    while (d->answers[i] != NULL)
        i++;
    return (d->answers[i] = strdup(source)) != NULL;
}

static bool destinations_open_answers(const struct destination_opening *o, struct destinations *all)
{
    for (unsigned i = 0; i < o->config->sources_count; i++) {
        const char *name = o->config->sources[i].name;
        struct destination *d;
        size_t count;

        if (o->config->sources[i].answer != CONFIG_ANSWER_UPSTREAM)
            continue;
        d = destinations_find_sole(all, name, &count);
        if (count != 1)
            return destination_fail_source(
                o, i,
                "source %s: answer: upstream needs exactly one destination "
                "that takes all its types; found %zu",
                name, count);
        if (d->ordered)
            return destination_fail_source(
                o, i,
                "source %s: answer: upstream cannot wait behind earlier deliveries; "
                "destination %s must not be ordered",
                name, d->name);
        if (!destination_add_answer(d, name))
            return destination_fail_source(o, i, "out of memory");
    }
    return true;
}

struct destinations *destinations_open(const struct config *config, void (*warn)(const char *text),
                                       char *why)
{
    struct destinations *all = calloc(1, sizeof(*all));
    struct destination_opening o = {.config = config, .warn = warn, .why = why};
    bool good;

    if (all != NULL)
        all->at = calloc(config->destinations_count + 1, sizeof(*all->at));
    if (all == NULL || all->at == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        destinations_free(&all);
        return NULL;
    }
    good = true;
    for (; good && o.index < config->destinations_count; o.index++) {
        o.d = &config->destinations[o.index];
        good = destination_open(&o, &all->at[all->count++]);
    }
    if (!good || !destinations_open_answers(&o, all))
        destinations_free(&all);
    return all;
}

static void destination_free_list(char **list)
{
    for (char **text = list; text != NULL && *text != NULL; text++)
        free(*text);
    free(list);
}

void destinations_free(struct destinations **destinations)
{
    struct destinations *all = *destinations;

    for (size_t i = 0; all != NULL && i < all->count; i++) {
        struct destination *d = &all->at[i];

        free(d->name);
        free((char *)d->target.url);
        free((char *)d->target.unix_socket);
        free((char *)d->target.ca_file);
        free((char *)d->target.certificate);
        free((char *)d->target.key);
        destination_free_added(d->added);
        destination_free_list(d->headers);
        destination_free_list(d->sources);
        destination_free_list(d->types);
        destination_free_list(d->answers);
        hookline_verifier_free(&d->signer);
        free(d->retry_s);
        free(d->park_statuses);
    }
    if (all != NULL)
        free(all->at);
    free(all);
    *destinations = NULL;
}

bool destinations_attach_metrics(struct destinations *all, struct metrics *metrics)
{
    for (size_t i = 0; i < all->count; i++)
        if ((all->at[i].counters = metrics_destination(metrics, all->at[i].name)) == NULL)
            return false;
    return true;
}

int destinations_register(struct destinations *all, struct outbox *outbox, int64_t newest)
{
    int code = outbox_retire_all(outbox);

    for (size_t i = 0; code == SQLITE_OK && i < all->count; i++) {
        struct destination *d = &all->at[i];

        code = outbox_register(outbox, d->name, newest, &d->number, &d->cursor);
    }
    return code;
}

/* Matches a type literally, or by prefix if the pattern ends with "*": "gate.*" matches
 * "gate.open". */
static bool destination_matches_type(const char *pattern, hookline_bytes type)
{
    size_t len = strlen(pattern);

    if (len > 0 && pattern[len - 1] == '*')
        return type.len >= len - 1 && memcmp(type.base, pattern, len - 1) == 0;
    return type.len == len && memcmp(type.base, pattern, len) == 0;
}

bool destination_takes_all_types(const struct destination *d)
{
    for (char **pattern = d->types; pattern != NULL && *pattern != NULL; pattern++)
        if (strcmp(*pattern, "*") == 0)
            return true;
    return d->types == NULL;
}

enum destination_pass destination_passes(const struct destination *d, hookline_bytes source,
                                         hookline_bytes type)
{
    if (!destination_matches_source(d, source))
        return DESTINATION_PASSES_SOURCE;
    if (destination_takes_all_types(d))
        return DESTINATION_TAKES;
    if (type.base == NULL)
        return DESTINATION_PASSES_NO_TYPE;
    for (char **pattern = d->types; *pattern != NULL; pattern++)
        if (destination_matches_type(*pattern, type))
            return DESTINATION_TAKES;
    return DESTINATION_PASSES_TYPE;
}

const char *destination_pass_name(enum destination_pass pass)
{
    static const char *const names[] = {
        [DESTINATION_TAKES] = NULL,
        [DESTINATION_PASSES_SOURCE] = "source",
        [DESTINATION_PASSES_TYPE] = "type",
        [DESTINATION_PASSES_NO_TYPE] = "no_type",
    };

    return names[pass];
}

bool destination_matches(const struct destination *d, hookline_bytes source, hookline_bytes type)
{
    return destination_passes(d, source, type) == DESTINATION_TAKES;
}

bool destination_answers(const struct destination *d, hookline_bytes source)
{
    return destination_is_listed(d->answers, source);
}

bool destination_moved(const struct destination *before, const struct destination *now)
{
    const char *a = before->target.unix_socket, *b = now->target.unix_socket;

    return strcmp(before->target.url, now->target.url) != 0 || (a == NULL) != (b == NULL) ||
           (a != NULL && strcmp(a, b) != 0);
}

bool destination_same_answers(const struct destination *a, const struct destination *b)
{
    char **of_a = a->answers, **of_b = b->answers;

    while (*of_a != NULL && *of_b != NULL && strcmp(*of_a, *of_b) == 0)
        of_a++, of_b++;
    return *of_a == NULL && *of_b == NULL;
}

const struct destination *destinations_find_answering(const struct destinations *all,
                                                      const char *source)
{
    for (size_t i = 0; i < all->count; i++)
        if (destination_answers(&all->at[i], destination_bytes_of(source)))
            return &all->at[i];
    return NULL;
}

const struct destination *destinations_find_name(const struct destinations *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].name, name) == 0)
            return &all->at[i];
    return NULL;
}
