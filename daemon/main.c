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
#include "admin.h"
#include "clock.h"
#include "config.h"
#include "config_file.h"
#include "destination.h"
#include "feed.h"
#include "forwarder.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "options.h"
#include "outbox.h"
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

/* What runs, and what the threads of its parts find out. */
struct running {
    struct config *config;
    const struct sources *sources;
    struct destinations *destinations;
    struct log *log;
    const sigset_t *signals;
    struct metrics *metrics;
    struct feed *feed;
    struct storage *storage;
    int64_t newest;                        /* seq, when we began */
    _Atomic(struct forwarder *) forwarder; /* NULL: there is nothing to forward to */
    atomic_bool broken;
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

/* Nobody knows what is on the disk. A new process will read it from there. Not by SIGTERM: a second
 * one would end us without the answers that are due. */
static void on_store_fatal(void *data, const char *why)
{
    struct running *r = data;

    fprintf(stderr, "hooklined: the disk did not take what was written, stopping: %s\n", why);
    atomic_store(&r->broken, true);
    kill(getpid(), SIGUSR1);
}

static void on_committed(void *data)
{
    struct running *r = data;
    struct forwarder *forwarder = atomic_load(&r->forwarder);

    if (forwarder != NULL)
        forwarder_wake(forwarder);
}

static void on_unreadable(void *data, const char *why)
{
    (void)data;
    fprintf(stderr, "hooklined: cannot forward for now: %s\n", why);
}

/* What the store has to know before anything is written into it. */
static bool enrol(struct running *r)
{
    struct outbox *outbox = storage_outbox(r->storage);
    char why[STORE_WHY_SIZE];
    int code;

    r->newest = shelf_newest(storage_shelf(r->storage));
    code = destinations_enrol(r->destinations, outbox, r->newest);
    if (code == SQLITE_OK)
        code = outbox_correct_clock(outbox, clock_steady_us());
    if (code == SQLITE_OK)
        return true;
    store_why(storage_store(r->storage), code, why);
    say(why);
    return false;
}

static bool open_storage(struct running *r)
{
    const struct config *c = r->config;
    struct storage_options options = {
        .path = c->store.file,
        .keep_us = (int64_t)c->store.keep_days * 86400 * 1000000,
        .max_bytes = (int64_t)c->store.max_bytes,
        .queue_bytes = c->store.queue_bytes,
        .data = r,
        .failed = on_store_failed,
        .recovered = on_store_recovered,
        .fatal = on_store_fatal,
        .committed = on_committed,
    };
    char why[STORE_WHY_SIZE];

    if ((r->storage = storage_open(&options, why)) == NULL) {
        say(why);
        return false;
    }
    fprintf(stderr, "hooklined: %s: %zu deliveries%s\n", c->store.file,
            shelf_count(storage_shelf(r->storage)),
            store_was_left_open(storage_store(r->storage)) ? ", recovered after an unclean end"
                                                           : "");
    return enrol(r);
}

static bool open_forwarder(struct running *r)
{
    struct forwarder_options options = {
        .destinations = r->destinations,
        .store = r->config->store.file,
        .journal = storage_journal(r->storage),
        .writer = storage_outbox(r->storage),
        .log = r->log,
        .feed = r->feed,
        .newest = r->newest,
        .failed = on_unreadable,
    };
    char why[STORE_WHY_SIZE];

    if (r->destinations->count == 0)
        return true;
    atomic_store(&r->forwarder, forwarder_open(&options, why));
    if (atomic_load(&r->forwarder) == NULL)
        say(why);
    return atomic_load(&r->forwarder) != NULL;
}

/* Without an address there is none. */
static int open_admin(struct running *r, const struct listener *listener, struct admin **admin)
{
    struct admin_options options = {
        .address = r->config->admin.address,
        .version = hookline_version(),
        .destinations = r->destinations,
        .metrics = r->metrics,
        .listener = listener,
        .feed = r->feed,
        .storage = r->storage,
        .forwarder = atomic_load(&r->forwarder),
        .free_bytes_min = r->config->store.free_bytes_min,
    };
    char why[STORE_WHY_SIZE], address[ADDRESS_TEXT_SIZE];

    *admin = NULL;
    if (options.address == NULL)
        return EXIT_SUCCESS;
    if ((*admin = admin_open(&options, why)) == NULL) {
        int code = errno == EACCES || errno == EPERM ? EXIT_PERMISSION : EXIT_FAILED;

        say(why);
        return code;
    }
    admin_address(*admin, address);
    fprintf(stderr, "hooklined: admin listening on %s\n", address);
    return EXIT_SUCCESS;
}

static void relay(void *data, const char *source, struct relay *relayed)
{
    const struct running *r = data;

    forwarder_relay(atomic_load(&r->forwarder), source, relayed);
}

static int receive(struct running *r)
{
    struct config *c = r->config;
    struct service service = {
        .options =
            {
                .sources = r->sources,
                .deposits = {storage_journal(r->storage),
                             storage_shelf(r->storage),
                             r->log,
                             r->metrics,
                             r->feed,
                             c->log.body,
                             {r->destinations, storage_outbox(r->storage), r, relay}},
                .body_max = c->limits.body_bytes,
            },
    };
    struct listener *listener = open_listener(c, &service);
    struct admin *admin;
    unsigned cut;
    int code;

    if (listener == NULL) {
        say(strerror(errno));
        return EXIT_FAILED;
    }
    code = open_admin(r, listener, &admin);
    if (code == EXIT_SUCCESS && (code = listen_everywhere(listener, c)) == EXIT_SUCCESS) {
        wait_for_the_end(r->signals, r->log);
        say("stopping");
    }
    if (admin != NULL)
        admin_set_stopping(admin);
    if ((cut = listener_stop(listener, c->limits.shutdown_seconds)) > 0)
        fprintf(stderr, "hooklined: %u connections cut\n", cut);
    admin_close(&admin);
    listener_free(&listener);
    return code;
}

static int receive_and_forward(struct running *r)
{
    int code = EXIT_FAILED;

    if (!storage_start(r->storage)) {
        say(strerror(errno));
        return EXIT_FAILED;
    }
    if (open_forwarder(r))
        code = receive(r);
    if (atomic_load(&r->forwarder) != NULL)
        forwarder_stop(atomic_load(&r->forwarder), r->config->limits.shutdown_seconds);
    return code;
}

/* What is counted and watched, whether or not there is somebody to look at it. */
static bool open_views(struct running *r)
{
    size_t count = sources_count(r->sources);
    const char **names = calloc(count, sizeof(*names));

    for (size_t i = 0; names != NULL && i < count; i++)
        names[i] = sources_at(r->sources, i)->name;
    if (names != NULL)
        r->metrics = metrics_new(names, count);
    free(names);
    r->feed = feed_new();
    if (r->metrics == NULL || r->feed == NULL)
        say(strerror(errno));
    return r->metrics != NULL && r->feed != NULL;
}

static int serve(struct running *r)
{
    struct forwarder *forwarder;
    int code = EXIT_FAILED;

    if (open_views(r) && open_storage(r))
        code = receive_and_forward(r);
    storage_close(&r->storage);
    /* Not before: the journal wakes it. */
    forwarder = atomic_load(&r->forwarder);
    forwarder_free(&forwarder);
    feed_free(&r->feed);
    metrics_free(&r->metrics);
    return atomic_load(&r->broken) ? EXIT_FAILED : code;
}

static int run(struct config *c, const struct sources *sources, struct destinations *destinations)
{
    const char *file = c->log.file == NULL ? "-" : c->log.file;
    struct log *log = log_open(file);
    sigset_t signals;
    struct running running = {
        .config = c,
        .sources = sources,
        .destinations = destinations,
        .log = log,
        .signals = &signals,
    };
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
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    code = serve(&running);
    log_close(&log);
    return code;
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
        sources = sources_open(o->config, o->file, say, o->why);
    if (sources != NULL)
        destinations = destinations_open(o->config, o->file, say, o->why);
    if (destinations == NULL)
        say(o->why);
    else if (o->mode == OPTIONS_CHECK)
        code = printf("configuration is good: %u sources\n", o->config->sources_count) > 0 ? 0 : 1;
    else
        code = run(o->config, sources, destinations);
    destinations_free(&destinations);
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
