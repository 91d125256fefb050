/* SPDX-License-Identifier: MIT */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/command_line.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/secret.h"
#include "daemon/ready.h"

struct daemon_options {
    const char *config, *store, *log, *admin, *ready;
    struct option_texts listen, sources, forward;
    struct option_secrets token;
    bool check, print_defaults, version;
};

static const struct option_row daemon_rows[] = {
    ONCE('c', "config", struct daemon_options, config, "FILE",
         "read the configuration from FILE, see hooklined.yaml(5)"),
    TEXTS('l', "listen", struct daemon_options, listen, "ADDRESS:PORT",
          "listen on ADDRESS:PORT, [ADDRESS]:PORT for IPv6 (port 0:\nany free port) or unix:PATH; "
          "default " CONFIG_DEFAULT_ADDRESS),
    TEXTS('s', "source", struct daemon_options, sources, "NAME=SCHEME:SECRET",
          "accept requests at /NAME signed by SCHEME with SECRET:\n@FILE, env:VARIABLE or "
          "credential:NAME"),
    ONCE('S', "store", struct daemon_options, store, "FILE",
         "store deliveries in FILE; default\n$STATE_DIRECTORY/" CONFIG_DEFAULT_STORE),
    TEXTS('f', "forward", struct daemon_options, forward, "URL",
          "post each delivery to URL until it answers 2xx"),
    ONCE('o', "log", struct daemon_options, log, "FILE",
         "append log lines to FILE instead of standard output"),
    ONCE('a', "admin", struct daemon_options, admin, "ADDRESS",
         "serve the admin API there: unix:PATH, a loopback\nADDRESS:PORT, or with a token any "
         "ADDRESS:PORT"),
    SECRET(0, "admin-token", struct daemon_options, token, "TOKEN",
           "require TOKEN of admin requests over TCP: @FILE,\nenv:VARIABLE or "
           "credential:NAME"),
    FLAG(0, "check", struct daemon_options, check, "check configuration and secrets, then exit"),
    ONCE(0, "ready", struct daemon_options, ready, "ADDRESS",
         "ask the admin API of a running hooklined if it is\nready, print the answer, then exit"),
    LAST(0, "print-defaults", struct daemon_options, print_defaults,
         "print a starter configuration: each key with its default"),
    LAST('V', "version", struct daemon_options, version, "show the version and exit"),
    OPTIONS_END,
};

void options_help(void)
{
    fputs("Usage: hooklined --config FILE [--check]\n"
          "       hooklined --ready ADDRESS\n"
          "       hooklined --print-defaults\n"
          "       hooklined [--listen ADDRESS:PORT]... --source NAME=SCHEME:SECRET...\n"
          "                 --store FILE [--forward URL] [--log FILE] [--admin ADDRESS]\n"
          "                 [--admin-token TOKEN] [--check]\n"
          "\n"
          "Receives webhooks over HTTP, verifies their signatures, acknowledges them once they\n"
          "are on disk, and forwards them.\n"
          "\n",
          stdout);
    command_line_help(daemon_rows);
    fputs("\n"
          "Exit status: 0 stopped by a signal, check passed, or ready; 1 failed to run, or not\n"
          "ready; 2 wrong usage; 4 permission denied; 6 configuration or secrets are wrong.\n",
          stdout);
}

static bool options_fail(struct options *o, const char *why)
{
    o->mode = OPTIONS_WRONG;
    snprintf(o->why, sizeof(o->why), "%s", why);
    return false;
}

static bool options_fail_memory(struct options *o)
{
    return options_fail(o, "out of memory");
}

/* ---- configuration from options */

static bool options_add_source(struct options *o, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *colon = equals == NULL ? NULL : strchr(equals, ':');
    struct config_source *source;
    struct config_secret *secret;

    if (colon == NULL || equals == text)
        return options_fail(o, "--source: expected NAME=SCHEME:SECRET");
    if ((source = config_add("sources", o->config)) == NULL ||
        (secret = config_add("sources.secrets", source)) == NULL)
        return options_fail_memory(o);
    source->name = strndup(text, (size_t)(equals - text));
    source->scheme = strndup(equals + 1, (size_t)(colon - equals - 1));
    if (source->name == NULL || source->scheme == NULL)
        return options_fail_memory(o);
    return secret_parse_location(secret, colon + 1) ||
           options_fail(o, "--source: a secret does not belong on the command line, where "
                           "every user can read it; give @FILE, env:VARIABLE or "
                           "credential:NAME");
}

static bool options_add_listen(struct options *o, const char *address)
{
    struct config_listen *listen = config_add("listen", o->config);

    return (listen != NULL && (listen->address = strdup(address)) != NULL) ||
           options_fail_memory(o);
}

static bool options_set_forward(struct options *o, const struct option_texts *urls)
{
    const char *url = urls->items[0];
    struct config_destination *d;

    if (urls->count == 0)
        return true;
    if (urls->count > 1)
        return options_fail(o, "--forward given twice; for more destinations write a configuration "
                               "file");
    d = config_add("destinations", o->config);
    return (d != NULL && (d->url = strdup(url)) != NULL && (d->name = strdup("forward")) != NULL) ||
           options_fail_memory(o);
}

static bool options_set_text(struct options *o, char **text, const char *value)
{
    return value == NULL || (*text = strdup(value)) != NULL || options_fail_memory(o);
}

/* Moves the token to the configuration, which frees its strings. */
static bool options_set_token(struct options *o, struct option_secrets *token)
{
    if (token->count == 0)
        return true;
    if (token->count > 1)
        return options_fail(o, "--admin-token given twice; give it once");
    if ((o->config->admin.token = calloc(1, sizeof(*o->config->admin.token))) == NULL)
        return options_fail_memory(o);
    *o->config->admin.token = token->items[0];
    token->count = 0;
    return true;
}

static bool options_make_config(struct options *o, struct daemon_options *d)
{
    struct config *c = o->config;

    for (size_t i = 0; i < d->listen.count; i++)
        if (!options_add_listen(o, d->listen.items[i]))
            return false;
    for (size_t i = 0; i < d->sources.count; i++)
        if (!options_add_source(o, d->sources.items[i]))
            return false;
    return options_set_forward(o, &d->forward) && options_set_text(o, &c->log.file, d->log) &&
           options_set_text(o, &c->store.file, d->store) &&
           options_set_text(o, &c->admin.address, d->admin) && options_set_token(o, &d->token);
}

static bool options_has_inline_config(const struct daemon_options *d)
{
    return d->sources.count + d->listen.count + d->forward.count + d->token.count > 0 ||
           d->log != NULL || d->store != NULL || d->admin != NULL;
}

/* Rejects --config beside other options: one of two values for a setting would be ignored. */
static bool options_check_sides(struct options *o, const struct daemon_options *d)
{
    bool inline_config = options_has_inline_config(d);

    if (o->file != NULL && inline_config)
        return options_fail(o, "--config does not go with --listen, --source, --store, --forward, "
                               "--log, --admin and --admin-token: put them in the file");
    return o->file != NULL || d->sources.count > 0 ||
           options_fail(o, "nothing to receive: give --config FILE or --source NAME=SCHEME:SECRET");
}

/* Needs no configuration, because a probe has neither its secrets nor its environment. */
static void options_set_ready(struct options *o, const struct daemon_options *d)
{
    char expected[OPTION_WHY_SIZE / 2];

    o->ready = d->ready;
    if (d->config != NULL || d->check || options_has_inline_config(d)) {
        options_fail(o, "--ready goes with no other option");
    } else if (!ready_check_address(d->ready, expected, sizeof(expected))) {
        o->mode = OPTIONS_WRONG;
        snprintf(o->why, sizeof(o->why), "--ready %.100s: %s", d->ready, expected);
    }
}

static void options_take(struct options *o, struct daemon_options *d, int argc, char *argv[])
{
    switch (command_line_read(daemon_rows, d, argc, argv, o->why)) {
    case COMMAND_LINE_HELP:
        o->mode = OPTIONS_HELP;
        return;
    case COMMAND_LINE_WRONG:
        o->mode = OPTIONS_WRONG;
        return;
    case COMMAND_LINE_ENDED:
        o->mode = d->version ? OPTIONS_VERSION : OPTIONS_DEFAULTS;
        return;
    case COMMAND_LINE_READ:
        break;
    }
    o->mode = d->ready != NULL ? OPTIONS_READY : d->check ? OPTIONS_CHECK : OPTIONS_RUN;
    o->file = d->config;
    if (optind < argc)
        options_fail(o, "unexpected argument; hooklined takes options only");
    else if (d->ready != NULL)
        options_set_ready(o, d);
    else if (options_check_sides(o, d))
        options_make_config(o, d);
}

struct options options_read(int argc, char *argv[])
{
    struct options o = {.mode = OPTIONS_RUN, .config = config_new()};
    struct daemon_options *d = calloc(1, sizeof(*d));

    if (o.config == NULL || d == NULL)
        options_fail_memory(&o);
    else
        options_take(&o, d, argc, argv);
    if (d != NULL)
        command_line_free(daemon_rows, d);
    free(d);
    return o;
}
