/* SPDX-License-Identifier: MIT */
#include "daemon/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/secret.h"

/* Options without a letter. */
enum {
    ADMIN_TOKEN = UCHAR_MAX + 1,
    CHECK,
    PRINT_DEFAULTS,
};

void options_help(void)
{
    fputs(
        "Usage: hooklined --config FILE [--check]\n"
        "       hooklined --print-defaults\n"
        "       hooklined [--listen ADDRESS:PORT]... --source NAME=SCHEME:SECRET...\n"
        "                 --store FILE [--forward URL] [--log FILE] [--admin ADDRESS]\n"
        "                 [--admin-token TOKEN] [--check]\n"
        "\n"
        "Receives webhooks over HTTP, verifies them, acknowledges what the disk has,\n"
        "and sends it on.\n"
        "\n"
        "  -c, --config FILE    read the configuration from FILE, see hooklined.yaml(5)\n"
        "  -l, --listen ADDRESS:PORT\n"
        "                       listen there, [ADDRESS]:PORT for IPv6, port 0 for any,\n"
        "                       or unix:PATH; default " CONFIG_DEFAULT_ADDRESS "\n"
        "  -s, --source NAME=SCHEME:SECRET\n"
        "                       accept at /NAME what is signed by SCHEME with SECRET, which\n"
        "                       is @FILE, env:VARIABLE or credential:NAME\n"
        "  -S, --store FILE     keep the deliveries in FILE; default "
        "$STATE_DIRECTORY/" CONFIG_DEFAULT_STORE "\n"
        "  -f, --forward URL    send each delivery on to URL until it is taken\n"
        "  -o, --log FILE       append the lines to FILE instead of standard output\n"
        "  -a, --admin ADDRESS  answer the administrator there: unix:PATH, or ADDRESS:PORT of\n"
        "                       this machine, or with a token of any\n"
        "      --admin-token TOKEN\n"
        "                       over TCP answer only who shows TOKEN, which is @FILE,\n"
        "                       env:VARIABLE or credential:NAME\n"
        "      --check          check configuration and secrets, then exit\n"
        "      --print-defaults show a configuration to begin with: each key, with its default\n"
        "  -h, --help           show this and exit\n"
        "  -V, --version        show the version and exit\n"
        "\n"
        "Exit status: 0 stopped by a signal or checked and good; 1 could not run; 2 wrong usage;\n"
        "4 not permitted; 6 configuration or secrets are wrong.\n",
        stdout);
}

static void options_wrong(struct options *o, const char *what)
{
    o->mode = OPTIONS_WRONG;
    snprintf(o->why, sizeof(o->why), "%s", what);
}

static bool options_grow(void **array, unsigned *count, size_t size)
{
    char *bigger = realloc(*array, (*count + 1) * size);

    if (bigger == NULL)
        return false;
    *array = bigger;
    memset(bigger + *count * size, 0, size);
    ++*count;
    return true;
}

static void options_add_source(struct options *o, const char *text)
{
    struct config *c = o->config;
    const char *equals = strchr(text, '=');
    const char *colon = equals == NULL ? NULL : strchr(equals, ':');
    struct config_source *source;

    if (colon == NULL || equals == text) {
        options_wrong(o, "--source: expected NAME=SCHEME:SECRET");
        return;
    }
    if (!options_grow((void **)&c->sources, &c->sources_count, sizeof(*source))) {
        options_wrong(o, "out of memory");
        return;
    }
    source = &c->sources[c->sources_count - 1];
    source->name = strndup(text, (size_t)(equals - text));
    source->scheme = strndup(equals + 1, (size_t)(colon - equals - 1));
    if (!options_grow((void **)&source->secrets, &source->secrets_count,
                      sizeof(*source->secrets)) ||
        source->name == NULL || source->scheme == NULL)
        options_wrong(o, "out of memory");
    else if (!secret_parse_location(&source->secrets[0], colon + 1))
        options_wrong(o,
                      "--source: a secret does not belong on the command line, where everybody can "
                      "read it; expected @FILE, env:VARIABLE or credential:NAME");
}

static void options_add_listen(struct options *o, const char *address)
{
    struct config *c = o->config;

    if (!options_grow((void **)&c->listen, &c->listen_count, sizeof(*c->listen)) ||
        (c->listen[c->listen_count - 1].address = strdup(address)) == NULL)
        options_wrong(o, "out of memory");
}

static void options_wrong_option(struct options *o, const char *format, const char *name,
                                 size_t len)
{
    o->mode = OPTIONS_WRONG;
    snprintf(o->why, sizeof(o->why), format, (int)len, name);
}

/* Of two the first one would be forgotten, and with it where deliveries are kept, say. */
static void options_set_text(struct options *o, const char *option, char **text, const char *value)
{
    if (*text != NULL)
        options_wrong_option(o, "%.*s: expected once", option, strlen(option));
    else if ((*text = strdup(value)) == NULL)
        options_wrong(o, "out of memory");
}

static void options_set_file(struct options *o, const char *file)
{
    if (o->file != NULL)
        options_wrong(o, "--config: expected once");
    else
        o->file = file;
}

/* The value may be a secret, and is not repeated. */
static void options_refuse(struct options *o, int option, const char *word)
{
    const char letter[] = {'-', (char)optopt};
    const char *format = option == ':' ? "%.*s: expected a value"
                                       : "unknown option %.*s, or one that takes no value";

    if (strncmp(word, "--", 2) == 0 && (option == ':' || optopt == 0 || optopt > UCHAR_MAX))
        options_wrong_option(o, format, word, strcspn(word, "="));
    else
        options_wrong_option(o, format, letter, sizeof(letter));
}

static void options_set_forward(struct options *o, const char *url)
{
    struct config *c = o->config;

    if (c->destinations_count > 0)
        options_wrong(o,
                      "--forward: expected one URL; more destinations need a configuration file");
    else if (!options_grow((void **)&c->destinations, &c->destinations_count,
                           sizeof(*c->destinations)) ||
             (c->destinations[0].url = strdup(url)) == NULL ||
             (c->destinations[0].name = strdup("forward")) == NULL)
        options_wrong(o, "out of memory");
}

static void options_set_token(struct options *o, const char *text)
{
    struct config_admin *admin = &o->config->admin;

    if (admin->token != NULL)
        options_wrong(o, "--admin-token: expected one token");
    else if ((admin->token = calloc(1, sizeof(*admin->token))) == NULL)
        options_wrong(o, "out of memory");
    else if (!secret_parse_location(admin->token, text))
        options_wrong(
            o, "--admin-token: a token does not belong on the command line, where everybody can "
               "read it; expected @FILE, env:VARIABLE or credential:NAME");
}

/* Either a file or the rest of the options: two places for the same thing breed surprises. */
static void options_check_conflicts(struct options *o)
{
    const struct config *c = o->config;
    bool inline_config = c->sources_count + c->listen_count + c->destinations_count > 0 ||
                         c->log.file != NULL || c->store.file != NULL || c->admin.address != NULL ||
                         c->admin.token != NULL;

    if (o->mode != OPTIONS_RUN && o->mode != OPTIONS_CHECK)
        return;
    if (o->file != NULL && inline_config)
        options_wrong(o, "--config does not go with --listen, --source, --store, --forward, --log, "
                         "--admin and --admin-token: put them in the file");
    else if (o->file == NULL && c->sources_count == 0)
        options_wrong(o, "nothing to receive: give --config FILE or --source NAME=SCHEME:SECRET");
}

static void options_take(struct options *o, int option, const char *word)
{
    switch (option) {
    case 'c':
        options_set_file(o, optarg);
        break;
    case 'l':
        options_add_listen(o, optarg);
        break;
    case 's':
        options_add_source(o, optarg);
        break;
    case 'f':
        options_set_forward(o, optarg);
        break;
    case 'o':
        options_set_text(o, "--log", &o->config->log.file, optarg);
        break;
    case 'a':
        options_set_text(o, "--admin", &o->config->admin.address, optarg);
        break;
    case ADMIN_TOKEN:
        options_set_token(o, optarg);
        break;
    case 'S':
        options_set_text(o, "--store", &o->config->store.file, optarg);
        break;
    case CHECK:
        o->mode = OPTIONS_CHECK;
        break;
    case PRINT_DEFAULTS:
        o->mode = OPTIONS_DEFAULTS;
        break;
    case 'h':
        o->mode = OPTIONS_HELP;
        break;
    case 'V':
        o->mode = OPTIONS_VERSION;
        break;
    default:
        options_refuse(o, option, word);
        break;
    }
}

struct options options_read(int argc, char *argv[])
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"listen", required_argument, NULL, 'l'},
        {"source", required_argument, NULL, 's'},
        {"store", required_argument, NULL, 'S'},
        {"forward", required_argument, NULL, 'f'},
        {"log", required_argument, NULL, 'o'},
        {"admin", required_argument, NULL, 'a'},
        {"admin-token", required_argument, NULL, ADMIN_TOKEN},
        {"check", no_argument, NULL, CHECK},
        {"print-defaults", no_argument, NULL, PRINT_DEFAULTS},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.mode = OPTIONS_RUN, .config = calloc(1, sizeof(struct config))};
    int option;

    if (o.config == NULL) {
        options_wrong(&o, "out of memory");
        return o;
    }
    opterr = 0;
    while ((o.mode == OPTIONS_RUN || o.mode == OPTIONS_CHECK) &&
           (option = getopt_long(argc, argv, ":c:l:s:S:f:o:a:hV", known, NULL)) != -1)
        options_take(&o, option, argv[optind - 1]);
    if (optind < argc && (o.mode == OPTIONS_RUN || o.mode == OPTIONS_CHECK))
        options_wrong(&o, "unexpected argument");
    options_check_conflicts(&o);
    return o;
}
