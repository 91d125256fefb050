/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "config_file.h"
#include "destination.h"
#include "entrances.h"
#include "forwarder.h"
#include "ingest.h"
#include "journal.h"
#include "notice.h"
#include "rules.h"
#include "shelf.h"
#include "source.h"
#include "storage.h"

/* ---- what the store has to know */

struct enrolment {
    struct journal_task task;
    struct storage *storage;
    struct destinations *destinations;
    enum journal_outcome outcome;
    sem_t done;
};

/* On the journal's thread, as the next one. */
static int run_enrolment(struct journal_task *task)
{
    const struct enrolment *e = (const struct enrolment *)task;

    return destinations_enrol(e->destinations, storage_outbox(e->storage),
                              shelf_newest(storage_shelf(e->storage)));
}

static void on_enrolled(struct journal_task *task, enum journal_outcome outcome)
{
    struct enrolment *e = (struct enrolment *)task;

    e->outcome = outcome;
    sem_post(&e->done);
}

static bool enrol(const struct reload *r, struct rules *rules)
{
    struct enrolment e = {
        .task = {.bytes = sizeof(e), .run = run_enrolment, .done = on_enrolled},
        .storage = r->storage,
        .destinations = rules->destinations,
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

static bool is_same_secret(const struct config_secret *a, const struct config_secret *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return is_same(a->file, b->file) && is_same(a->env, b->env) &&
           is_same(a->credential, b->credential);
}

static bool is_same_admin(const struct config_admin *a, const struct config_admin *b)
{
    return is_same(a->address, b->address) && is_same_secret(a->token, b->token);
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

/* ---- all of it */

static void warn(const char *text)
{
    notice("%s", text);
}

/* True if the rules are in force. */
static bool follow(const struct reload *r, struct rules *rules, char *why)
{
    struct forwarder_change *change = NULL;

    if (!rules_count(rules, r->metrics) ||
        (change = forwarder_prepare(r->forwarder, rules)) == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return false;
    }
    if (!enrol(r, rules)) {
        snprintf(why, CONFIG_WHY_SIZE, "the store does not take it");
        forwarder_cancel(&change);
        return false;
    }
    forwarder_follow(&change);
    rules_board_post(r->board, rules);
    ingest_limit(r->ingest, &rules->limits);
    return true;
}

static bool reload_config(const struct reload *r, const struct config *config, char *why)
{
    struct entrances *entrances = entrances_open(config, r->file, warn, why);
    struct rules *rules = entrances == NULL ? NULL : rules_open(config, r->file, warn, why);
    bool good = rules != NULL && follow(r, rules, why);

    if (good) {
        tell_changes(r->config, config);
        if (!ingest_renew(r->ingest, &entrances))
            notice_warning("tls, proxy_protocol or trusted_proxies: the change needs a restart");
        notice("configuration read again: %zu sources, %zu destinations",
               sources_count(rules->sources), rules->destinations->count);
    }
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
