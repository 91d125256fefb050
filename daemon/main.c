/* SPDX-License-Identifier: MIT
 *
 * main.c - hooklined, the daemon that receives, verifies, stores and forwards webhooks: command
 * line, privacy of the process, exit status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <hookline.h>

#include "daemon/base/message.h"
#include "daemon/base/process.h"
#include "daemon/base/sqlite_place.h"
#include "daemon/base/systemd.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/conf/print.h"
#include "daemon/options.h"
#include "daemon/policy/listener_config.h"
#include "daemon/policy/policy.h"
#include "daemon/ready.h"
#include "daemon/service.h"

/* Keeps deliveries out of core dumps, and the environment out of reach of other processes. Secrets
 * are excluded from core dumps already. LeakSanitizer needs a dumpable process. */
static void daemon_keep_private(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Opens certificates and keys only to report their errors, because --check starts no service. */
static bool daemon_check_listeners(struct options *o)
{
    struct listener_configs *listener_configs =
        listener_configs_open(o->config, message_warn_text, o->why);
    bool good = listener_configs != NULL;

    listener_configs_free(&listener_configs);
    return good;
}

/* SQLite's WAL needs memory that all its processes share. */
static void daemon_check_store(const struct config *config)
{
    const char *kind = sqlite_place_network(config->store.file);

    if (kind != NULL)
        message_warning("%s: on a network file system (%s), where locks and the -wal are not "
                        "reliable: put the store on a local disk",
                        config->store.file, kind);
}

static int daemon_print_good(unsigned sources)
{
    printf("configuration is good: %u source%s\n", sources, sources == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

static int daemon_check_or_run(struct options *o)
{
    struct policy *policy = NULL;
    int code = EXIT_CONFIGURATION;

    if (o->mode == OPTIONS_RUN)
        signals_defer_reload();
    if (o->file != NULL) {
        config_free(&o->config);
        o->config = config_file_read(o->file, o->why);
    } else if (!config_complete(o->config, o->why)) {
        config_free(&o->config);
    }
    if (o->config != NULL && daemon_check_listeners(o))
        policy = policy_open(o->config, message_warn_text, o->why);
    if (policy != NULL)
        daemon_check_store(o->config);
    if (policy == NULL)
        message_error("%s", o->why);
    else if (o->mode == OPTIONS_CHECK)
        code = daemon_print_good(o->config->sources_count);
    else
        return service_run(o->config, o->file, policy);
    policy_release(&policy);
    return code;
}

static int daemon_run(struct options *o)
{
    switch (o->mode) {
    case OPTIONS_HELP:
        options_help();
        break;
    case OPTIONS_DEFAULTS:
        config_print_defaults();
        break;
    case OPTIONS_VERSION:
        printf("hooklined %s\n", hookline_version());
        break;
    case OPTIONS_WRONG:
        message_error("%s", o->why);
        fputs("Try: hooklined --help\n", stderr);
        return EXIT_USAGE;
    case OPTIONS_READY:
        return ready_ask(o->ready);
    case OPTIONS_CHECK:
    case OPTIONS_RUN:
        return daemon_check_or_run(o);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
    struct options options;
    int code;

    process_reserve_stdio();
    options = options_read(argc, argv);
    daemon_keep_private();
    if (systemd_fd_is_journal(STDERR_FILENO))
        message_use_journal();
    code = daemon_run(&options);
    config_free(&options.config);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        message_error("cannot write to standard output");
        return EXIT_FAILED;
    }
    return code;
}
