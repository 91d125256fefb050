/* SPDX-License-Identifier: MIT
 *
 * hooklined - receives webhooks, verifies them, stores them, and forwards them.
 *
 * Here is the process: what it is told, what it keeps from others, and how it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <hookline.h>

#include "config.h"
#include "config_file.h"
#include "destination.h"
#include "exits.h"
#include "notice.h"
#include "options.h"
#include "service.h"
#include "source.h"
#include "streams.h"
#include "token.h"

/* The secrets are in memory that no core holds; this keeps the deliveries out of cores, too, and
 * the environment out of reach of others. LeakSanitizer could not attach. */
static void keep_private(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void warn(const char *text)
{
    notice("%s", text);
}

/* The service reads the token when it needs it; but --check is to speak of it, too, and here is
 * known where it stands. */
static bool check_token(struct options *o)
{
    const struct config_secret *where = o->config->admin.token;
    struct token *token;
    size_t len;
    bool good;

    if (where == NULL)
        return true;
    len = config_locate(o->file, "admin/token", o->why, sizeof(o->why));
    len += (size_t)snprintf(o->why + len, sizeof(o->why) - len, "admin: ");
    if (len >= sizeof(o->why))
        return false;
    token = token_open(where, o->why + len, sizeof(o->why) - len);
    good = token != NULL;
    token_free(&token);
    return good;
}

static int check_or_run(struct options *o)
{
    struct destinations *destinations = NULL;
    struct sources *sources = NULL;
    int code = EXIT_CONFIGURATION;

    if (o->file != NULL) {
        config_free(&o->config);
        o->config = config_file_read(o->file, o->why);
    } else if (!config_complete(o->config, NULL, o->why)) {
        config_free(&o->config);
    }
    if (o->config != NULL)
        sources = sources_open(o->config, o->file, warn, o->why);
    if (sources != NULL && check_token(o))
        destinations = destinations_open(o->config, o->file, warn, o->why);
    if (destinations == NULL)
        notice("%s", o->why);
    else if (o->mode == OPTIONS_CHECK)
        code = printf("configuration is good: %u sources\n", o->config->sources_count) > 0 ? 0 : 1;
    else
        code = service_run(o->config, sources, destinations);
    destinations_free(&destinations);
    sources_free(&sources);
    return code;
}

int main(int argc, char *argv[])
{
    struct options options;
    int code = EXIT_SUCCESS;

    streams_hold();
    options = options_read(argc, argv);
    keep_private();
    switch (options.mode) {
    case OPTIONS_HELP:
        options_help();
        break;
    case OPTIONS_VERSION:
        printf("hooklined %s\n", hookline_version());
        break;
    case OPTIONS_WRONG:
        notice("%s", options.why);
        fputs("Try: hooklined --help\n", stderr);
        code = EXIT_USAGE;
        break;
    case OPTIONS_CHECK:
    case OPTIONS_RUN:
        code = check_or_run(&options);
        break;
    }
    config_free(&options.config);
    return code;
}
