/* SPDX-License-Identifier: MIT
 *
 * hooklined - receives webhooks, verifies them, and acknowledges what it has recorded.
 *
 * What belongs together is put together here and taken down in the opposite order.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <hookline.h>

#include "address.h"
#include "config.h"
#include "config_file.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "receiver.h"
#include "shelf.h"
#include "source.h"
#include "storage.h"
#include "store.h"

/* As daemon(7) lists them. */
enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_PERMISSION = 4,
    EXIT_CONFIGURATION = 6,
};

static void say(const char *text)
{
    fprintf(stderr, "hooklined: %s\n", text);
}

/* The secrets are in memory that no core holds; this keeps the deliveries out of cores, too, and
 * the environment out of reach of others. LeakSanitizer could not attach. */
static void keep_private(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* A connection takes one descriptor, and one more for the moment in which it begins to linger. */
static void raise_descriptors(unsigned *connections)
{
    const rlim_t others = 512;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && *connections + others > limit.rlim_cur) {
        *connections = limit.rlim_cur > 2 * others ? (unsigned)(limit.rlim_cur - others)
                                                   : (unsigned)(limit.rlim_cur / 2);
        fprintf(stderr, "hooklined: connections limited to %u by RLIMIT_NOFILE\n", *connections);
    }
}

/* What the listener is to serve. */
struct service {
    struct receiver_options options;
    struct receiver *receiver;
};

static void setup_receiver(void *data, struct st_h2o_pathconf_t *path)
{
    struct service *service = data;

    service->receiver = receiver_register(path, &service->options);
}

static void turn_receiver(void *data, struct st_h2o_context_t *ctx)
{
    const struct service *service = data;

    receiver_turn(service->receiver, ctx);
}

static struct listener *open_listener(struct config *c, struct service *service)
{
    struct listener_options options = {
        .threads = c->threads,
        .body_max = c->limits.body_bytes,
        .limits =
            {
                .connections = c->limits.connections,
                .header_s = c->limits.header_seconds,
                .body_s = c->limits.body_seconds,
                .idle_s = c->limits.idle_seconds,
            },
        .data = service,
        .setup = setup_receiver,
        .turn = turn_receiver,
    };

    raise_descriptors(&options.limits.connections);
    return listener_new(&options);
}

static int listen_everywhere(struct listener *l, const struct config *c)
{
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned i = 0; i < c->listen_count; i++) {
        if (!listener_add(l, c->listen[i].address)) {
            int code = errno == EACCES || errno == EPERM ? EXIT_PERMISSION : EXIT_FAILED;

            fprintf(stderr, "hooklined: cannot listen on %s: %s\n", c->listen[i].address,
                    strerror(errno));
            return code;
        }
    }
    if (!listener_start(l)) {
        say(strerror(errno));
        return EXIT_FAILED;
    }
    for (size_t i = 0; listener_address(l, i, text); i++)
        fprintf(stderr, "hooklined: listening on %s\n", text);
    return EXIT_SUCCESS;
}

static void reopen_log(struct log *log)
{
    if (log_reopen(log))
        say("log reopened");
    else
        fprintf(stderr, "hooklined: the log stays as it is: %s\n", strerror(errno));
}

/* The main thread has nothing else to do than to offer again what a slow reader left. */
static void wait_for_the_end(const sigset_t *signals, struct log *log)
{
    const struct timespec second = {1, 0};
    sigset_t again;
    int signal;

    while ((signal = sigtimedwait(signals, NULL, &second)) == SIGHUP || signal < 0) {
        log_flush(log);
        if (signal == SIGHUP)
            reopen_log(log);
    }
    /* A second one, of either kind, ends us at once. */
    sigemptyset(&again);
    sigaddset(&again, SIGTERM);
    sigaddset(&again, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &again, NULL);
}

static void on_store_failed(void *data, const char *why)
{
    (void)data;
    fprintf(stderr, "hooklined: cannot store, senders are told to try again: %s\n", why);
}

static void on_store_recovered(void *data)
{
    (void)data;
    say("storing again");
}

/* Nobody knows what is on the disk. A new process will read it from there. */
static void on_store_fatal(void *data, const char *why)
{
    atomic_bool *broken = data;

    fprintf(stderr, "hooklined: the disk did not take what was written, stopping: %s\n", why);
    atomic_store(broken, true);
    kill(getpid(), SIGTERM);
}

static struct storage *open_storage(const struct config *c, atomic_bool *broken)
{
    struct storage_options options = {
        .path = c->store.file,
        .keep_us = (int64_t)c->store.keep_days * 86400 * 1000000,
        .max_bytes = (int64_t)c->store.max_bytes,
        .queue_bytes = c->store.queue_bytes,
        .data = broken,
        .failed = on_store_failed,
        .recovered = on_store_recovered,
        .fatal = on_store_fatal,
    };
    char why[STORE_WHY_SIZE];
    struct storage *storage = storage_open(&options, why);

    if (storage == NULL) {
        say(why);
        return NULL;
    }
    fprintf(stderr, "hooklined: %s: %zu deliveries%s\n", c->store.file,
            shelf_count(storage_shelf(storage)),
            store_was_left_open(storage_store(storage)) ? ", recovered after an unclean end" : "");
    if (!storage_start(storage)) {
        say(strerror(errno));
        storage_close(&storage);
    }
    return storage;
}

static int receive(struct config *c, const struct sources *sources, struct storage *storage,
                   struct log *log, const sigset_t *signals)
{
    struct service service = {
        .options =
            {
                .sources = sources,
                .deposits = {storage_journal(storage), storage_shelf(storage), log, c->log.body},
                .body_max = c->limits.body_bytes,
            },
    };
    struct listener *listener = open_listener(c, &service);
    unsigned cut;
    int code;

    if (listener == NULL) {
        say(strerror(errno));
        return EXIT_FAILED;
    }
    if ((code = listen_everywhere(listener, c)) == EXIT_SUCCESS) {
        wait_for_the_end(signals, log);
        say("stopping");
    }
    if ((cut = listener_stop(listener, c->limits.shutdown_seconds)) > 0)
        fprintf(stderr, "hooklined: %u connections cut\n", cut);
    listener_free(&listener);
    return code;
}

static int serve(struct config *c, const struct sources *sources, struct log *log,
                 const sigset_t *signals)
{
    atomic_bool broken = false;
    struct storage *storage = open_storage(c, &broken);
    int code = EXIT_FAILED;

    if (storage != NULL)
        code = receive(c, sources, storage, log, signals);
    storage_close(&storage);
    return atomic_load(&broken) ? EXIT_FAILED : code;
}

static int run(struct config *c, const struct sources *sources)
{
    const char *file = c->log.file == NULL ? "-" : c->log.file;
    struct log *log = log_open(file);
    sigset_t signals;
    int code;

    if (log == NULL) {
        fprintf(stderr, "hooklined: cannot write the log %s: %s\n", file, strerror(errno));
        return errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED;
    }
    /* A log that takes no more is an error of write(), not our end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    code = serve(c, sources, log, &signals);
    log_close(&log);
    return code;
}

static int check_or_run(struct options *o)
{
    struct sources *sources = NULL;
    int code = EXIT_CONFIGURATION;

    if (o->file != NULL) {
        config_free(&o->config);
        o->config = config_file_read(o->file, o->why);
    } else if (!config_complete(o->config, NULL, o->why)) {
        config_free(&o->config);
    }
    if (o->config != NULL)
        sources = sources_open(o->config, o->file, say, o->why);
    if (sources == NULL)
        say(o->why);
    else if (o->mode == OPTIONS_CHECK)
        code = printf("configuration is good: %u sources\n", o->config->sources_count) > 0 ? 0 : 1;
    else
        code = run(o->config, sources);
    sources_free(&sources);
    return code;
}

int main(int argc, char *argv[])
{
    struct options options = options_read(argc, argv);
    int code = EXIT_SUCCESS;

    keep_private();
    switch (options.mode) {
    case OPTIONS_HELP:
        options_help();
        break;
    case OPTIONS_VERSION:
        printf("hooklined %s\n", hookline_version());
        break;
    case OPTIONS_WRONG:
        say(options.why);
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
