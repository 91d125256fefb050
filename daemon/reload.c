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
#include "daemon/policy/entrances.h"
#include "daemon/forward/forwarder.h"
#include "daemon/receive/ingest.h"
#include "daemon/store/journal.h"
#include "daemon/base/notice.h"
#include "daemon/store/outbox.h"
#include "daemon/policy/rules.h"
#include "daemon/store/shelf.h"
#include "daemon/policy/source.h"
#include "daemon/store/storage.h"

/* ---- what the store has to know */

struct enrolment {
    struct journal_task task;
    struct storage *storage;
    struct destinations *destinations;
    const struct destinations *before;
    enum journal_outcome outcome;
    sem_t done;
};

/* How long to wait was found out about the other URL. */
static int hasten_moved(const struct enrolment *e)
{
    struct outbox *outbox = storage_outbox(e->storage);
    int64_t now_us = clock_steady_us();
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < e->destinations->count; i++) {
        const struct destination *d = &e->destinations->at[i];
        const struct destination *old = destinations_named(e->before, d->name);

        if (old != NULL && destination_has_moved(old, d))
            code = outbox_hasten(outbox, d->number, now_us);
    }
    return code;
}

/* On the journal's thread, as the next one. */
static int run_enrolment(struct journal_task *task)
{
    const struct enrolment *e = (const struct enrolment *)task;
    int code = destinations_enrol(e->destinations, storage_outbox(e->storage),
                                  shelf_newest(storage_shelf(e->storage)));

    return code == SQLITE_OK ? hasten_moved(e) : code;
}

static void on_enrolled(struct journal_task *task, enum journal_outcome outcome)
{
    struct enrolment *e = (struct enrolment *)task;

    e->outcome = outcome;
    sem_post(&e->done);
}

static bool enrol(const struct reload *r, struct rules *rules, const struct rules *before)
{
    struct enrolment e = {
        .task = {.bytes = sizeof(e), .run = run_enrolment, .done = on_enrolled},
        .storage = r->storage,
        .destinations = rules->destinations,
        .before = before->destinations,
        .outcome = JOURNAL_FAILED,
    };

    sem_init(&e.done, 0, 0);
    if (journal_submit(storage_journal(r->storage), &e.task))
        while (sem_wait(&e.done) != 0)
            ;
    sem_destroy(&e.done);
    return e.outcome == JOURNAL_DURABLE;
}

/* ---- what needs a restart */

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_listen(const struct config *a, const struct config *b)
{
    if (a->listen_count != b->listen_count)
        return false;
    for (unsigned i = 0; i < a->listen_count; i++)
        if (!is_same(a->listen[i].address, b->listen[i].address))
            return false;
    return true;
}

static bool is_same_store(const struct config_store *a, const struct config_store *b)
{
    return is_same(a->file, b->file) && a->keep_days == b->keep_days &&
           a->max_bytes == b->max_bytes && a->queue_bytes == b->queue_bytes &&
           a->free_bytes_min == b->free_bytes_min;
}

static bool is_same_admin(const struct config_admin *a, const struct config_admin *b)
{
    return is_same(a->address, b->address) && (a->token == NULL) == (b->token == NULL);
}

static void tell_changes(const struct config *a, const struct config *b)
{
    const struct {
        const char *name;
        bool same;
    } parts[] = {
        {"listen", is_same_listen(a, b)},
        {"threads", a->threads == b->threads},
        {"log.file", is_same(a->log.file, b->log.file)},
        {"store", is_same_store(&a->store, &b->store)},
        {"admin", is_same_admin(&a->admin, &b->admin)},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!parts[i].same)
            notice("%s: the change needs a restart", parts[i].name);
}

/* ---- what is there no more */

/* It may be gone by mistake, and no request or delivery would show that. */
static void tell_losses(const struct rules *before, const struct rules *rules)
{
    for (size_t i = 0; i < sources_count(before->sources); i++) {
        const char *name = sources_at(before->sources, i)->name;

        if (sources_named(rules->sources, name) == NULL)
            notice("source %s is taken out", name);
    }
    for (size_t i = 0; i < before->destinations->count; i++) {
        const char *name = before->destinations->at[i].name;

        if (destinations_named(rules->destinations, name) == NULL)
            notice("destination %s is taken out: what it has not got stays in the store", name);
    }
}

/* ---- all of it */

static void warn(const char *text)
{
    notice_warning("%s", text);
}

/* True if the rules are in force. */
static bool follow(const struct reload *r, struct rules *rules, const struct rules *before,
                   char *why)
{
    struct forwarder_change *change = NULL;

    if (!rules_count(rules, r->metrics) ||
        (change = forwarder_prepare(r->forwarder, rules)) == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return false;
    }
    if (!enrol(r, rules, before)) {
        snprintf(why, CONFIG_WHY_SIZE, "the store does not take it");
        forwarder_cancel(&change);
        return false;
    }
    forwarder_follow(&change);
    rules_succeed(rules, before);
    rules_board_post(r->board, rules);
    ingest_limit(r->ingest, &rules->limits);
    return true;
}

static void tell_counts(size_t sources, size_t destinations)
{
    notice("configuration read again: %zu source%s, %zu destination%s", sources,
           sources == 1 ? "" : "s", destinations, destinations == 1 ? "" : "s");
}

static bool reload_config(const struct reload *r, const struct config *config, char *why)
{
    struct entrances *entrances = entrances_open(config, r->file, warn, why);
    struct rules *rules = entrances == NULL ? NULL : rules_open(config, r->file, warn, why);
    struct rules *before = rules_board_take(r->board);
    bool good = rules != NULL && follow(r, rules, before, why);

    if (good) {
        tell_losses(before, rules);
        tell_changes(r->config, config);
        if (!ingest_renew(r->ingest, &entrances))
            notice_warning("tls, proxy_protocol or trusted_proxies: the change needs a restart");
        tell_counts(sources_count(rules->sources), rules->destinations->count);
    }
    rules_release(&before);
    rules_release(&rules);
    entrances_free(&entrances);
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
        notice_error("the configuration stays as it is: %s", why);
    config_free(&config);
    return good;
}
