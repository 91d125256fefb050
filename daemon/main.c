/* SPDX-License-Identifier: MIT
 *
 * hooklined - receives webhooks, verifies them, stores them, and forwards them.
 *
 * Here is the process: what it is told, what it keeps from others, and how it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <hookline.h>

#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/defaults.h"
#include "daemon/policy/entrances.h"
#include "daemon/base/exits.h"
#include "daemon/base/notice.h"
#include "daemon/options.h"
#include "daemon/policy/rules.h"
#include "daemon/service.h"
#include "daemon/signals.h"
#include "daemon/base/streams.h"
#include "daemon/base/supervisor.h"

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
    notice_warning("%s", text);
}

/* The service opens them when it needs them; but --check is to speak of them, too. */
static bool check_entrances(struct options *o)
{
    struct entrances *entrances = entrances_open(o->config, o->file, warn, o->why);
    bool good = entrances != NULL;

    entrances_free(&entrances);
    return good;
}

static int say_good(unsigned sources)
{
    printf("configuration is good: %u source%s\n", sources, sources == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

static int check_or_run(struct options *o)
{
    struct rules *rules = NULL;
    int code = EXIT_CONFIGURATION;

    if (o->mode == OPTIONS_RUN)
        signals_defer_reload();
    if (o->file != NULL) {
        config_free(&o->config);
        o->config = config_file_read(o->file, o->why);
    } else if (!config_complete(o->config, NULL, o->why)) {
        config_free(&o->config);
    }
    if (o->config != NULL && check_entrances(o))
        rules = rules_open(o->config, o->file, warn, o->why);
    if (rules == NULL)
        notice_error("%s", o->why);
    else if (o->mode == OPTIONS_CHECK)
        code = say_good(o->config->sources_count);
    else
        return service_run(o->config, o->file, rules);
    rules_release(&rules);
    return code;
}

static int run(struct options *o)
{
    switch (o->mode) {
    case OPTIONS_HELP:
        options_help();
        break;
    case OPTIONS_DEFAULTS:
        defaults_print();
        break;
    case OPTIONS_VERSION:
        printf("hooklined %s\n", hookline_version());
        break;
    case OPTIONS_WRONG:
        notice_error("%s", o->why);
        fputs("Try: hooklined --help\n", stderr);
        return EXIT_USAGE;
    case OPTIONS_CHECK:
    case OPTIONS_RUN:
        return check_or_run(o);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
    struct options options;
    int code;

    streams_hold();
    options = options_read(argc, argv);
    keep_private();
    if (supervisor_keeps(STDERR_FILENO))
        notice_to_journal();
    code = run(&options);
    config_free(&options.config);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        notice_error("cannot write to the standard output");
        return EXIT_FAILED;
    }
    return code;
}
