/* SPDX-License-Identifier: MIT */
#include "cli/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/config_file.h"
#include "daemon/conf/secret.h"
#include "cli/clause.h"
#include "cli/contents.h"
#include "cli/sink_config.h"

static bool complain(char why[TRUST_WHY_SIZE], const char *what)
{
    snprintf(why, TRUST_WHY_SIZE, "%s", what);
    return false;
}

/* ---- the scheme */

/* The name that was given is not repeated: by mistake it may be the secret. */
static bool complain_of_scheme(char why[TRUST_WHY_SIZE])
{
    int used = snprintf(why, TRUST_WHY_SIZE, "--scheme: there is no such scheme; expected one of");
    const hookline_scheme *scheme;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL && used < TRUST_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(TRUST_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         scheme->name);
    return false;
}

static bool find_scheme(struct trust *trust, const char *name, char *why)
{
    const hookline_scheme *scheme = hookline_scheme_find(name);

    if (scheme == NULL)
        return complain_of_scheme(why);
    trust->name = scheme->name;
    trust->description = scheme->description;
    return true;
}

char *trust_read_description(const char *file, char why[TRUST_WHY_SIZE])
{
    struct contents contents;

    if (!contents_read(&contents, file, why))
        return NULL;
    if (contents.len < CLAUSE_DESCRIPTION_SIZE && strlen(contents.base) == contents.len)
        return contents.base;
    snprintf(why, TRUST_WHY_SIZE,
             "%s: expected the description of a scheme, a text of at most %d bytes",
             contents_name(file), CLAUSE_DESCRIPTION_SIZE - 1);
    contents_free(&contents);
    return NULL;
}

/* ---- hooklined's configuration */

static const struct config_source *find_source(const struct config *config, const char *name,
                                               const char *file, char *why)
{
    int used;

    for (unsigned i = 0; i < config->sources_count; i++)
        if (name != NULL && strcmp(config->sources[i].name, name) == 0)
            return &config->sources[i];
    if (name == NULL && config->sources_count == 1)
        return &config->sources[0];
    used = snprintf(why, TRUST_WHY_SIZE, "%s: %s; expected --source with one of", file,
                    name == NULL ? "it has several sources" : "there is no such source");
    for (unsigned i = 0; i < config->sources_count && used < TRUST_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(TRUST_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         config->sources[i].name);
    return NULL;
}

/* ---- the secrets */

static bool read_secrets(struct trust *trust, const struct config_secret *from, size_t count,
                         char *why)
{
    if ((trust->secrets = calloc(count + 1, sizeof(trust->secrets[0]))) == NULL)
        return complain(why, "out of memory");
    for (; trust->secrets_count < count; trust->secrets_count++) {
        char *secret = secret_read(&from[trust->secrets_count], why, TRUST_WHY_SIZE);

        if (secret == NULL)
            return false;
        trust->secrets[trust->secrets_count] = secret;
    }
    return true;
}

/* Which one of them it is, in the words of who gave it. */
static bool complain_of_secret(const struct config_secret *where, int code, char *why)
{
    const char *text = hookline_code_text(code);

    if (where->file != NULL)
        snprintf(why, TRUST_WHY_SIZE, "%s: %s", where->file, text);
    else if (where->env != NULL)
        snprintf(why, TRUST_WHY_SIZE, "environment variable %s: %s", where->env, text);
    else
        snprintf(why, TRUST_WHY_SIZE, "credential %s: %s", where->credential, text);
    return false;
}

static bool make_verifier(struct trust *trust, const struct config_secret *from, char *why)
{
    char detail[256] = "";
    int code = hookline_verifier_new_custom(&trust->verifier, trust->description, trust->secrets[0],
                                            detail, sizeof(detail));

    if (code == HOOKLINE_BAD_SCHEME) {
        snprintf(why, TRUST_WHY_SIZE, "the description of the scheme: %s", detail);
        return false;
    }
    if (code < 0)
        return complain_of_secret(&from[0], code, why);
    for (size_t i = 1; i < trust->secrets_count; i++)
        if ((code = hookline_verifier_add_secret(trust->verifier, trust->secrets[i])) < 0)
            return complain_of_secret(&from[i], code, why);
    return true;
}

/* ---- the whole */

static bool set_tolerance(struct trust *trust, int64_t seconds, char *why)
{
    int code = hookline_verifier_set_tolerance(trust->verifier, seconds, seconds);

    return code == 0 || complain(why, hookline_code_text(code));
}

static bool open_source(struct trust *trust, const struct trust_options *options, char *why)
{
    const struct config_source *source;

    if (options->scheme != NULL || options->description != NULL || options->secrets.count > 0)
        return complain(why, "--config says which scheme and secrets: leave --scheme, "
                             "--description and --secret out");
    if ((trust->config = sink_config_read(options->config, why)) == NULL)
        return false;
    source = find_source(trust->config, options->source, options->config, why);
    if (source == NULL)
        return false;
    trust->source = source->name;
    if (source->scheme == NULL)
        trust->description = source->description;
    else if (!find_scheme(trust, source->scheme, why))
        return false;
    if (trust->url == NULL)
        trust->url = source->url;
    return read_secrets(trust, source->secrets, source->secrets_count, why) &&
           make_verifier(trust, source->secrets, why) &&
           (source->tolerance_seconds == NULL ||
            set_tolerance(trust, *source->tolerance_seconds, why));
}

static bool open_scheme(struct trust *trust, const struct trust_options *options, char *why)
{
    if (options->source != NULL)
        return complain(why, "--source: expected --config with it, the hooklined.yaml that it is "
                             "in");
    if ((options->scheme == NULL) == (options->description == NULL))
        return complain(why, options->scheme == NULL
                                 ? "expected --scheme NAME and --secret WHERE, or --config FILE"
                                 : "--scheme and --description contradict each other");
    if (options->secrets.count == 0)
        return complain(why, "expected --secret WHERE: @FILE, env:VARIABLE or credential:NAME");
    if (options->scheme != NULL && !find_scheme(trust, options->scheme, why))
        return false;
    if (options->description != NULL) {
        trust->text = trust_read_description(options->description, why);
        trust->description = trust->text;
    }
    return trust->description != NULL &&
           read_secrets(trust, options->secrets.items, options->secrets.count, why) &&
           make_verifier(trust, options->secrets.items, why);
}

static bool open_trust(struct trust *trust, const struct trust_options *options, char *why)
{
    trust->name = "custom";
    trust->method = options->method;
    trust->url = options->url;
    if (!(options->config != NULL ? open_source(trust, options, why)
                                  : open_scheme(trust, options, why)))
        return false;
    return options->tolerance < 0 || set_tolerance(trust, options->tolerance, why);
}

struct trust *trust_open(const struct trust_options *options, char why[TRUST_WHY_SIZE])
{
    struct trust *trust = calloc(1, sizeof(*trust));

    if (trust == NULL)
        complain(why, "out of memory");
    else if (!open_trust(trust, options, why))
        trust_close(&trust);
    return trust;
}

void trust_close(struct trust **trust)
{
    if (*trust == NULL)
        return;
    for (size_t i = 0; i < (*trust)->secrets_count; i++)
        secret_free(&(*trust)->secrets[i]);
    free((*trust)->secrets);
    free((*trust)->text);
    hookline_verifier_free(&(*trust)->verifier);
    config_free(&(*trust)->config);
    free(*trust);
    *trust = NULL;
}
