/* SPDX-License-Identifier: MIT */
#include "daemon/reload.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/policy/destination.h"
#include "daemon/policy/listener_config.h"
#include "daemon/forward/forwarder.h"
#include "daemon/receive/server.h"
#include "daemon/store/writer.h"
#include "daemon/base/notice.h"
#include "daemon/store/outbox.h"
#include "daemon/policy/policy.h"
#include "daemon/store/shelf.h"
#include "daemon/policy/source.h"
#include "daemon/store/storage.h"

/* ---- what the store has to know */

struct reload_registration {
    struct writer_task task;
    struct store *store;
    struct destinations *destinations;
    const struct destinations *before;
    enum writer_outcome outcome;
    sem_t done;
};

/* How long to wait was found out about the other URL. */
static int reload_hasten_moved(const struct reload_registration *e)
{
    struct outbox *outbox = store_outbox(e->store);
    int64_t now_us = clock_steady_us();
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < e->destinations->count; i++) {
        const struct destination *d = &e->destinations->at[i];
        const struct destination *old = destinations_find_name(e->before, d->name);

        if (old != NULL && destination_url_changed(old, d))
            code = outbox_retry_now(outbox, d->number, now_us);
    }
    return code;
}

/* On the journal's thread, as the next one. */
static int reload_run_registration(struct writer_task *task)
{
    const struct reload_registration *e = (const struct reload_registration *)task;
    int code = destinations_register(e->destinations, store_outbox(e->store),
                                     deliveries_newest(store_deliveries(e->store)));

    return code == SQLITE_OK ? reload_hasten_moved(e) : code;
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
    if (writer_submit(store_writer(r->store), &e.task))
        while (sem_wait(&e.done) != 0)
            ;
    sem_destroy(&e.done);
    return e.outcome == WRITER_DURABLE;
}

/* ---- what needs a restart */

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

/* ---- what is there no more */

/* It may be gone by mistake, and no request or delivery would show that. */
static void reload_report_removed(const struct policy *before, const struct policy *policy)
{
    for (size_t i = 0; i < sources_count(before->sources); i++) {
        const char *name = sources_at(before->sources, i)->name;

        if (sources_find_name(policy->sources, name) == NULL)
            message_print("source %s is taken out", name);
    }
    for (size_t i = 0; i < before->destinations->count; i++) {
        const char *name = before->destinations->at[i].name;

        if (destinations_find_name(policy->destinations, name) == NULL)
            message_print("destination %s is taken out: what it has not got stays in the store",
                          name);
    }
}

/* ---- all of it */

static void reload_warn(const char *text)
{
    message_warning("%s", text);
}

/* True if the rules are in force. */
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
        listener_configs_open(config, r->file, reload_warn, why);
    struct policy *policy =
        listener_configs == NULL ? NULL : policy_open(config, r->file, reload_warn, why);
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

bool reload_now(const struct reload *r)
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
        message_error("the configuration stays as it is: %s", why);
    config_free(&config);
    return good;
}
