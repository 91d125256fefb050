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
#include "daemon/receive/server.h"
#include "daemon/http/listener.h"
#include "daemon/log/log.h"
#include "daemon/log/metrics.h"
#include "daemon/base/notice.h"
#include "daemon/base/offenders.h"
#include "daemon/store/outbox.h"
#include "daemon/http/listen_fds.h"
#include "daemon/base/heartbeat.h"
#include "daemon/receive/receiver.h"
#include "daemon/reload.h"
#include "daemon/policy/policy.h"
#include "daemon/store/shelf.h"
#include "daemon/signals.h"
#include "daemon/store/storage.h"
#include "daemon/store/db.h"
#include "daemon/base/systemd.h"
#include "daemon/vigil.h"

struct service {
    const struct config *config;
    struct policy *first; /* only to be opened with */
    struct policy_slot *policy_slot;
    const struct listen_fds_by_use *passed;
    bool owns_process;
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct heartbeats *heartbeats;
    struct refusal_limit *refusal_limit;
    struct store *store;
    _Atomic(struct forwarder *) forwarder; /* NULL: it is not there yet */
    struct receiver_options receiver;
    struct receive_server *ingest;
    struct admin *admin;
    struct health health; /* of service_run() alone */
    atomic_bool broken;   /* a thread of a part's has found it so */
};

/* ---- what the threads of the parts have to tell */

static void service_on_store_failed(void *data, const char *why)
{
    (void)data;
    message_error("cannot store, senders are told to try again: %s", why);
}

static void service_on_store_recovered(void *data)
{
    (void)data;
    message_print("storing again");
}

/* Nobody knows what is on the disk. A new process will read it from there. Not by SIGTERM: a second
 * one would end us without the answers that are due. */
static void service_on_store_fatal(void *data, const char *why)
{
    struct service *s = data;

    message_error("the disk did not take what was written, stopping: %s", why);
    atomic_store(&s->broken, true);
    kill(getpid(), SIGUSR1);
}

static void service_on_committed(void *data)
{
    struct service *s = data;
    struct forwarder *forwarder = atomic_load(&s->forwarder);

    if (forwarder != NULL && forwarder_has_destinations(forwarder))
        forwarder_wake(forwarder);
}

static void service_on_unreadable(void *data, const char *why)
{
    (void)data;
    message_warning("cannot forward for now: %s", why);
}

static void service_add_waiter(void *data, const struct destination *destination,
                               struct answer_wait *relayed)
{
    const struct service *s = data;

    forwarder_add_waiter(atomic_load(&s->forwarder), destination, relayed);
}

/* ---- the parts, in this order; each returns 0, or the code to exit with after a notice */

static int service_open_log(struct service *s)
{
    const char *file = s->config->log.file == NULL ? "-" : s->config->log.file;
    int error;

    if ((s->log = log_open(file)) != NULL)
        return EXIT_SUCCESS;
    error = errno;
    message_error("cannot write the log %s: %s", file, strerror(error));
    return process_exit_code(error);
}

static void service_close_log(struct service *s)
{
    unsigned long lost = log_close(&s->log);

    if (lost > 0)
        message_warning("%lu lines of the log are lost, nothing has taken them", lost);
}

/* What is counted and watched, whether or not there is somebody to look at it. */
static int service_open_views(struct service *s)
{
    s->metrics = metrics_new();
    s->feed = feed_new();
    s->heartbeats = heartbeats_new();
    s->policy_slot = policy_slot_new(s->first);
    s->refusal_limit = refusal_limit_new(clock_mono_us());
    if (s->refusal_limit != NULL && s->metrics != NULL && s->feed != NULL &&
        s->heartbeats != NULL && s->policy_slot != NULL &&
        policy_attach_metrics(s->first, s->metrics))
        return EXIT_SUCCESS;
    message_error("%s", strerror(errno));
    return EXIT_FAILED;
}

/* What the store has to know before anything is written into it. */
static int service_register(struct service *s)
{
    struct outbox *outbox = store_outbox(s->store);
    char why[DB_WHY_SIZE];
    int code = destinations_register(s->first->destinations, outbox,
                                     deliveries_newest(store_deliveries(s->store)));

    if (code == SQLITE_OK)
        code = outbox_correct_clock(outbox, clock_steady_us());
    if (code == SQLITE_OK)
        return EXIT_SUCCESS;
    db_error_text(store_db(s->store), code, why);
    message_error("%s", why);
    return EXIT_FAILED;
}

static int service_open_store(struct service *s)
{
    const struct config_store *c = &s->config->store;
    struct store_options options = {
        .path = c->file,
        .keep_us = (int64_t)c->keep_days * 86400 * 1000000,
        .max_bytes = (int64_t)c->max_bytes,
        .queue_bytes = c->queue_bytes,
        .heartbeats = s->heartbeats,
        .data = s,
        .failed = service_on_store_failed,
        .recovered = service_on_store_recovered,
        .fatal = service_on_store_fatal,
        .committed = service_on_committed,
    };
    char why[DB_WHY_SIZE];
    int error;

    /* That may take minutes. Nothing has begun that would have to be answered. */
    if (s->owns_process)
        signals_let_end();
    s->store = store_open(&options, why);
    error = errno;
    if (s->owns_process)
        signals_block();
    if (s->store == NULL) {
        message_error("%s", why);
        return process_exit_code(error);
    }
    message_print("%s: %zu deliveries%s", c->file, deliveries_key_count(store_deliveries(s->store)),
                  db_was_left_open(store_db(s->store)) ? ", recovered after an unclean end" : "");
    return service_register(s);
}

static int service_open_forwarder(struct service *s)
{
    struct forwarder_options options = {
        .policy = s->first,
        .store = s->config->store.file,
        .outbox = store_outbox(s->store),
        .log = s->log,
        .feed = s->feed,
        .heartbeats = s->heartbeats,
        .newest = deliveries_newest(store_deliveries(s->store)),
        .failed = service_on_unreadable,
    };
    char why[DB_WHY_SIZE];

    if (!store_start(s->store)) {
        message_error("%s", strerror(errno));
        return EXIT_FAILED;
    }
    options.writer = store_writer(s->store);
    atomic_store(&s->forwarder, forwarder_open(&options, why));
    if (atomic_load(&s->forwarder) != NULL)
        return EXIT_SUCCESS;
    message_error("%s", why);
    return EXIT_FAILED;
}

static int service_open_server(struct service *s)
{
    s->receiver = (struct receiver_options){
        .pending_set =
            {
                .writer = store_writer(s->store),
                .deliveries = store_deliveries(s->store),
                .log = s->log,
                .metrics = s->metrics,
                .feed = s->feed,
                .refusal_limit = s->refusal_limit,
                .policy_slot = s->policy_slot,
                .upstream = {store_outbox(s->store), s, service_add_waiter},
            },
    };
    s->ingest = receive_server_open(s->config, &s->receiver, s->heartbeats);
    return s->ingest != NULL ? EXIT_SUCCESS : EXIT_FAILED;
}

/* Without an address or a socket there is none. */
static int service_open_admin(struct service *s)
{
    struct admin_options options = {
        .address = s->config->admin.address,
        .passed = &s->passed->admin,
        .version = hookline_version(),
        .policy_slot = s->policy_slot,
        .metrics = s->metrics,
        .listener = receive_server_listener(s->ingest),
        .listener_configs = receive_server_configs(s->ingest),
        .feed = s->feed,
        .heartbeats = s->heartbeats,
        .store = s->store,
        .forwarder = atomic_load(&s->forwarder),
        .free_bytes_min = s->config->store.free_bytes_min,
    };
    char why[DB_WHY_SIZE], address[ADDRESS_TEXT_SIZE];

    if (options.address == NULL && options.passed->count == 0)
        return EXIT_SUCCESS;
    if ((s->admin = admin_open(&options, why)) == NULL) {
        int code = process_exit_code(errno);

        message_error("%s", why);
        return code;
    }
    for (size_t i = 0; admin_address(s->admin, i, address); i++)
        message_print("admin listening on %s", address);
    return EXIT_SUCCESS;
}

static int service_open_all(struct service *s)
{
    int (*const parts[])(struct service *) = {
        service_open_log,       service_open_views,  service_open_store,
        service_open_forwarder, service_open_server, service_open_admin,
    };
    int code = EXIT_SUCCESS;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == EXIT_SUCCESS; i++)
        code = parts[i](s);
    return code;
}

static unsigned service_patience_s(const struct service *s)
{
    struct policy *policy = s->policy_slot == NULL ? NULL : policy_slot_hold(s->policy_slot);
    unsigned seconds =
        policy == NULL ? s->config->limits.shutdown_seconds : policy->limits.shutdown_seconds;

    policy_release(&policy);
    return seconds;
}

/* What is answered waits for the journal, and so does what was forwarded. */
static void service_close_all(struct service *s)
{
    struct forwarder *forwarder = atomic_load(&s->forwarder);
    unsigned seconds = service_patience_s(s);

    if (s->admin != NULL)
        admin_set_stopping(s->admin);
    if (s->ingest != NULL)
        receive_server_stop(s->ingest, seconds);
    admin_close(&s->admin);
    receive_server_free(&s->ingest);
    if (forwarder != NULL)
        forwarder_stop(forwarder, seconds);
    store_close(&s->store);
    health_destroy(&s->health);
    /* Not before: the journal wakes it. */
    forwarder_free(&forwarder);
    policy_slot_free(&s->policy_slot);
    feed_free(&s->feed);
    heartbeats_free(&s->heartbeats);
    refusal_limit_free(&s->refusal_limit);
    metrics_free(&s->metrics);
    service_close_log(s);
}

/* Without `passed` the process is somebody else's. */
static struct service *service_open_with(const struct config *config, struct policy *policy,
                                         const struct listen_fds_by_use *passed, int *code)
{
    static const struct listen_fds_by_use nothing;
    struct service *s = calloc(1, sizeof(*s));

    *code = EXIT_FAILED;
    if (s == NULL) {
        policy_release(&policy);
        return NULL;
    }
    s->config = config;
    s->passed = passed == NULL ? &nothing : passed;
    s->owns_process = passed != NULL;
    s->first = policy;
    *code = service_open_all(s);
    if (*code == EXIT_SUCCESS)
        *code = receive_server_start(s->ingest, config, &s->passed->ingest);
    policy_release(&s->first);
    if (*code != EXIT_SUCCESS)
        service_close(&s);
    return s;
}

struct service *service_open(const struct config *config, struct policy *policy, int *code)
{
    return service_open_with(config, policy, NULL, code);
}

const struct listener *service_listener(const struct service *s)
{
    return receive_server_listener(s->ingest);
}

bool service_close(struct service **service)
{
    bool good;

    service_close_all(*service);
    good = !atomic_load(&(*service)->broken);
    free(*service);
    *service = NULL;
    return good;
}

/* ---- signals */

static void service_reopen_log(struct log *log)
{
    if (!log_has_path(log))
        return;
    if (log_reopen(log))
        message_print("log reopened");
    else
        message_warning("the log stays as it is: %s", strerror(errno));
}

static void service_reload(struct service *s, const char *file)
{
    const struct reload what = {
        .config = s->config,
        .file = file,
        .policy_slot = s->policy_slot,
        .metrics = s->metrics,
        .store = s->store,
        .forwarder = atomic_load(&s->forwarder),
        .ingest = s->ingest,
    };

    health_reloading(&s->health);
    service_reopen_log(s->log);
    health_reloaded(&s->health, reload_now(&what));
}

static void service_begin_health(struct service *s)
{
    char address[ADDRESS_TEXT_SIZE];

    if (!listener_address(receive_server_listener(s->ingest), 0, address))
        address[0] = '\0';
    health_begin(&s->health, store_writer(s->store), store_db(s->store), s->heartbeats, address);
}

/* SIGUSR1 is a thread of ours that has found it so; from others it means nothing. */
static bool service_must_end(struct service *s, int signal)
{
    return signal == SIGTERM || signal == SIGINT || (signal == SIGUSR1 && atomic_load(&s->broken));
}

/* The main thread has nothing else to do than to offer again what a full disk left of the log, and
 * to see to it that the others live. */
static void service_wait_for_end(struct service *s, const char *file)
{
    struct timespec wait;
    int signal;

    service_begin_health(s);
    wait = health_wait(&s->health);
    while (!service_must_end(s, signal = signals_wait(&wait))) {
        log_flush(s->log);
        if (signal == SIGHUP)
            service_reload(s, file);
        health_turn(&s->health);
        /* What others hold of the rules before is let go without its notice. */
        if (forwarder_is_settling(atomic_load(&s->forwarder)))
            forwarder_wake(atomic_load(&s->forwarder));
    }
}

static void service_begin_stop(const struct service *s)
{
    signals_let_end(); /* if one comes again */
    health_stopping(service_patience_s(s));
    message_print("stopping");
}

int service_run(const struct config *config, const char *file, struct policy *policy)
{
    struct service *service;
    struct listen_fds_by_use passed;
    int code = listen_fds_take(&passed, &config->admin);

    if (code != EXIT_SUCCESS) {
        policy_release(&policy);
        return code;
    }
    signals_block();
    systemd_notify_status("opening the store %s", config->store.file);
    service = service_open_with(config, policy, &passed, &code);
    if (service == NULL)
        return code;
    service_wait_for_end(service, file);
    service_begin_stop(service);
    return service_close(&service) ? EXIT_SUCCESS : EXIT_FAILED;
}
