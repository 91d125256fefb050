/* SPDX-License-Identifier: MIT */
#include "cli/emulator/playground.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/call.h"
#include "daemon/base/clock.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/secret.h"
#include "daemon/policy/source.h"
#include "cli/sink_config.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/emulator.h"
#include "daemon/base/identity.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/made_secret.h"
#include "cli/emulator/sink_address.h"

enum {
    SECRETS = 2 /* the one that signs, and the one before */
};

/* What is being made. */
struct making {
    struct emulator *emulator;
    struct playground *playground;
    char *why;
};

/* An endpoint that somebody wants. */
struct wish {
    const char *source, *scheme, *description, *signed_url;
    char *url;
    char *secrets[SECRETS]; /* of secret_read() */
};

static bool complain(const struct making *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool complain(const struct making *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(m->why, PLAYGROUND_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static void free_wish(struct wish *wish)
{
    free(wish->url);
    for (int i = 0; i < SECRETS; i++)
        if (wish->secrets[i] != NULL)
            secret_free(&wish->secrets[i]);
}

/* ---- into the ledger */

/* Whose API it belongs to; the others have none that sends tests. */
static const char *provider_of(const char *scheme)
{
    if (scheme != NULL && strcmp(scheme, "tripwire") == 0)
        return "foil";
    if (scheme != NULL && (strcmp(scheme, "foil") == 0 || strcmp(scheme, "shodai") == 0 ||
                           strcmp(scheme, "trulayer") == 0))
        return scheme;
    return "emulated";
}

static void make_id(char id[IDENTITY_SIZE], const char *provider, const char *source)
{
    if (strcmp(provider, "foil") == 0)
        identity_hex(id, "we_");
    else if (strcmp(provider, "shodai") == 0)
        identity_hex(id, "wh_");
    else if (strcmp(provider, "trulayer") == 0)
        identity_uuid(id);
    else
        snprintf(id, IDENTITY_SIZE, "%s", source);
}

static bool set_text(char **member, const char *text)
{
    if (text != NULL)
        return detail_text(member, text);
    free(*member);
    *member = NULL;
    return true;
}

static bool fill_in(struct ledger_endpoint *endpoint, const struct emulator *emulator,
                    const struct wish *wish)
{
    cJSON *name = cJSON_CreateString(wish->source);
    bool good =
        set_text(&endpoint->source, wish->source) && set_text(&endpoint->scheme, wish->scheme) &&
        set_text(&endpoint->description, wish->description) &&
        set_text(&endpoint->url, wish->url) && set_text(&endpoint->signed_url, wish->signed_url) &&
        set_text(&endpoint->secret, wish->secrets[0]) &&
        set_text(&endpoint->previous_secret, wish->secrets[1] == NULL ? "" : wish->secrets[1]) &&
        set_text(&endpoint->faults, emulator->faults) && detail_set(endpoint, "name", name);

    cJSON_Delete(name);
    endpoint->enabled = true;
    endpoint->updated_us = clock_wall_us();
    return good;
}

static bool remember(struct making *m, const struct ledger_endpoint *endpoint)
{
    struct playground_endpoint *at = &m->playground->endpoints[m->playground->count];

    m->playground->count++;
    at->source = strdup(endpoint->source);
    at->provider = strdup(endpoint->provider);
    at->id = strdup(endpoint->id);
    at->url = strdup(endpoint->url);
    at->scheme = strdup(endpoint->scheme == NULL ? "custom" : endpoint->scheme);
    return at->source != NULL && at->provider != NULL && at->id != NULL && at->url != NULL &&
           at->scheme != NULL;
}

static bool is_new(const struct making *m, const struct wish *wish)
{
    for (size_t i = 0; i < m->playground->count; i++)
        if (strcmp(m->playground->endpoints[i].source, wish->source) == 0)
            return complain(m, "%s: there is more than one endpoint for it", wish->source);
    return true;
}

/* The one of an earlier start, unless it was another provider's. */
static struct ledger_endpoint *find(struct ledger *ledger, const struct wish *wish)
{
    struct ledger_endpoint *found = ledger_endpoint_of_source(ledger, wish->source);

    if (found != NULL && strcmp(found->provider, provider_of(wish->scheme)) != 0) {
        ledger_remove_endpoint(ledger, found->provider, found->id);
        ledger_endpoint_free(&found);
    }
    return found;
}

static bool grant(struct making *m, const struct wish *wish)
{
    struct ledger *ledger = m->emulator->ledger;
    const char *provider = provider_of(wish->scheme), *problem = call_url_problem(wish->url);
    struct ledger_endpoint *endpoint;
    char id[IDENTITY_SIZE];
    bool good, known;

    if (problem != NULL)
        return complain(m, "%s: %s", wish->source, problem);
    if (!is_new(m, wish))
        return false;
    endpoint = find(ledger, wish);
    known = endpoint != NULL;
    if (!known) {
        make_id(id, provider, wish->source);
        endpoint = detail_new(provider, id, "", "");
    }
    if (endpoint == NULL || !fill_in(endpoint, m->emulator, wish))
        good = complain(m, "out of memory");
    else if (!(known ? ledger_change_endpoint : ledger_add_endpoint)(ledger, endpoint))
        good = complain(m, "%s", ledger_why(ledger));
    else
        good = remember(m, endpoint) || complain(m, "out of memory");
    ledger_endpoint_free(&endpoint);
    return good;
}

/* ---- hooklined's configuration */

static void ignore(const char *warning)
{
    (void)warning;
}

/* Whether hooklined itself would take them: what it refuses could only fail later, one by one. */
static bool check_sources(struct making *m, const struct config *config, const char *file)
{
    char why[CONFIG_WHY_SIZE];
    struct sources *sources = sources_open(config, file, ignore, why);

    if (sources == NULL)
        return complain(m, "%s", why);
    sources_free(&sources);
    return true;
}

static bool read_source(struct making *m, const struct config_source *source, const char *base)
{
    struct wish wish = {
        .source = source->name,
        .scheme = source->scheme,
        .description = source->description,
        .signed_url = source->url,
    };
    char why[CONFIG_WHY_SIZE];
    bool good = true;

    for (unsigned i = 0; good && i < source->secrets_count && i < SECRETS; i++) {
        wish.secrets[i] = secret_read(&source->secrets[i], why, sizeof(why));
        good = wish.secrets[i] != NULL || complain(m, "source %s: %s", source->name, why);
    }
    if (good && asprintf(&wish.url, "%s%s%s", base, source->path == NULL ? "/" : "",
                         source->path == NULL ? source->name : source->path) < 0) {
        wish.url = NULL;
        good = complain(m, "out of memory");
    }
    good = good && grant(m, &wish);
    free_wish(&wish);
    return good;
}

static bool read_sources(struct making *m, const struct config *config, const char *sink_url)
{
    char base[SINK_ADDRESS_SIZE];
    size_t len;

    if (sink_url == NULL) {
        if (!sink_address_url(config, base))
            return complain(m, "the configuration says no port at which hooklined is reached: say "
                               "--sink-url http://HOST:PORT");
    } else if (snprintf(base, sizeof(base), "%s", sink_url) >= (int)sizeof(base)) {
        return complain(m, "--sink-url: it is too long");
    }
    for (len = strlen(base); len > 0 && base[len - 1] == '/'; len--)
        base[len - 1] = '\0';
    for (unsigned i = 0; i < config->sources_count; i++)
        if (!read_source(m, &config->sources[i], base))
            return false;
    return true;
}

/* As an option's value. */
static char *write_where(const struct config_secret *where)
{
    char *text;
    int len = where->file != NULL  ? asprintf(&text, "@%s", where->file)
              : where->env != NULL ? asprintf(&text, "env:%s", where->env)
                                   : asprintf(&text, "credential:%s", where->credential);

    return len < 0 ? NULL : text;
}

static bool read_admin(struct making *m, const struct config *config)
{
    const struct config_secret *token = config->admin.token;
    char address[SINK_ADDRESS_SIZE];

    if (!sink_address_admin(config, address))
        return true;
    m->playground->sink = strdup(address);
    if (token != NULL)
        m->playground->sink_token = write_where(token);
    return (m->playground->sink != NULL &&
            (token == NULL) == (m->playground->sink_token == NULL)) ||
           complain(m, "out of memory");
}

/* ---- the command line */

/* Behind the name there may be a secret. */
static bool list_schemes(const struct making *m, const char *text)
{
    char names[256];
    const hookline_scheme *scheme;
    size_t len = 0;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ",
                                scheme->name);
    return complain(m, "--endpoint %.*s: expected PROVIDER=URL, where PROVIDER is one of %s",
                    (int)strcspn(text, "=:,"), text, names);
}

/* Behind the first comma that such a place follows: URLs and paths have others. */
static bool read_where(char *url, struct config_secret *where)
{
    for (char *comma = strchr(url, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        if (secret_where(where, comma + 1)) {
            *comma = '\0';
            return true;
        }
    }
    return false;
}

/* Where it is no secret of the scheme's, it has been complained about. */
static bool can_sign(const struct making *m, const struct wish *wish)
{
    hookline_verifier *verifier;
    int code = hookline_verifier_new(&verifier, wish->scheme, wish->secrets[0]);

    hookline_verifier_free(&verifier);
    return code == 0 || complain(m, "--endpoint %s: %s", wish->scheme, hookline_code_text(code));
}

static void free_where(struct config_secret *where)
{
    free(where->file);
    free(where->env);
    free(where->credential);
}

static bool read_endpoint(struct making *m, const char *text, const char *keys)
{
    const char *equals = strchr(text, '=');
    char *provider = equals == NULL ? NULL : strndup(text, (size_t)(equals - text));
    const hookline_scheme *scheme = provider == NULL ? NULL : hookline_scheme_find(provider);
    struct wish wish = {0};
    struct config_secret where = {0};
    char why[MADE_SECRET_WHY_SIZE];
    bool good;

    free(provider);
    if (scheme == NULL)
        return list_schemes(m, text);
    wish.source = wish.scheme = scheme->name;
    if ((wish.url = strdup(equals + 1)) == NULL)
        return complain(m, "out of memory");
    if (read_where(wish.url, &where))
        wish.secrets[0] = secret_read(&where, why, sizeof(why));
    else if (strchr(wish.url, ',') == NULL)
        wish.secrets[0] = made_secret(keys, scheme->name, why);
    else /* What is there may be a secret. */
        snprintf(why, sizeof(why),
                 "expected @FILE, env:VARIABLE or credential:NAME behind the comma;"
                 " a comma of the URL is written %%2C");
    if (wish.secrets[0] == NULL)
        good = complain(m, "--endpoint %s: %s", scheme->name, why);
    else
        good = can_sign(m, &wish) && grant(m, &wish);
    free_where(&where);
    free_wish(&wish);
    return good;
}

/* ---- the whole */

static bool fill(struct making *m, const struct playground_options *options,
                 const struct config *config)
{
    size_t size = options->endpoints.count + (config == NULL ? 0 : config->sources_count);

    m->playground->endpoints = calloc(size + 1, sizeof(*m->playground->endpoints));
    if (m->playground->endpoints == NULL)
        return complain(m, "out of memory");
    if (config != NULL && !(check_sources(m, config, options->config) &&
                            read_sources(m, config, options->sink_url) && read_admin(m, config)))
        return false;
    for (size_t i = 0; i < options->endpoints.count; i++)
        if (!read_endpoint(m, options->endpoints.items[i], options->keys))
            return false;
    return true;
}

struct playground *playground_open(struct emulator *emulator,
                                   const struct playground_options *options,
                                   char why[PLAYGROUND_WHY_SIZE])
{
    struct making m = {emulator, calloc(1, sizeof(struct playground)), why};
    struct config *config = NULL;

    if (m.playground == NULL) {
        complain(&m, "out of memory");
        return NULL;
    }
    if ((options->config != NULL && (config = sink_config_read(options->config, why)) == NULL) ||
        !fill(&m, options, config))
        playground_close(&m.playground);
    if (config != NULL)
        config_free(&config);
    return m.playground;
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
