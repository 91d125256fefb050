/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <errno.h>
#include <hookline.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/admin/admin.h"
#include "daemon/base/clock.h"
#include "daemon/base/fatal_signal.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/base/process.h"
#include "daemon/base/limit.h"
#include "daemon/base/systemd.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/forward/forwarder.h"
#include "daemon/health.h"
#include "daemon/http/listen_fds.h"
#include "daemon/http/listener.h"
#include "daemon/log/feed.h"
#include "daemon/log/log.h"
#include "daemon/log/metrics.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/listener_config.h"
#include "daemon/policy/policy.h"
#include "daemon/policy/source.h"
#include "daemon/receive/receiver.h"
#include "daemon/receive/server.h"
#include "daemon/store/db.h"
#include "daemon/store/deliveries.h"
#include "daemon/store/outbox.h"
#include "daemon/store/store.h"
#include "daemon/store/writer.h"

/* ---- reload */

/* Replaces the policy by one from a new configuration, or changes nothing on an error.
 *
 * The store registers new destinations first, then the forwarder and the loops follow, so that a
 * request under the new policy finds all parts ready. No step after the store's can fail. New
 * certificates are read first and applied last. The main thread waits for writer and forwarder. */
struct reload {
    const struct config *config; /* from the start of the daemon */
    const char *file;            /* to read again; NULL: only the secrets of `config` */
    struct policy_slot *policy_slot;
    struct metrics *metrics;
    struct store *store; /* started */
    struct forwarder *forwarder;
    struct receive_server *ingest;
};

/* ---- registration of destinations */

struct reload_registration {
    struct writer_task task;
    struct store *store;
    struct destinations *destinations;
    const struct destinations *before;
    enum writer_outcome outcome;
    sem_t done;
};

/* Retries now after a change of URL, because the backoff was computed for the old URL. */
static int reload_retry_moved(const struct reload_registration *e)
{
    struct outbox *outbox = store_outbox(e->store);
    int64_t now_us = clock_steady_us();
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < e->destinations->count; i++) {
        const struct destination *d = &e->destinations->at[i];
        const struct destination *old = destinations_find_name(e->before, d->name);

        if (old != NULL && destination_moved(old, d))
            code = outbox_retry_now(outbox, d->number, now_us);
    }
    return code;
}

/* Both run on the writer thread. */
static int reload_run_registration(struct writer_task *task)
{
    const struct reload_registration *e = (const struct reload_registration *)task;
    int code = destinations_register(e->destinations, store_outbox(e->store),
                                     deliveries_newest(store_deliveries(e->store)));

    return code == SQLITE_OK ? reload_retry_moved(e) : code;
}

static void reload_on_registered(struct writer_task *task, enum writer_outcome outcome)
{
    struct reload_registration *e = (struct reload_registration *)task;

    e->outcome = outcome;
    sem_post(&e->done);
}

static bool reload_register(const struct reload *r, struct policy *policy,
                            const struct policy *before)
{
    struct reload_registration e = {
        .task = {.bytes = sizeof(e), .run = reload_run_registration, .done = reload_on_registered},
        .store = r->store,
        .destinations = policy->destinations,
        .before = before->destinations,
        .outcome = WRITER_FAILED,
    };

    sem_init(&e.done, 0, 0);
    if (writer_post(store_writer(r->store), &e.task))
        while (sem_wait(&e.done) != 0)
            ;
    sem_destroy(&e.done);
    return e.outcome == WRITER_DURABLE;
}

/* ---- changes that need a restart */

static bool reload_is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool reload_is_same_listen(const struct config *a, const struct config *b)
{
    if (a->listen_count != b->listen_count)
        return false;
    for (unsigned i = 0; i < a->listen_count; i++)
        if (!reload_is_same_text(a->listen[i].address, b->listen[i].address))
            return false;
    return true;
}

static bool reload_is_same_store(const struct config_store *a, const struct config_store *b)
{
    return reload_is_same_text(a->file, b->file) && a->keep_days == b->keep_days &&
           a->max_bytes == b->max_bytes && a->queue_bytes == b->queue_bytes &&
           a->free_bytes_min == b->free_bytes_min;
}

static bool reload_is_same_admin(const struct config_admin *a, const struct config_admin *b)
{
    return reload_is_same_text(a->address, b->address) && (a->token == NULL) == (b->token == NULL);
}

static void reload_report_changes(const struct config *a, const struct config *b)
{
    const struct {
        const char *name;
        bool same;
    } parts[] = {
        {"listen", reload_is_same_listen(a, b)},
        {"threads", a->threads == b->threads},
        {"log.file", reload_is_same_text(a->log.file, b->log.file)},
        {"store", reload_is_same_store(&a->store, &b->store)},
        {"admin", reload_is_same_admin(&a->admin, &b->admin)},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!parts[i].same)
            message_print("%s: the change needs a restart", parts[i].name);
}

/* ---- removed sources and destinations */

/* Reports removals, because a mistaken one shows in no request and no delivery. */
static void reload_report_removed(const struct policy *before, const struct policy *policy)
{
    for (size_t i = 0; i < sources_count(before->sources); i++) {
        const char *name = sources_at(before->sources, i)->name;

        if (sources_find_name(policy->sources, name) == NULL)
            message_print("source %s removed", name);
    }
    for (size_t i = 0; i < before->destinations->count; i++) {
        const char *name = before->destinations->at[i].name;

        if (destinations_find_name(policy->destinations, name) == NULL)
            message_print("destination %s removed: its undelivered deliveries stay in the store",
                          name);
    }
}

/* ---- reload steps */

/* Returns true once the new policy is in force. */
static bool reload_follow(const struct reload *r, struct policy *policy,
                          const struct policy *before, char *why)
{
    struct forwarder_change *change = NULL;

    if (!policy_attach_metrics(policy, r->metrics) ||
        (change = forwarder_change_prepare(r->forwarder, policy)) == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return false;
    }
    if (!reload_register(r, policy, before)) {
        snprintf(why, CONFIG_WHY_SIZE, "the store does not take it");
        forwarder_change_cancel(&change);
        return false;
    }
    forwarder_change_follow(&change);
    policy_inherit_rates(policy, before);
    policy_slot_publish(r->policy_slot, policy);
    receive_server_limit(r->ingest, &policy->limits);
    return true;
}

static void reload_report_counts(size_t sources, size_t destinations)
{
    message_print("configuration read again: %zu source%s, %zu destination%s", sources,
                  sources == 1 ? "" : "s", destinations, destinations == 1 ? "" : "s");
}

static bool reload_config(const struct reload *r, const struct config *config, char *why)
{
    struct listener_configs *listener_configs =
        listener_configs_open(config, message_warn_text, why);
    struct policy *policy =
        listener_configs == NULL ? NULL : policy_open(config, message_warn_text, why);
    struct policy *before = policy_slot_hold(r->policy_slot);
    bool good = policy != NULL && reload_follow(r, policy, before, why);

    if (good) {
        reload_report_removed(before, policy);
        reload_report_changes(r->config, config);
        if (!receive_server_renew(r->ingest, &listener_configs))
            message_warning("tls, proxy_protocol or trusted_proxies: the change needs a restart");
        reload_report_counts(sources_count(policy->sources), policy->destinations->count);
    }
    policy_release(&before);
    policy_release(&policy);
    listener_configs_free(&listener_configs);
    return good;
}

/* Reloads and reports the result. Returns false if the old configuration stays in force. */
static bool reload_now(const struct reload *r)
{
    struct config *config = NULL;
    char why[CONFIG_WHY_SIZE];
    bool good;

    if (r->file == NULL) {
        good = reload_config(r, r->config, why);
    } else {
        config = config_file_read(r->file, why);
        good = config != NULL && reload_config(r, config, why);
    }
    if (!good)
        message_error("reload failed, the old configuration stays in force: %s", why);
    config_free(&config);
    return good;
}

/* ---- service */

struct service {
    const struct config *config;
    struct policy *first; /* the initial policy, while the parts open */
    struct policy_slot *policy_slot;
    const struct listen_fds_by_use *passed;
    bool owns_process;
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct heartbeats *heartbeats;
    struct refusal_limit *refusal_limit;
    struct store *store;
    _Atomic(struct forwarder *) forwarder; /* NULL: not open yet */
    struct receiver_options receiver;
    struct receive_server *ingest;
    struct admin *admin;
    struct health health; /* service_run() only */
    atomic_bool broken;   /* an fsync has failed */
};

/* ---- callbacks on other threads */

static void service_on_store_failed(void *data, const char *why)
{
    (void)data;
    message_error("cannot store deliveries, senders get 503: %s", why);
}

static void service_on_store_recovered(void *data)
{
    (void)data;
    message_print("storing deliveries again");
}

static void service_on_store_damaged(void *data, const char *why)
{
    (void)data;
    message_error("the store is damaged, other deliveries are unaffected: %s", why);
}

static void service_on_store_too_large(void *data)
{
    const struct service *s = data;

    message_warning("%s: larger than store.max_bytes, because all that is left waits or is parked; "
                    "the store grows: replay or discard parked deliveries",
                    s->config->store.file);
}

/* Stops the process, because the state of the disk is unknown and only a new process can read it.
 * A second SIGTERM ends the process without finishing requests, so the signal is SIGUSR1. */
static void service_on_store_fatal(void *data, const char *why)
{
    struct service *s = data;

    message_error("fsync failed, stopping: %s", why);
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
    message_warning("cannot forward, the store is unreadable: %s", why);
}

static void service_add_waiter(void *data, const struct destination *destination,
                               struct answer_wait *waiter)
{
    const struct service *s = data;

    forwarder_add_waiter(atomic_load(&s->forwarder), destination, waiter);
}

static void service_on_rearmed(void *data)
{
    struct service *s = data;
    struct forwarder *forwarder = atomic_load(&s->forwarder);

    if (forwarder != NULL)
        forwarder_kick(forwarder, NULL);
}

/* ---- parts, in order of opening; each returns 0, or an exit code after a message */

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
    uint64_t lost = log_close(&s->log);

    if (lost > 0)
        message_warning("%" PRIu64 " log lines lost: the log was full or had no reader", lost);
}

static int service_open_views(struct service *s)
{
    s->metrics = metrics_new();
    s->feed = feed_open();
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

/* Registers destinations, corrects the clock and ends waits before the first write to the store. */
static int service_register(struct service *s)
{
    struct outbox *outbox = store_outbox(s->store);
    int64_t now_us = clock_steady_us();
    char why[DB_WHY_SIZE];
    int code = destinations_register(s->first->destinations, outbox,
                                     deliveries_newest(store_deliveries(s->store)));

    if (code == SQLITE_OK)
        code = outbox_correct_clock(outbox, now_us);
    if (code == SQLITE_OK)
        code = outbox_end_waits(outbox, now_us);
    if (code == SQLITE_OK)
        return EXIT_SUCCESS;
    db_error_text(store_db(s->store), code, why);
    message_error("%s", why);
    return EXIT_FAILED;
}

static void service_report_store(const struct service *s)
{
    const char *file = s->config->store.file, *aside = db_aside(store_db(s->store));
    size_t count = deliveries_key_count(store_deliveries(s->store));
    struct store_recovery found = store_recovery(s->store);

    if (aside != NULL)
        message_warning("%s: the -wal beside it belonged to another file, which this one replaces; "
                        "it is now %s",
                        file, aside);
    if (found.wal_bytes == 0)
        message_print("%s: %zu deliveries", file, count);
    else
        message_print("%s: %zu deliveries, recovered after an unclean shutdown: applied a -wal of "
                      "%" PRId64 " bytes, read the last %" PRId64 " deliveries, %" PRId64
                      " damaged",
                      file, count, found.wal_bytes, found.checked + found.damaged, found.damaged);
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
        .damaged = service_on_store_damaged,
        .too_large = service_on_store_too_large,
        .fatal = service_on_store_fatal,
        .committed = service_on_committed,
    };
    char why[DB_WHY_SIZE];
    int error;

    /* Opening may take minutes and no request is open yet, so signals may end the process. */
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
    service_report_store(s);
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
                .upstream = {store_outbox(s->store), s, service_add_waiter, service_on_rearmed},
            },
    };
    s->ingest = receive_server_open(s->config, &s->receiver, s->heartbeats);
    return s->ingest != NULL ? EXIT_SUCCESS : EXIT_FAILED;
}

/* Opens no admin API without an address or a passed socket. */
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

static unsigned service_shutdown_s(const struct service *s)
{
    struct policy *policy = s->policy_slot == NULL ? NULL : policy_slot_hold(s->policy_slot);
    unsigned seconds =
        policy == NULL ? s->config->limits.shutdown_seconds : policy->limits.shutdown_seconds;

    policy_release(&policy);
    return seconds;
}

/* Closes the store after ingest and forwarder, because their last tasks need the writer. */
static void service_close_all(struct service *s)
{
    struct forwarder *forwarder = atomic_load(&s->forwarder);
    unsigned seconds = service_shutdown_s(s);

    if (s->admin != NULL)
        admin_set_stopping(s->admin);
    /* Before the receiver cuts connections, so that waiting senders get an answer. */
    if (forwarder != NULL)
        forwarder_end_waits(forwarder, clock_mono_us() + (int64_t)seconds * 750000);
    if (s->ingest != NULL)
        receive_server_stop(s->ingest, seconds);
    admin_close(&s->admin);
    receive_server_free(&s->ingest);
    if (forwarder != NULL)
        forwarder_stop(forwarder, seconds);
    store_close(&s->store);
    health_destroy(&s->health);
    /* The writer wakes the forwarder until store_close(). */
    forwarder_free(&forwarder);
    policy_slot_free(&s->policy_slot);
    feed_close(&s->feed);
    heartbeats_free(&s->heartbeats);
    refusal_limit_free(&s->refusal_limit);
    metrics_free(&s->metrics);
    service_close_log(s);
}

/* `passed` is NULL if the service runs in a process of another program. */
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
        message_warning("cannot reopen the log, lines go to the old file: %s", strerror(errno));
}

static void service_reload(struct service *s, const char *file)
{
    const struct reload reload = {
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
    health_reloaded(&s->health, reload_now(&reload));
}

static void service_begin_health(struct service *s)
{
    char address[ADDRESS_TEXT_SIZE];

    if (!listener_address(receive_server_listener(s->ingest), 0, address))
        address[0] = '\0';
    health_begin(&s->health, store_writer(s->store), store_db(s->store), s->heartbeats, address);
}

/* SIGUSR1 counts only if the writer thread sent it. */
static bool service_must_end(struct service *s, int signal)
{
    return signal == SIGTERM || signal == SIGINT || (signal == SIGUSR1 && atomic_load(&s->broken));
}

/* Handles signals; in between, retries unwritten lines and reports the health. */
static void service_wait_for_end(struct service *s, const char *file)
{
    struct timespec wait;
    int signal;

    service_begin_health(s);
    wait = health_wait(&s->health);
    while (!service_must_end(s, signal = signals_wait(&wait))) {
        log_flush(s->log);
        message_flush();
        if (signal == SIGHUP)
            service_reload(s, file);
        health_turn(&s->health);
        /* Other threads release an old policy without waking the forwarder. */
        if (forwarder_is_settling(atomic_load(&s->forwarder)))
            forwarder_wake(atomic_load(&s->forwarder));
    }
}

static void service_begin_stop(const struct service *s)
{
    signals_let_end(); /* a second signal ends the process */
    health_stopping(service_shutdown_s(s));
    message_print("stopping");
}

/* Opens all parts, serves until the end and closes them. Takes over `policy`. */
static int service_serve(const struct config *config, const char *file, struct policy *policy,
                         const struct listen_fds_by_use *passed)
{
    int code;
    struct service *service = service_open_with(config, policy, passed, &code);

    if (service == NULL)
        return code;
    service_wait_for_end(service, file);
    service_begin_stop(service);
    return service_close(&service) ? EXIT_SUCCESS : EXIT_FAILED;
}

int service_run(const struct config *config, const char *file, struct policy *policy)
{
    struct listen_fds_by_use passed;
    int code = listen_fds_take(&passed, &config->admin);

    signals_block();
    if (code == EXIT_SUCCESS && !message_start()) {
        message_error("%s", strerror(errno));
        code = EXIT_FAILED;
    }
    if (code != EXIT_SUCCESS) {
        policy_release(&policy);
        return code;
    }
    fatal_signal_catch();
    systemd_notify_status("opening the store %s", config->store.file);
    code = service_serve(config, file, policy, &passed);
    message_stop();
    return code;
}
