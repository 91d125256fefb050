/* SPDX-License-Identifier: MIT */
#include "cli/emulator/playground.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/emulator.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/base/net.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/secret.h"
#include "daemon/hints/secret_mistakes.h"
#include "daemon/http/client.h"
#include "daemon/policy/source.h"

/* ---- addresses of hooklined */

enum {
    PLAYGROUND_SINK_SIZE = 512
};

/* Replaces a wildcard address by loopback. Returns the port in network order; 0 for a Unix
 * socket. */
static in_port_t playground_make_reachable(struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET) {
        if (v4->sin_addr.s_addr == htonl(INADDR_ANY))
            v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return v4->sin_port;
    }
    if (address->ss_family != AF_INET6)
        return 0;
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    return v6->sin6_port;
}

/* Writes the admin address: "unix:admin.sock" or "127.0.0.1:9090". Returns false if there is
 * none. */
static bool playground_sink_admin(const struct config *config, char text[PLAYGROUND_SINK_SIZE])
{
    const char *admin = config->admin.address;
    struct sockaddr_storage address;
    socklen_t len;

    if (admin == NULL || !address_read(admin, &address, &len))
        return false;
    if (address.ss_family == AF_UNIX) {
        snprintf(text, PLAYGROUND_SINK_SIZE, "%s", admin);
        return true;
    }
    if (playground_make_reachable(&address) == 0)
        return false;
    address_write(&address, text);
    return true;
}

/* Writes hooklined's base URL, e.g. "http://127.0.0.1:8080". Skips addresses that expect a PROXY
 * header, and prefers one without TLS, since a certificate rarely names loopback. Returns false if
 * there is no address with a port. */
static bool playground_sink_url(const struct config *config, char url[PLAYGROUND_SINK_SIZE])
{
    const struct config_listen *listen = config->listen, *end = listen + config->listen_count;
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_SIZE];
    bool found = false;
    socklen_t len;

    for (; listen < end; listen++) {
        if (listen->proxy_protocol || (found && listen->tls != NULL) ||
            !address_read(listen->address, &address, &len) ||
            playground_make_reachable(&address) == 0)
            continue;
        address_write(&address, text);
        snprintf(url, PLAYGROUND_SINK_SIZE, "http%s://%s", listen->tls != NULL ? "s" : "", text);
        found = true;
        if (listen->tls == NULL)
            break;
    }
    return found;
}

/* ---- playground */

enum {
    SECRETS = 2 /* current and previous */
};

/* The playground under construction. */
struct playground_builder {
    struct emulator *emulator;
    struct playground *playground;
    char *why;
};

/* A wanted endpoint. */
struct playground_request {
    const char *source, *scheme, *description, *signed_url;
    char *url;
    char *secrets[SECRETS]; /* from secret_read() */
};

static bool playground_fail(const struct playground_builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool playground_fail(const struct playground_builder *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(b->why, PLAYGROUND_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static void playground_request_free(struct playground_request *request)
{
    free(request->url);
    for (int i = 0; i < SECRETS; i++)
        if (request->secrets[i] != NULL)
            secret_free(&request->secrets[i]);
}

/* ---- ledger */

/* Returns the provider whose API sends the scheme's tests; "emulated" for the others. Foil's sends
 * those of Tripwire, its former name. */
static const char *playground_provider(const char *scheme)
{
    if (scheme != NULL && strcmp(scheme, "tripwire") == 0)
        return "foil";
    if (scheme != NULL && (strcmp(scheme, "foil") == 0 || strcmp(scheme, "shodai") == 0 ||
                           strcmp(scheme, "trulayer") == 0))
        return scheme;
    return "emulated";
}

static void playground_make_id(char id[IDS_SIZE], const char *provider, const char *source)
{
    if (strcmp(provider, "foil") == 0)
        ids_make_hex(id, "we_");
    else if (strcmp(provider, "shodai") == 0)
        ids_make_hex(id, "wh_");
    else if (strcmp(provider, "trulayer") == 0)
        ids_make_uuid(id);
    else
        snprintf(id, IDS_SIZE, "%s", source);
}

static bool playground_set_text(char **member, const char *text)
{
    if (text != NULL)
        return ledger_set_text(member, text);
    free(*member);
    *member = NULL;
    return true;
}

static bool playground_fill_endpoint(struct ledger_endpoint *endpoint,
                                     const struct emulator *emulator,
                                     const struct playground_request *request)
{
    cJSON *name = cJSON_CreateString(request->source);
    bool good = playground_set_text(&endpoint->source, request->source) &&
                playground_set_text(&endpoint->scheme, request->scheme) &&
                playground_set_text(&endpoint->description, request->description) &&
                playground_set_text(&endpoint->url, request->url) &&
                playground_set_text(&endpoint->signed_url, request->signed_url) &&
                playground_set_text(&endpoint->secret, request->secrets[0]) &&
                playground_set_text(&endpoint->previous_secret,
                                    request->secrets[1] == NULL ? "" : request->secrets[1]) &&
                playground_set_text(&endpoint->faults, emulator->faults) &&
                ledger_endpoint_detail_set(endpoint, "name", name);

    cJSON_Delete(name);
    endpoint->enabled = true;
    endpoint->updated_us = clock_wall_us();
    return good;
}

static bool playground_add(struct playground_builder *b, const struct ledger_endpoint *endpoint)
{
    struct playground_endpoint *at = &b->playground->endpoints[b->playground->count];

    b->playground->count++;
    at->source = strdup(endpoint->source);
    at->provider = strdup(ledger_endpoint_provider(endpoint));
    at->id = strdup(endpoint->id);
    at->url = strdup(endpoint->url);
    at->scheme = strdup(endpoint->scheme == NULL ? "custom" : endpoint->scheme);
    return at->source != NULL && at->provider != NULL && at->id != NULL && at->url != NULL &&
           at->scheme != NULL;
}

static bool playground_is_new(const struct playground_builder *b,
                              const struct playground_request *request)
{
    for (size_t i = 0; i < b->playground->count; i++)
        if (strcmp(b->playground->endpoints[i].source, request->source) == 0)
            return playground_fail(b, "duplicate endpoint for source %s", request->source);
    return true;
}

/* Returns the endpoint of an earlier start. Removes it if the source has changed provider. */
static struct ledger_endpoint *playground_find_known(struct ledger *ledger,
                                                     const struct playground_request *request)
{
    struct ledger_endpoint *found = ledger_endpoint_of_source(ledger, request->source);

    if (found != NULL && strcmp(found->provider, playground_provider(request->scheme)) != 0) {
        ledger_remove_endpoint(ledger, found->provider, found->id);
        ledger_endpoint_free(&found);
    }
    return found;
}

static bool playground_store(struct playground_builder *b, const struct playground_request *request)
{
    struct ledger *ledger = b->emulator->ledger;
    const char *provider = playground_provider(request->scheme),
               *problem = client_url_problem(request->url);
    struct ledger_endpoint *endpoint;
    char id[IDS_SIZE];
    bool good, known;

    if (problem != NULL)
        return playground_fail(b, "%s: %s", request->source, problem);
    if (!playground_is_new(b, request))
        return false;
    endpoint = playground_find_known(ledger, request);
    known = endpoint != NULL;
    if (!known) {
        playground_make_id(id, provider, request->source);
        endpoint = ledger_endpoint_new(provider, id, "", "");
    }
    if (endpoint == NULL || !playground_fill_endpoint(endpoint, b->emulator, request))
        good = playground_fail(b, "out of memory");
    else if (!(known ? ledger_change_endpoint : ledger_add_endpoint)(ledger, endpoint))
        good = playground_fail(b, "%s", ledger_why(ledger));
    else
        good = playground_add(b, endpoint) || playground_fail(b, "out of memory");
    ledger_endpoint_free(&endpoint);
    return good;
}

/* ---- hooklined.yaml */

static void playground_ignore_warning(const char *warning)
{
    (void)warning;
}

/* Loads the sources as hooklined does, so that every error of the file shows at startup. */
static bool playground_check_sources(struct playground_builder *b, const struct config *config)
{
    char why[CONFIG_WHY_SIZE];
    struct sources *sources = sources_open(config, playground_ignore_warning, why);

    if (sources == NULL)
        return playground_fail(b, "%s", why);
    sources_free(&sources);
    return true;
}

static bool playground_read_source(struct playground_builder *b, const struct config_source *source,
                                   const char *base)
{
    struct playground_request request = {
        .source = source->name,
        .scheme = source->scheme,
        .description = source->description,
        .signed_url = source->url,
    };
    char why[CONFIG_WHY_SIZE];
    bool good = true;

    for (unsigned i = 0; good && i < source->secrets_count && i < SECRETS; i++) {
        request.secrets[i] = secret_read(&source->secrets[i], why, sizeof(why));
        good = request.secrets[i] != NULL || playground_fail(b, "source %s: %s", source->name, why);
    }
    if (good && asprintf(&request.url, "%s%s%s", base, source->path == NULL ? "/" : "",
                         source->path == NULL ? source->name : source->path) < 0) {
        request.url = NULL;
        good = playground_fail(b, "out of memory");
    }
    good = good && playground_store(b, &request);
    playground_request_free(&request);
    return good;
}

static bool playground_read_sources(struct playground_builder *b, const struct config *config,
                                    const char *sink_url)
{
    char base[PLAYGROUND_SINK_SIZE];
    size_t len;

    if (sink_url == NULL) {
        if (!playground_sink_url(config, base))
            return playground_fail(b, "the configuration has no address with a port for hooklined: "
                                      "pass --sink-url http://HOST:PORT");
    } else if (snprintf(base, sizeof(base), "%s", sink_url) >= (int)sizeof(base)) {
        return playground_fail(b, "--sink-url is too long");
    }
    for (len = strlen(base); len > 0 && base[len - 1] == '/'; len--)
        base[len - 1] = '\0';
    for (unsigned i = 0; i < config->sources_count; i++)
        if (!playground_read_source(b, &config->sources[i], base))
            return false;
    return true;
}

/* Writes the place in the syntax of an option. */
static char *playground_where_text(const struct config_secret *where)
{
    char *text;
    int len = where->file != NULL  ? asprintf(&text, "@%s", where->file)
              : where->env != NULL ? asprintf(&text, "env:%s", where->env)
                                   : asprintf(&text, "credential:%s", where->credential);

    return len < 0 ? NULL : text;
}

static bool playground_read_admin(struct playground_builder *b, const struct config *config)
{
    const struct config_secret *token = config->admin.token;
    char address[PLAYGROUND_SINK_SIZE];

    if (!playground_sink_admin(config, address))
        return true;
    b->playground->sink = strdup(address);
    if (token != NULL)
        b->playground->sink_token = playground_where_text(token);
    return (b->playground->sink != NULL &&
            (token == NULL) == (b->playground->sink_token == NULL)) ||
           playground_fail(b, "out of memory");
}

/* ---- --endpoint */

/* Quotes only the name: a secret may follow it. */
static bool playground_fail_scheme(const struct playground_builder *b, const char *text)
{
    char names[256];
    const hookline_scheme *scheme;
    size_t len = 0;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ",
                                scheme->name);
    return playground_fail(b, "--endpoint %.*s: expected PROVIDER=URL; PROVIDER is one of %s",
                           (int)strcspn(text, "=:,"), text, names);
}

/* Splits at the first comma that @, env: or credential: follows, since URLs and paths contain
 * other commas. */
static bool playground_split_where(char *url, struct config_secret *where)
{
    for (char *comma = strchr(url, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        if (secret_parse_location(where, comma + 1)) {
            *comma = '\0';
            return true;
        }
    }
    return false;
}

/* Returns false, with an error, if the scheme cannot sign with the secret. */
static bool playground_can_sign(const struct playground_builder *b,
                                const struct playground_request *request)
{
    hookline_verifier *verifier;
    int code = hookline_verifier_new(&verifier, request->scheme, request->secrets[0]);

    hookline_verifier_free(&verifier);
    return code == 0 ||
           playground_fail(b, "--endpoint %s: %s", request->scheme,
                           secret_error_text(code,
                                             hookline_scheme_find(request->scheme)->description,
                                             request->secrets[0]));
}

static void playground_where_free(struct config_secret *where)
{
    free(where->file);
    free(where->env);
    free(where->credential);
}

static bool playground_read_endpoint(struct playground_builder *b, const char *text,
                                     const char *keys)
{
    const char *equals = strchr(text, '=');
    char *provider = equals == NULL ? NULL : strndup(text, (size_t)(equals - text));
    const hookline_scheme *scheme = provider == NULL ? NULL : hookline_scheme_find(provider);
    struct playground_request request = {0};
    struct config_secret where = {0};
    char why[KEYS_SECRET_WHY_SIZE];
    bool good;

    free(provider);
    if (scheme == NULL)
        return playground_fail_scheme(b, text);
    request.source = request.scheme = scheme->name;
    if ((request.url = strdup(equals + 1)) == NULL)
        return playground_fail(b, "out of memory");
    if (playground_split_where(request.url, &where))
        request.secrets[0] = secret_read(&where, why, sizeof(why));
    else if (strchr(request.url, ',') == NULL)
        request.secrets[0] = keys_signing_secret(keys, scheme->name, why);
    else /* the text may be a secret, so it is not quoted */
        snprintf(why, sizeof(why),
                 "expected @FILE, env:VARIABLE or credential:NAME after the comma; write a comma "
                 "of the URL as %%2C");
    if (request.secrets[0] == NULL)
        good = playground_fail(b, "--endpoint %s: %s", scheme->name, why);
    else
        good = playground_can_sign(b, &request) && playground_store(b, &request);
    playground_where_free(&where);
    playground_request_free(&request);
    return good;
}

/* ---- open and close */

static bool playground_fill(struct playground_builder *b, const struct playground_options *options,
                            const struct config *config)
{
    size_t size = options->endpoints.count + (config == NULL ? 0 : config->sources_count);

    b->playground->endpoints = calloc(size + 1, sizeof(*b->playground->endpoints));
    if (b->playground->endpoints == NULL)
        return playground_fail(b, "out of memory");
    if (config != NULL && !(playground_check_sources(b, config) &&
                            playground_read_sources(b, config, options->sink_url) &&
                            playground_read_admin(b, config)))
        return false;
    for (size_t i = 0; i < options->endpoints.count; i++)
        if (!playground_read_endpoint(b, options->endpoints.items[i], options->keys))
            return false;
    return true;
}

struct playground *playground_open(struct emulator *emulator,
                                   const struct playground_options *options,
                                   char why[PLAYGROUND_WHY_SIZE])
{
    struct playground_builder b = {emulator, calloc(1, sizeof(struct playground)), why};
    struct config *config = NULL;

    if (b.playground == NULL) {
        playground_fail(&b, "out of memory");
        return NULL;
    }
    if ((options->config != NULL &&
         (config = config_file_read_outside(options->config, why)) == NULL) ||
        !playground_fill(&b, options, config))
        playground_close(&b.playground);
    if (config != NULL)
        config_free(&config);
    return b.playground;
}

void playground_close(struct playground **playground)
{
    struct playground *p = *playground;

    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->endpoints[i].source);
        free(p->endpoints[i].provider);
        free(p->endpoints[i].id);
        free(p->endpoints[i].url);
        free(p->endpoints[i].scheme);
    }
    free(p->endpoints);
    free(p->sink);
    free(p->sink_token);
    free(p);
    *playground = NULL;
}
