/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/faults.h"
#include "cli/ping/diagnosis.h"
#include "cli/ping/observed.h"
#include "cli/ping/own_sink.h"
#include "cli/ping/provider.h"
#include "cli/ping/report.h"
#include "cli/ping/round_trip.h"
#include "cli/sink.h"
#include "daemon/base/message.h"
#include "daemon/conf/secret.h"
#include "daemon/http/client.h"
#include "daemon/base/net.h"
#include "daemon/http/tls.h"

struct ping_options {
    struct sink_options sink;
    const char *endpoint, *organization, *base_url, *source, *faults, *ca_file;
    const char *listen, *path, *scheme;
    struct option_secrets key, secrets;
    int64_t timeout_s;
    bool forwarded, json, quiet;
};

static const struct option_row ping_option_rows[] = {
    TEXT('e', "endpoint", struct ping_options, endpoint, "ID",
         "trigger the webhook with this id at the provider"),
    TEXT(0, "organization", struct ping_options, organization, "ID",
         "the webhook's organization, for foil and tripwire"),
    SECRET('k', "key", struct ping_options, key, "WHERE",
           "read the provider's API key from @FILE, env:VARIABLE\nor credential:NAME; default: "
           "env:FOIL_SECRET_KEY,\nenv:TRIPWIRE_SECRET_KEY, env:SHODAI_API_KEY or\n"
           "env:TRULAYER_API_KEY"),
    TEXT('u', "base-url", struct ping_options, base_url, "URL",
         "call the API at URL instead of the real one, e.g.\nhttp://127.0.0.1:4010, "
         "https://test-api.shodai.network"),
    CHECKED(0, "ca-file", struct ping_options, ca_file, "FILE", certificate_file_problem,
            "trust these CA certificates; default: the system's"),
    TEXT('s', "source", struct ping_options, source, "NAME",
         "expect the delivery at this source; default: the\nprovider's name"),
    FLAG('f', "forwarded", struct ping_options, forwarded,
         "wait until every destination has accepted it"),
    NUMBER('t', "timeout", struct ping_options, timeout_s, "SECONDS", 1, 86400,
           "give up after SECONDS; default: 30"),
    FLAG('j', "json", struct ping_options, json, "print the result as one line of JSON"),
    FLAG('q', "quiet", struct ping_options, quiet, "print nothing unless it fails"),
    TEXT(0, "fault", struct ping_options, faults, "WORDS",
         "ask the emulator to corrupt the delivery, e.g.\n\"future=412\"; see `hookline emulate "
         "--help`"),
    SINK_OPTIONS(struct ping_options, sink),
    TEXT('l', "listen", struct ping_options, listen, "ADDRESS",
         "act as the sink: receive at this ADDRESS:PORT until the\nping ends"),
    SECRET(0, "secret", struct ping_options, secrets, "WHERE",
           "with --listen: verify with this signing secret"),
    TEXT(0, "path", struct ping_options, path, "PATH",
         "with --listen: receive at this path; default: / and the\nsource's name"),
    TEXT(0, "scheme", struct ping_options, scheme, "NAME",
         "with --listen: verify by this scheme; default: the\nprovider's"),
    OPTIONS_END,
};

static const char ping_help_details[] =
    "For foil, tripwire, shodai and trulayer, ping calls the provider's own test API;\nemulated "
    "takes the NAME of a source behind `hookline emulate`.\n\nExit status: 0 confirmed by provider "
    "and sink; "
    "1 refused by the sink, or parked;\n3 stale; 4 not arrived in time; 5 provider or sink does "
    "not answer; 6 refused by\nthe provider, or the provider reports that it could not deliver.\n";

/* The state of one ping. */
struct ping {
    const struct ping_options *options;
    const struct provider *provider;
    const char *endpoint, *base_url, *source;
    char *key;
    struct own_sink_signals signals;
    bool blocked; /* own_sink_signals_restore() is due */
    struct own_sink *own;
    struct client_calls *calls;
    struct sink *sink;
    struct observed observed;
    char failure[DIAGNOSIS_TEXT_SIZE]; /* printed at the end, when the own sink is silent */
};

/* ---- options */

static bool ping_usage_error(const char *text)
{
    message_print("%s", text);
    return false;
}

static bool ping_take_arguments(struct ping *p, const char *const *arguments, size_t count)
{
    p->provider = provider_find(arguments[0]);
    if (p->provider == NULL) {
        message_print("%.64s: unknown provider; expected %s", arguments[0], PROVIDER_NAMES);
        return false;
    }
    if (p->provider->kind != PROVIDER_EMULATED && count > 1)
        return ping_usage_error("too many arguments; pass the webhook's id with --endpoint");
    if (p->provider->kind == PROVIDER_EMULATED && p->options->endpoint != NULL)
        return ping_usage_error("--endpoint does not apply to emulated: pass the NAME of a source");
    p->endpoint = count > 1 ? arguments[1] : p->options->endpoint;
    p->source = p->options->source != NULL               ? p->options->source
                : p->provider->kind == PROVIDER_EMULATED ? p->endpoint
                                                         : p->provider->name;
    return true;
}

/* `url` may lack its scheme. */
static bool ping_url_is_local(const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    return strncmp(url, "unix:", 5) == 0 || host_check_is_local(host, strcspn(host, "/?#"));
}

/* Anyone on the path can read a key sent over http://. */
static void ping_warn_cleartext_key(const struct ping *p)
{
    if (p->provider->key_variables[0] != NULL && strncasecmp(p->base_url, "http://", 7) == 0 &&
        !ping_url_is_local(p->base_url))
        message_print(
            "warning: --base-url is not https://, so anyone on the path can read the key");
}

static bool ping_take_base_url(struct ping *p)
{
    const char *problem;

    p->base_url = p->options->base_url != NULL ? p->options->base_url : p->provider->base_url;
    problem = provider_base_problem(p->base_url);
    if (problem == NULL)
        problem = client_url_problem(p->base_url);
    if (problem != NULL) {
        message_print("--base-url: %s", problem);
        return false;
    }
    ping_warn_cleartext_key(p);
    return true;
}

static bool ping_check_faults(const struct ping *p)
{
    struct faults faults;
    char why[FAULTS_WHY_SIZE];

    if (p->options->faults == NULL)
        return true;
    if (p->options->base_url == NULL && p->provider->kind != PROVIDER_EMULATED)
        return ping_usage_error("--fault needs the emulator: pass its URL with --base-url");
    if (faults_read(&faults, p->options->faults, why))
        return true;
    message_print("--fault: %s", why);
    return false;
}

static bool ping_check_listen(const struct ping *p)
{
    const struct ping_options *o = p->options;

    if (o->listen == NULL && (o->secrets.count > 0 || o->path != NULL || o->scheme != NULL))
        return ping_usage_error("--secret, --path and --scheme need --listen");
    if (o->listen == NULL)
        return true;
    if (o->sink.address != NULL || o->sink.token.count > 0)
        return ping_usage_error("--listen and --sink exclude each other");
    if (o->forwarded)
        return ping_usage_error("--forwarded: a --listen sink has no destinations");
    if (o->secrets.count == 0)
        return ping_usage_error("--listen needs --secret");
    return true;
}

static bool ping_variable_is_set(const char *variable)
{
    const char *value = variable == NULL ? NULL : getenv(variable);

    return value != NULL && value[0] != '\0';
}

/* Writes the environment variable of the key. The one that the provider documents comes first. */
static void ping_choose_key_variable(const struct provider *provider, char variable[64])
{
    const char *const *names = provider->key_variables;
    bool first = ping_variable_is_set(names[0]), second = ping_variable_is_set(names[1]);

    snprintf(variable, 64, "%s", second && !first ? names[1] : names[0]);
    if (first && second && strcmp(getenv(names[0]), getenv(names[1])) != 0)
        message_print("warning: %s and %s differ; the key is that of %s", names[0], names[1],
                      names[0]);
}

static bool ping_take_key(struct ping *p)
{
    const struct ping_options *o = p->options;
    char variable[64], why[256];
    struct config_secret by_default = {.env = variable};
    const char *problem;

    if (p->provider->key_variables[0] == NULL)
        return o->key.count == 0 || ping_usage_error("--key: emulated needs no key");
    if (o->key.count > 1)
        return ping_usage_error("--key given twice");
    if (o->key.count == 0)
        ping_choose_key_variable(p->provider, variable);
    p->key = secret_read(o->key.count > 0 ? &o->key.items[0] : &by_default, why, sizeof(why));
    problem = p->key == NULL ? why : provider_key_problem(p->key);
    if (problem == NULL)
        return true;
    message_print("the API key of %s: %s%s", p->provider->title, problem,
                  o->key.count > 0 ? "" : "; or pass it with --key");
    return false;
}

static bool ping_take_options(struct ping *p, const char *const *arguments, size_t count)
{
    char why[PROVIDER_WHY_SIZE];

    if (!ping_take_arguments(p, arguments, count))
        return false;
    if (!provider_check_ids(p->provider, p->options->organization, p->endpoint, why))
        return ping_usage_error(why);
    if (p->source[0] == '\0' || !config_is_name(p->source))
        return ping_usage_error("--source: expected a name of letters, digits, - _ and .");
    return ping_take_base_url(p) && ping_check_faults(p) && ping_check_listen(p) &&
           ping_take_key(p);
}

/* ---- sink */

static enum outcome ping_open_own_sink(struct ping *p)
{
    const struct ping_options *o = p->options;
    const struct own_sink_options own = {
        .address = o->listen,
        .source = p->source,
        .scheme = o->scheme != NULL             ? o->scheme
                  : p->provider->scheme != NULL ? p->provider->scheme
                                                : p->source,
        .path = o->path,
        .secrets = &o->secrets,
    };
    char why[OWN_SINK_WHY_SIZE];
    enum outcome outcome;

    own_sink_signals_block(&p->signals);
    p->blocked = true;
    p->own = own_sink_open(&own, &outcome, why);
    if (p->own != NULL)
        return OUTCOME_GOOD;
    message_print("--listen: %s", why);
    return outcome;
}

static enum outcome ping_open_sink(struct ping *p)
{
    struct sink_options options = p->options->sink;
    char why[SINK_WHY_SIZE];

    if (p->options->listen != NULL) {
        enum outcome outcome = ping_open_own_sink(p);

        if (outcome != OUTCOME_GOOD)
            return outcome;
        options.address = own_sink_admin(p->own);
    }
    if ((p->calls = client_calls_new()) == NULL) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    if ((p->sink = sink_open(p->calls, &options, why)) == NULL) {
        message_print("%s", why);
        return OUTCOME_USAGE;
    }
    return OUTCOME_GOOD;
}

/* ---- ping */

static void ping_report(struct ping *p, const struct diagnosis *d)
{
    bool quiet = p->options->quiet;

    if (!p->options->json && !quiet)
        report_print(&p->observed, d, stdout);
    else if (p->options->json && !(quiet && d->outcome == OUTCOME_GOOD))
        report_print_json(&p->observed, d, stdout);
    fflush(stdout);
    if (d->outcome != OUTCOME_GOOD)
        snprintf(p->failure, sizeof(p->failure), "%s", d->text);
}

/* Reports a failure before anything was triggered. */
static void ping_report_not_triggered(struct ping *p, enum outcome outcome, const char *why)
{
    struct diagnosis d = {.outcome = outcome, .name = "not_triggered"};

    snprintf(d.text, sizeof(d.text), "%s", why);
    ping_report(p, &d);
}

static enum outcome ping_execute(struct ping *p)
{
    const struct ping_options *o = p->options;
    struct round_trip trip = {
        .calls = p->calls,
        .sink = p->sink,
        .organization = o->organization,
        .key = p->key,
        .faults = o->faults,
        .ca_file = o->ca_file,
        .same_machine = p->own != NULL || ping_url_is_local(sink_name(p->sink)),
        .show_progress = !o->quiet,
        .interrupted = p->own == NULL ? NULL : own_sink_signals_pending,
        .data = &p->signals,
    };
    struct diagnosis diagnosis;
    char why[ROUND_TRIP_WHY_SIZE];
    enum outcome outcome;

    p->observed.provider = p->provider;
    p->observed.endpoint = p->endpoint;
    p->observed.base_url = p->base_url;
    p->observed.source = p->source;
    p->observed.sink = p->own == NULL ? sink_name(p->sink) : own_sink_url(p->own);
    p->observed.timeout_us = o->timeout_s * 1000000;
    p->observed.forwarded = o->forwarded;
    outcome = round_trip_run(&trip, &p->observed, why);
    if (p->own != NULL && own_sink_signals_pending(&p->signals)) {
        if (own_sink_signals_consume(&p->signals, SIGUSR1))
            own_sink_explain(p->own, p->failure, sizeof(p->failure));
        return OUTCOME_TRANSPORT;
    }
    if (outcome != OUTCOME_GOOD) {
        ping_report_not_triggered(p, outcome, why);
        return outcome;
    }
    diagnosis_make(&diagnosis, &p->observed);
    ping_report(p, &diagnosis);
    return diagnosis.outcome;
}

static enum outcome ping_run(const void *options, const char *const *arguments, size_t count)
{
    struct ping *p = calloc(1, sizeof(*p));
    enum outcome outcome = OUTCOME_USAGE;

    if (p == NULL) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    p->options = options;
    if (ping_take_options(p, arguments, count))
        outcome = ping_open_sink(p);
    if (outcome == OUTCOME_GOOD)
        outcome = ping_execute(p);
    observed_events_free(&p->observed.events);
    sink_close(&p->sink);
    client_calls_free(&p->calls);
    own_sink_close(&p->own);
    if (p->failure[0] != '\0')
        message_print("%s", p->failure);
    secret_free(&p->key);
    if (p->blocked)
        own_sink_signals_restore(&p->signals);
    free(p);
    return outcome;
}

static const struct ping_options ping_option_defaults = {.timeout_s = 30};

const struct command command_ping = {
    .name = "ping",
    .arguments = "foil|tripwire|shodai|trulayer|emulated [NAME]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "Trigger a test delivery and confirm it end to end",
    .details = ping_help_details,
    .options = ping_option_rows,
    .options_size = sizeof(struct ping_options),
    .defaults = &ping_option_defaults,
    .run = ping_run,
};
