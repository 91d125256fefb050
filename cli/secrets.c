/* SPDX-License-Identifier: MIT */
#include "cli/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/description.h"
#include "cli/request.h"
#include "daemon/base/message.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/secret.h"
#include "daemon/hints/secret_mistakes.h"

/* Names the first signed header that is missing, or one that may be ambiguous. */
static void signing_input_name_header(const struct signing_input *input, int code,
                                      char why[SECRETS_SIGN_WHY_SIZE])
{
    static const char begin[] = "{header:";
    const char *at = input->description;

    while ((at = strstr(at, begin)) != NULL) {
        char name[128];
        hookline_bytes value;
        size_t len = strcspn(at += sizeof(begin) - 1, "}");

        if (len >= sizeof(name))
            continue;
        memcpy(name, at, len);
        name[len] = '\0';
        if (input->request.find_header != NULL &&
            input->request.find_header(input->request.headers, name, &value) == 1 &&
            value.len > 0 && code == HOOKLINE_MISSING_HEADER)
            continue;
        if (code == HOOKLINE_MISSING_HEADER)
            snprintf(why, SECRETS_SIGN_WHY_SIZE,
                     "the header %s is missing, but the scheme signs it", name);
        else
            snprintf(
                why, SECRETS_SIGN_WHY_SIZE,
                "the scheme signs headers such as %s: one of them occurs twice or can be split in "
                "two ways",
                name);
        return;
    }
    snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", hookline_code_text(code));
}

static const char *signing_input_missing(const struct signing_input *input)
{
    if (input->request.url.len == 0 && description_signs(input->description, "{url}"))
        return "the URL is missing, but the scheme signs the URL registered with the sender";
    if (input->request.method.len == 0 && description_signs(input->description, "{method}"))
        return "the method is missing, but the scheme signs it";
    if (input->now <= 0 || input->now >= 253402300800)
        return "the time to sign is before 1970 or after the year 9999";
    return NULL;
}

bool secrets_sign(const struct signing_input *input, hookline_signature *out,
                  char why[SECRETS_SIGN_WHY_SIZE])
{
    const char *what = signing_input_missing(input);
    int code;

    if (what != NULL) {
        snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", what);
        return false;
    }
    code = hookline_sign(input->verifier, &input->request, input->id, input->now, out);
    if (code == HOOKLINE_BAD_ID)
        snprintf(why, SECRETS_SIGN_WHY_SIZE,
                 "the scheme sends the id in a header: expected 1 to 256 printable characters "
                 "without blanks");
    else if (code == HOOKLINE_MISSING_HEADER || code == HOOKLINE_AMBIGUOUS_HEADER)
        signing_input_name_header(input, code, why);
    else if (code < 0)
        snprintf(why, SECRETS_SIGN_WHY_SIZE, "%s", hookline_code_text(code));
    return code == 0;
}

static bool secrets_fail(char why[SECRETS_WHY_SIZE], const char *what)
{
    snprintf(why, SECRETS_WHY_SIZE, "%s", what);
    return false;
}

/* ---- scheme */

/* Does not quote the unknown name, because it may be a misplaced secret. */
static bool secrets_scheme_error(char why[SECRETS_WHY_SIZE])
{
    int used = snprintf(why, SECRETS_WHY_SIZE, "--scheme: unknown scheme; expected one of");
    const hookline_scheme *scheme;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL && used < SECRETS_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(SECRETS_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         scheme->name);
    return false;
}

static bool secrets_find_scheme(struct secrets *secrets, const char *name, char *why)
{
    const hookline_scheme *scheme = hookline_scheme_find(name);

    if (scheme == NULL)
        return secrets_scheme_error(why);
    secrets->name = scheme->name;
    secrets->description = scheme->description;
    return true;
}

char *secrets_read_description(const char *file, char why[SECRETS_WHY_SIZE])
{
    struct buffer contents;

    if (!file_contents_read(&contents, file, why))
        return NULL;
    if (contents.len < DESCRIPTION_SIZE && strlen(contents.base) == contents.len)
        return contents.base;
    snprintf(why, SECRETS_WHY_SIZE, "%s: expected a scheme description, a text of at most %d bytes",
             file_contents_name(file), DESCRIPTION_SIZE - 1);
    buffer_free(&contents);
    return NULL;
}

/* ---- configuration */

static const struct config_source *
secrets_find_source(const struct config *config, const char *name, const char *file, char *why)
{
    int used;

    for (unsigned i = 0; i < config->sources_count; i++)
        if (name != NULL && strcmp(config->sources[i].name, name) == 0)
            return &config->sources[i];
    if (name == NULL && config->sources_count == 1)
        return &config->sources[0];
    used = snprintf(why, SECRETS_WHY_SIZE, "%s: %s; give --source with one of", file,
                    name == NULL ? "several sources" : "unknown source");
    for (unsigned i = 0; i < config->sources_count && used < SECRETS_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(SECRETS_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         config->sources[i].name);
    return NULL;
}

/* ---- secrets */

static bool secrets_read_all(struct secrets *secrets, const struct config_secret *from,
                             size_t count, char *why)
{
    if ((secrets->secrets = calloc(count + 1, sizeof(secrets->secrets[0]))) == NULL)
        return secrets_fail(why, "out of memory");
    for (; secrets->secrets_count < count; secrets->secrets_count++) {
        char *secret = secret_read(&from[secrets->secrets_count], why, SECRETS_WHY_SIZE);

        if (secret == NULL)
            return false;
        secrets->secrets[secrets->secrets_count] = secret;
    }
    return true;
}

/* Reports a secret that is unusable or probably stored wrongly; `code` is the library's. Names the
 * secret by the place that the user gave. */
static bool secrets_check_secret(const struct config_secret *where, const char *description,
                                 const char *secret, int code, char *why)
{
    const char *mistake = secret_mistake_warning(secret);
    const char *kind = where->env != NULL          ? "environment variable "
                       : where->credential != NULL ? "credential "
                                                   : "";
    const char *name = where->file != NULL  ? where->file
                       : where->env != NULL ? where->env
                                            : where->credential;

    if (code < 0)
        snprintf(why, SECRETS_WHY_SIZE, "%s%s: %s%s%s", kind, name,
                 secret_error_text(code, description, secret),
                 mistake == NULL ? "" : "; this secret ", mistake == NULL ? "" : mistake);
    else if (mistake != NULL)
        message_warning("%s%s: the secret %s", kind, name, mistake);
    return code == 0;
}

static bool secrets_make_verifier(struct secrets *secrets, const struct config_secret *from,
                                  char *why)
{
    char detail[256] = "";
    int code = hookline_verifier_new_custom(&secrets->verifier, secrets->description,
                                            secrets->secrets[0], detail, sizeof(detail));
    bool good;

    if (code == HOOKLINE_BAD_SCHEME) {
        snprintf(why, SECRETS_WHY_SIZE, "scheme description: %s", detail);
        return false;
    }
    good = secrets_check_secret(&from[0], secrets->description, secrets->secrets[0], code, why);
    for (size_t i = 1; good && i < secrets->secrets_count; i++) {
        code = hookline_verifier_add_secret(secrets->verifier, secrets->secrets[i]);
        good = secrets_check_secret(&from[i], secrets->description, secrets->secrets[i], code, why);
    }
    return good;
}

/* ---- open and close */

static bool secrets_set_tolerance(struct secrets *secrets, int64_t seconds, char *why)
{
    int code = hookline_verifier_set_tolerance(secrets->verifier, seconds, seconds);

    return code == 0 || secrets_fail(why, hookline_code_text(code));
}

static bool secrets_open_source(struct secrets *secrets, const struct secrets_options *options,
                                char *why)
{
    const struct config_source *source;

    if (options->scheme != NULL || options->description != NULL || options->secrets.count > 0)
        return secrets_fail(why, "--config already sets scheme and secrets: remove --scheme, "
                                 "--description and --secret");
    if ((secrets->config = config_file_read_outside(options->config, why)) == NULL)
        return false;
    source = secrets_find_source(secrets->config, options->source, options->config, why);
    if (source == NULL)
        return false;
    secrets->source = source->name;
    if (source->scheme == NULL)
        secrets->description = source->description;
    else if (!secrets_find_scheme(secrets, source->scheme, why))
        return false;
    if (secrets->url == NULL)
        secrets->url = source->url;
    return secrets_read_all(secrets, source->secrets, source->secrets_count, why) &&
           secrets_make_verifier(secrets, source->secrets, why) &&
           (source->tolerance_seconds == NULL ||
            secrets_set_tolerance(secrets, *source->tolerance_seconds, why));
}

static bool secrets_open_scheme(struct secrets *secrets, const struct secrets_options *options,
                                char *why)
{
    if (options->source != NULL)
        return secrets_fail(why, "--source needs --config, the hooklined.yaml with that source");
    if ((options->scheme == NULL) == (options->description == NULL))
        return secrets_fail(why, options->scheme == NULL
                                     ? "give --scheme NAME and --secret WHERE, or --config FILE"
                                     : "--scheme and --description cannot be combined");
    if (options->secrets.count == 0)
        return secrets_fail(why,
                            "--secret is missing; expected @FILE, env:VARIABLE or credential:NAME");
    if (options->scheme != NULL && !secrets_find_scheme(secrets, options->scheme, why))
        return false;
    if (options->description != NULL) {
        secrets->text = secrets_read_description(options->description, why);
        secrets->description = secrets->text;
    }
    return secrets->description != NULL &&
           secrets_read_all(secrets, options->secrets.items, options->secrets.count, why) &&
           secrets_make_verifier(secrets, options->secrets.items, why);
}

static bool secrets_fill(struct secrets *secrets, const struct secrets_options *options, char *why)
{
    secrets->name = "custom";
    secrets->method = options->method;
    secrets->url = options->url;
    if (!(options->config != NULL ? secrets_open_source(secrets, options, why)
                                  : secrets_open_scheme(secrets, options, why)))
        return false;
    return options->tolerance < 0 || secrets_set_tolerance(secrets, options->tolerance, why);
}

struct secrets *secrets_open(const struct secrets_options *options, char why[SECRETS_WHY_SIZE])
{
    struct secrets *secrets = calloc(1, sizeof(*secrets));

    if (secrets == NULL)
        secrets_fail(why, "out of memory");
    else if (!secrets_fill(secrets, options, why))
        secrets_close(&secrets);
    return secrets;
}

void secrets_close(struct secrets **secrets)
{
    if (*secrets == NULL)
        return;
    for (size_t i = 0; i < (*secrets)->secrets_count; i++)
        secret_free(&(*secrets)->secrets[i]);
    free((*secrets)->secrets);
    free((*secrets)->text);
    hookline_verifier_free(&(*secrets)->verifier);
    config_free(&(*secrets)->config);
    free(*secrets);
    *secrets = NULL;
}
