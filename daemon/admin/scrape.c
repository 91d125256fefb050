/* SPDX-License-Identifier: MIT */
#include "daemon/admin/scrape.h"

#include <stdlib.h>

#include "daemon/admin/backlog.h"
#include "daemon/base/clock.h"
#include "daemon/http/connection.h"
#include "daemon/http/entrance.h"
#include "daemon/policy/entrances.h"
#include "daemon/log/exposition.h"
#include "daemon/forward/forwarder.h"
#include "daemon/store/journal.h"
#include "daemon/http/listener.h"
#include "daemon/log/metrics.h"
#include "daemon/admin/readiness.h"
#include "daemon/admin/standing.h"
#include "daemon/store/storage.h"
#include "daemon/store/store.h"

static void gauge(struct exposition *e, const char *name, const char *help, uint64_t number)
{
    exposition_family(e, EXPOSITION_GAUGE, name, help);
    exposition_number(e, NULL, number);
}

static void counter(struct exposition *e, const char *name, const char *help, uint64_t number)
{
    exposition_family(e, EXPOSITION_COUNTER, name, help);
    exposition_number(e, NULL, number);
}

static void write_process(const struct scrape *s, struct exposition *e)
{
    exposition_family(e, EXPOSITION_GAUGE, "hookline_build_info", "The version that runs.");
    exposition_number(e, (struct exposition_label[]){{"version", s->version}, {NULL, NULL}}, 1);
    exposition_family(e, EXPOSITION_GAUGE, "hookline_start_time_seconds",
                      "When the process started, in seconds since 1970.");
    exposition_seconds(e, NULL, s->start_us);
    gauge(e, "hookline_connections", "Connections of senders that are open.",
          listener_connections(s->listener));
}

/* Of a connection that gets no further there is no line. */
static void write_entrances(const struct scrape *s, struct exposition *e)
{
    exposition_family(e, EXPOSITION_COUNTER, "hookline_connections_refused_total",
                      "Connections that did not get as far as a request, by what was wrong.");
    for (int i = 0; i < ENTRANCE_VERDICTS; i++) {
        const char *reason = entrance_verdict_name((enum entrance_verdict)i);

        if (reason != NULL)
            exposition_number(e, (struct exposition_label[]){{"reason", reason}, {NULL, NULL}},
                              listener_refused(s->listener, (enum entrance_verdict)i));
    }
}

static void write_certificates(const struct scrape *s, struct exposition *e)
{
    const char *address;
    int64_t end_s;

    exposition_family(e, EXPOSITION_GAUGE, "hookline_tls_certificate_end_time_seconds",
                      "When the certificate of an address expires, in seconds since 1970.");
    for (size_t n = 0; entrances_certificate(s->entrances, n, &address, &end_s); n++)
        if (end_s >= 0)
            exposition_number(e, (struct exposition_label[]){{"address", address}, {NULL, NULL}},
                              (uint64_t)end_s);
}

static void write_ends(const struct scrape *s, struct exposition *e)
{
    exposition_family(e, EXPOSITION_COUNTER, "hookline_connections_ended_total",
                      "Connections that a limit has ended, by which.");
    for (int i = 0; i < CONNECTION_ENDS; i++)
        exposition_number(
            e,
            (struct exposition_label[]){{"reason", connection_end_name((enum connection_end)i)},
                                        {NULL, NULL}},
            listener_ended(s->listener, (enum connection_end)i));
}

static void write_journal(const struct scrape *s, struct exposition *e)
{
    struct journal_stats stats;

    journal_stats(storage_journal(s->storage), &stats);
    counter(e, "hookline_journal_tasks_total", "Tasks that became durable.", stats.tasks);
    counter(e, "hookline_journal_failed_commits_total", "Transactions that failed.",
            stats.failed_commits);
    exposition_family(e, EXPOSITION_HISTOGRAM, "hookline_journal_commit_duration_seconds",
                      "What the transactions took, to the end of their fsync.");
    exposition_histogram(e, NULL, JOURNAL_BUCKETS_US, stats.commit_buckets, stats.commit_us);
    gauge(e, "hookline_journal_queue_bytes", "Bytes that wait for a transaction.",
          stats.queued_bytes);
    gauge(e, "hookline_journal_healthy",
          "0 from a failed transaction until one has written, else 1.", stats.healthy);
}

static void write_store(const struct scrape *s, struct exposition *e)
{
    int64_t bytes = store_bytes(s->store);
    int64_t free_bytes = readiness_free_bytes(store_path(s->store));

    gauge(e, "hookline_store_bytes", "Bytes that the store takes.",
          bytes < 0 ? 0 : (uint64_t)bytes);
    gauge(e, "hookline_store_free_bytes", "Bytes that are free on the disk of the store.",
          free_bytes < 0 ? 0 : (uint64_t)free_bytes);
    counter(e, "hookline_store_expired_deliveries_total",
            "Deliveries that were deleted because they were old, or the store too large.",
            storage_given_up(s->storage));
}

/* ---- destinations */

static void write_outcomes(const struct scrape *s, struct exposition *e)
{
    struct lane_stats lane;

    exposition_family(e, EXPOSITION_COUNTER, "hookline_attempts_total",
                      "Attempts to forward, by what followed.");
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &lane); n++) {
        const struct {
            const char *outcome;
            uint64_t count;
        } outcomes[] = {
            {"forwarded", lane.forwarded}, {"retried", lane.retried}, {"parked", lane.parked}};

        for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
            exposition_number(e,
                              (struct exposition_label[]){{"destination", lane.destination},
                                                          {"outcome", outcomes[i].outcome}},
                              outcomes[i].count);
    }
}

typedef uint64_t lane_number(const struct lane_stats *lane);

static uint64_t sending(const struct lane_stats *lane)
{
    return lane->sending;
}

static uint64_t resting(const struct lane_stats *lane)
{
    return lane->resting;
}

static void write_lanes(const struct scrape *s, struct exposition *e, const char *name,
                        const char *help, lane_number *number)
{
    struct lane_stats lane;

    exposition_family(e, EXPOSITION_GAUGE, name, help);
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &lane); n++)
        exposition_number(
            e, (struct exposition_label[]){{"destination", lane.destination}, {NULL, NULL}},
            number(&lane));
}

static void write_durations(const struct scrape *s, struct exposition *e)
{
    struct lane_stats lane;

    exposition_family(e, EXPOSITION_COUNTER, "hookline_attempt_duration_seconds_total",
                      "Time that the attempts took, added up.");
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &lane); n++)
        exposition_seconds(
            e, (struct exposition_label[]){{"destination", lane.destination}, {NULL, NULL}},
            (int64_t)lane.took_us);
}

static void write_forwarder(const struct scrape *s, struct exposition *e)
{
    if (!forwarder_has_destinations(s->forwarder))
        return;
    write_outcomes(s, e);
    write_durations(s, e);
    write_lanes(s, e, "hookline_attempts_in_flight", "Attempts that are under way.", sending);
    write_lanes(s, e, "hookline_destination_resting",
                "1 if a destination that keeps failing is left alone for a while, else 0.",
                resting);
}

struct undelivered {
    const char *destination;
    struct backlog_result backlog;
};

static void write_states(struct exposition *e, const struct undelivered *all, size_t count)
{
    exposition_family(e, EXPOSITION_GAUGE, "hookline_undelivered_deliveries",
                      "Deliveries that a destination has not got, by state.");
    for (const struct undelivered *u = all; u < all + count; u++) {
        const struct {
            const char *state;
            int64_t count;
        } states[] = {{"waiting", u->backlog.waiting},
                      {"retrying", u->backlog.retrying},
                      {"parked", u->backlog.parked}};

        for (size_t n = 0; n < sizeof(states) / sizeof(states[0]); n++)
            exposition_number(e,
                              (struct exposition_label[]){{"destination", u->destination},
                                                          {"state", states[n].state}},
                              (uint64_t)states[n].count);
    }
}

static void write_ages(struct exposition *e, const struct undelivered *all, size_t count)
{
    int64_t now_us = clock_wall_us();

    exposition_family(e, EXPOSITION_GAUGE, "hookline_oldest_undelivered_age_seconds",
                      "Age of the oldest delivery that waits or is retried; 0 without one.");
    for (const struct undelivered *u = all; u < all + count; u++) {
        int64_t since_us = u->backlog.since_us;

        exposition_seconds(
            e, (struct exposition_label[]){{"destination", u->destination}, {NULL, NULL}},
            since_us == 0 || since_us > now_us ? 0 : now_us - since_us);
    }
}

/* Of the destinations that are configured: nobody forwards to the others. */
static int read_backlogs(const struct scrape *s, struct undelivered *all, size_t *count)
{
    int code = SQLITE_OK;

    *count = 0;
    for (size_t i = 0; i < standing_count(s->standing) && code == SQLITE_OK; i++) {
        struct undelivered *u = &all[*count];

        if (!standing_is_configured(s->standing, i))
            continue;
        ++*count;
        u->destination = standing_name(s->standing, i);
        code = backlog_read(s->backlog, standing_number(s->standing, i),
                            standing_cursor(s->standing, i), &u->backlog);
    }
    return code;
}

/* What cannot be read is left out: better no figure than a wrong one. */
static void write_backlogs(const struct scrape *s, struct exposition *e)
{
    struct undelivered *all;
    size_t count;

    if (!forwarder_has_destinations(s->forwarder) || standing_refresh(s->standing) != SQLITE_OK ||
        (all = calloc(standing_count(s->standing) + 1, sizeof(*all))) == NULL)
        return;
    if (read_backlogs(s, all, &count) == SQLITE_OK) {
        write_states(e, all, count);
        write_ages(e, all, count);
    }
    free(all);
}

void scrape_write(const struct scrape *s, struct exposition *e)
{
    write_process(s, e);
    write_entrances(s, e);
    write_certificates(s, e);
    write_ends(s, e);
    metrics_write(s->metrics, e);
    write_journal(s, e);
    write_store(s, e);
    write_forwarder(s, e);
    write_backlogs(s, e);
}
