/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hookline.h>

#include "daemon/base/address.h"
#include "daemon/admin/admin.h"
#include "daemon/base/clock.h"
#include "daemon/conf/config.h"
#include "daemon/policy/destination.h"
#include "daemon/base/exits.h"
#include "daemon/log/feed.h"
#include "daemon/forward/forwarder.h"
#include "daemon/receive/ingest.h"
#include "daemon/http/listener.h"
#include "daemon/log/log.h"
#include "daemon/log/metrics.h"
#include "daemon/base/notice.h"
#include "daemon/base/offenders.h"
#include "daemon/store/outbox.h"
#include "daemon/http/passed.h"
#include "daemon/base/pulse.h"
#include "daemon/receive/receiver.h"
#include "daemon/reload.h"
#include "daemon/policy/rules.h"
#include "daemon/store/shelf.h"
#include "daemon/signals.h"
#include "daemon/store/storage.h"
#include "daemon/store/store.h"
#include "daemon/base/supervisor.h"
#include "daemon/vigil.h"

struct service {
    const struct config *config;
    struct rules *first; /* only to be opened with */
    struct rules_board *board;
    const struct passed *passed;
    bool owns_process;
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct pulses *pulses;
    struct offenders *offenders;
    struct storage *storage;
    _Atomic(struct forwarder *) forwarder; /* NULL: it is not there yet */
    struct receiver_options receiver;
    struct ingest *ingest;
    struct admin *admin;
    struct vigil vigil; /* of service_run() alone */
    atomic_bool broken; /* a thread of a part's has found it so */
};

/* ---- what the threads of the parts have to tell */

static void on_store_failed(void *data, const char *why)
{
    (void)data;
    notice_error("cannot store, senders are told to try again: %s", why);
}

static void on_store_recovered(void *data)
{
    (void)data;
    notice("storing again");
}

/* Nobody knows what is on the disk. A new process will read it from there. Not by SIGTERM: a second
 * one would end us without the answers that are due. */
static void on_store_fatal(void *data, const char *why)
{
    struct service *s = data;

    notice_error("the disk did not take what was written, stopping: %s", why);
    atomic_store(&s->broken, true);
    kill(getpid(), SIGUSR1);
}

static void on_committed(void *data)
{
    struct service *s = data;
    struct forwarder *forwarder = atomic_load(&s->forwarder);

    if (forwarder != NULL && forwarder_has_destinations(forwarder))
        forwarder_wake(forwarder);
}

static void on_unreadable(void *data, const char *why)
{
    (void)data;
    notice_warning("cannot forward for now: %s", why);
}

static void relay(void *data, const struct destination *destination, struct relay *relayed)
{
    const struct service *s = data;

    forwarder_relay(atomic_load(&s->forwarder), destination, relayed);
}

/* ---- the parts, in this order; each returns 0, or the code to exit with after a notice */

static int open_log(struct service *s)
{
    const char *file = s->config->log.file == NULL ? "-" : s->config->log.file;
    int error;

    if ((s->log = log_open(file)) != NULL)
        return EXIT_SUCCESS;
    error = errno;
    notice_error("cannot write the log %s: %s", file, strerror(error));
    return exits_of_errno(error);
}

static void close_log(struct service *s)
{
    unsigned long lost = log_close(&s->log);

    if (lost > 0)
        notice_warning("%lu lines of the log are lost, nothing has taken them", lost);
}

/* What is counted and watched, whether or not there is somebody to look at it. */
static int open_views(struct service *s)
{
    s->metrics = metrics_new();
    s->feed = feed_new();
    s->pulses = pulses_new();
    s->board = rules_board_new(s->first);
    s->offenders = offenders_new(clock_mono_us());
    if (s->offenders != NULL && s->metrics != NULL && s->feed != NULL && s->pulses != NULL &&
        s->board != NULL && rules_count(s->first, s->metrics))
        return EXIT_SUCCESS;
    notice_error("%s", strerror(errno));
    return EXIT_FAILED;
}

/* What the store has to know before anything is written into it. */
static int enrol(struct service *s)
{
    struct outbox *outbox = storage_outbox(s->storage);
    char why[STORE_WHY_SIZE];
    int code =
        destinations_enrol(s->first->destinations, outbox, shelf_newest(storage_shelf(s->storage)));

    if (code == SQLITE_OK)
        code = outbox_correct_clock(outbox, clock_steady_us());
    if (code == SQLITE_OK)
        return EXIT_SUCCESS;
    store_why(storage_store(s->storage), code, why);
    notice_error("%s", why);
    return EXIT_FAILED;
}

static int open_storage(struct service *s)
{
    const struct config_store *c = &s->config->store;
    struct storage_options options = {
        .path = c->file,
        .keep_us = (int64_t)c->keep_days * 86400 * 1000000,
        .max_bytes = (int64_t)c->max_bytes,
        .queue_bytes = c->queue_bytes,
        .pulses = s->pulses,
        .data = s,
        .failed = on_store_failed,
        .recovered = on_store_recovered,
        .fatal = on_store_fatal,
        .committed = on_committed,
    };
    char why[STORE_WHY_SIZE];
    int error;

    /* That may take minutes. Nothing has begun that would have to be answered. */
    if (s->owns_process)
        signals_let_end();
    s->storage = storage_open(&options, why);
    error = errno;
    if (s->owns_process)
        signals_block();
    if (s->storage == NULL) {
        notice_error("%s", why);
        return exits_of_errno(error);
    }
    notice("%s: %zu deliveries%s", c->file, shelf_count(storage_shelf(s->storage)),
           store_was_left_open(storage_store(s->storage)) ? ", recovered after an unclean end"
                                                          : "");
    return enrol(s);
}

static int open_forwarder(struct service *s)
{
    struct forwarder_options options = {
        .rules = s->first,
        .store = s->config->store.file,
        .writer = storage_outbox(s->storage),
        .log = s->log,
        .feed = s->feed,
        .pulses = s->pulses,
        .newest = shelf_newest(storage_shelf(s->storage)),
        .failed = on_unreadable,
    };
    char why[STORE_WHY_SIZE];

    if (!storage_start(s->storage)) {
        notice_error("%s", strerror(errno));
        return EXIT_FAILED;
    }
    options.journal = storage_journal(s->storage);
    atomic_store(&s->forwarder, forwarder_open(&options, why));
    if (atomic_load(&s->forwarder) != NULL)
        return EXIT_SUCCESS;
    notice_error("%s", why);
    return EXIT_FAILED;
}

static int open_ingest(struct service *s)
{
    s->receiver = (struct receiver_options){
        .deposits =
            {
                .journal = storage_journal(s->storage),
                .shelf = storage_shelf(s->storage),
                .log = s->log,
                .metrics = s->metrics,
                .feed = s->feed,
                .offenders = s->offenders,
                .board = s->board,
                .handover = {storage_outbox(s->storage), s, relay},
            },
    };
    s->ingest = ingest_open(s->config, &s->receiver, s->pulses);
    return s->ingest != NULL ? EXIT_SUCCESS : EXIT_FAILED;
}

/* Without an address or a socket there is none. */
static int open_admin(struct service *s)
{
    struct admin_options options = {
        .address = s->config->admin.address,
        .passed = &s->passed->admin,
        .version = hookline_version(),
        .board = s->board,
        .metrics = s->metrics,
        .listener = ingest_listener(s->ingest),
        .entrances = ingest_entrances(s->ingest),
        .feed = s->feed,
        .pulses = s->pulses,
        .storage = s->storage,
        .forwarder = atomic_load(&s->forwarder),
        .free_bytes_min = s->config->store.free_bytes_min,
    };
    char why[STORE_WHY_SIZE], address[ADDRESS_TEXT_SIZE];

    if (options.address == NULL && options.passed->count == 0)
        return EXIT_SUCCESS;
    if ((s->admin = admin_open(&options, why)) == NULL) {
        int code = exits_of_errno(errno);

        notice_error("%s", why);
        return code;
    }
    for (size_t i = 0; admin_address(s->admin, i, address); i++)
        notice("admin listening on %s", address);
    return EXIT_SUCCESS;
}

static int open_all(struct service *s)
{
    int (*const parts[])(struct service *) = {
        open_log, open_views, open_storage, open_forwarder, open_ingest, open_admin,
    };
    int code = EXIT_SUCCESS;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == EXIT_SUCCESS; i++)
        code = parts[i](s);
    return code;
}

static unsigned patience_s(const struct service *s)
{
    struct rules *rules = s->board == NULL ? NULL : rules_board_take(s->board);
    unsigned seconds =
        rules == NULL ? s->config->limits.shutdown_seconds : rules->limits.shutdown_seconds;

    rules_release(&rules);
    return seconds;
}

/* What is answered waits for the journal, and so does what was forwarded. */
static void close_all(struct service *s)
{
    struct forwarder *forwarder = atomic_load(&s->forwarder);
    unsigned seconds = patience_s(s);

    if (s->admin != NULL)
        admin_set_stopping(s->admin);
    if (s->ingest != NULL)
        ingest_stop(s->ingest, seconds);
    admin_close(&s->admin);
    ingest_free(&s->ingest);
    if (forwarder != NULL)
        forwarder_stop(forwarder, seconds);
    storage_close(&s->storage);
    vigil_destroy(&s->vigil);
    /* Not before: the journal wakes it. */
    forwarder_free(&forwarder);
    rules_board_free(&s->board);
    feed_free(&s->feed);
    pulses_free(&s->pulses);
    offenders_free(&s->offenders);
    metrics_free(&s->metrics);
    close_log(s);
}

/* Without `passed` the process is somebody else's. */
static struct service *open_service(const struct config *config, struct rules *rules,
                                    const struct passed *passed, int *code)
{
    static const struct passed nothing;
    struct service *s = calloc(1, sizeof(*s));

    *code = EXIT_FAILED;
    if (s == NULL) {
        rules_release(&rules);
        return NULL;
    }
    s->config = config;
    s->passed = passed == NULL ? &nothing : passed;
    s->owns_process = passed != NULL;
    s->first = rules;
    *code = open_all(s);
    if (*code == EXIT_SUCCESS)
        *code = ingest_start(s->ingest, config, &s->passed->ingest);
    rules_release(&s->first);
    if (*code != EXIT_SUCCESS)
        service_close(&s);
    return s;
}

struct service *service_open(const struct config *config, struct rules *rules, int *code)
{
    return open_service(config, rules, NULL, code);
}

const struct listener *service_listener(const struct service *s)
{
    return ingest_listener(s->ingest);
}

bool service_close(struct service **service)
{
    bool good;

    close_all(*service);
    good = !atomic_load(&(*service)->broken);
    free(*service);
    *service = NULL;
    return good;
}

/* ---- signals */

static void reopen_log(struct log *log)
{
    if (!log_has_path(log))
        return;
    if (log_reopen(log))
        notice("log reopened");
    else
        notice_warning("the log stays as it is: %s", strerror(errno));
}

static void reload(struct service *s, const char *file)
{
    const struct reload reload = {
        .config = s->config,
        .file = file,
        .board = s->board,
        .metrics = s->metrics,
        .storage = s->storage,
        .forwarder = atomic_load(&s->forwarder),
        .ingest = s->ingest,
    };

    vigil_reloading(&s->vigil);
    reopen_log(s->log);
    vigil_reloaded(&s->vigil, reload_now(&reload));
}

static void begin_vigil(struct service *s)
{
    char address[ADDRESS_TEXT_SIZE];

    if (!listener_address(ingest_listener(s->ingest), 0, address))
        address[0] = '\0';
    vigil_begin(&s->vigil, storage_journal(s->storage), storage_store(s->storage), s->pulses,
                address);
}

/* SIGUSR1 is a thread of ours that has found it so; from others it means nothing. */
static bool is_the_end(struct service *s, int signal)
{
    return signal == SIGTERM || signal == SIGINT || (signal == SIGUSR1 && atomic_load(&s->broken));
}

/* The main thread has nothing else to do than to offer again what a full disk left of the log, and
 * to see to it that the others live. */
static void wait_for_the_end(struct service *s, const char *file)
{
    struct timespec wait;
    int signal;

    begin_vigil(s);
    wait = vigil_wait(&s->vigil);
    while (!is_the_end(s, signal = signals_wait(&wait))) {
        log_flush(s->log);
        if (signal == SIGHUP)
            reload(s, file);
        vigil_turn(&s->vigil);
        /* What others hold of the rules before is let go without its notice. */
        if (forwarder_is_settling(atomic_load(&s->forwarder)))
            forwarder_wake(atomic_load(&s->forwarder));
    }
}

static void begin_to_stop(const struct service *s)
{
    signals_let_end(); /* if one comes again */
    vigil_stopping(patience_s(s));
    notice("stopping");
}

int service_run(const struct config *config, const char *file, struct rules *rules)
{
    struct service *service;
    struct passed passed;
    int code = passed_take(&passed, &config->admin);

    if (code != EXIT_SUCCESS) {
        rules_release(&rules);
        return code;
    }
    signals_block();
    supervisor_status("opening the store %s", config->store.file);
    service = open_service(config, rules, &passed, &code);
    if (service == NULL)
        return code;
    wait_for_the_end(service, file);
    begin_to_stop(service);
    return service_close(&service) ? EXIT_SUCCESS : EXIT_FAILED;
}
