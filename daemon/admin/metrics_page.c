/* SPDX-License-Identifier: MIT */
#include "daemon/admin/metrics_page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/admin/status.h"
#include "daemon/base/clock.h"
#include "daemon/forward/forwarder.h"
#include "daemon/http/connection.h"
#include "daemon/http/handshake.h"
#include "daemon/http/listener.h"
#include "daemon/log/metrics.h"
#include "daemon/log/prometheus.h"
#include "daemon/policy/listener_config.h"
#include "daemon/store/store.h"
#include "daemon/store/writer.h"

enum lag_statement {
    LAG_NEWEST,
    LAG_RETRYING,
    LAG_PARKED,
    LAG_OLDEST_UNSENT,
    LAG_OLDEST_WAITING,
    LAG_STATEMENTS,
};

static const char *const lag_sql[LAG_STATEMENTS] = {
    [LAG_NEWEST] = "SELECT seq FROM delivery WHERE seq>?1 ORDER BY seq DESC LIMIT 1",
    [LAG_RETRYING] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
                     " AND due_us IS NOT NULL LIMIT ?2)",
    [LAG_PARKED] = "SELECT count(*) FROM (SELECT 1 FROM unsent WHERE destination=?1"
                   " AND due_us IS NULL LIMIT ?2)",
    [LAG_OLDEST_UNSENT] =
        "SELECT received_us FROM delivery WHERE seq=(SELECT min(seq) FROM (SELECT seq"
        " FROM unsent WHERE destination=?1 AND due_us IS NOT NULL LIMIT ?2))",
    [LAG_OLDEST_WAITING] = "SELECT received_us FROM delivery WHERE seq>?1 ORDER BY seq LIMIT 1",
};

struct lag {
    sqlite3_stmt *of[LAG_STATEMENTS];
};

struct lag *lag_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct lag *b = calloc(1, sizeof(*b));
    int code = b == NULL ? SQLITE_NOMEM : SQLITE_OK;

    for (int i = 0; i < LAG_STATEMENTS && code == SQLITE_OK; i++)
        code = db_prepare(db, &b->of[i], lag_sql[i]);
    if (code != SQLITE_OK) {
        db_error_text(db, code, why);
        lag_close(&b);
    }
    return b;
}

void lag_close(struct lag **lag)
{
    free(*lag);
    *lag = NULL;
}

static int lag_query(struct lag *b, enum lag_statement which, int64_t about, int64_t *number)
{
    sqlite3_stmt *s = b->of[which];

    sqlite3_bind_int64(s, 1, about);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int64(s, 2, LAG_COUNTED_MAX);
    return db_query_number(s, number, 0);
}

/* Of the destination with that number and that cursor. SQLite's code. */
static int lag_read(struct lag *b, int64_t destination, int64_t cursor, struct lag_result *result)
{
    int64_t newest = 0, unsent_us = 0, waiting_us = 0;
    int code = lag_query(b, LAG_NEWEST, 0, &newest);

    if (code == SQLITE_OK)
        code = lag_query(b, LAG_RETRYING, destination, &result->retrying);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_PARKED, destination, &result->parked);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_OLDEST_UNSENT, destination, &unsent_us);
    if (code == SQLITE_OK)
        code = lag_query(b, LAG_OLDEST_WAITING, cursor, &waiting_us);
    result->waiting = newest > cursor ? newest - cursor : 0;
    result->since_us = unsent_us;
    if (unsent_us == 0 || (waiting_us != 0 && waiting_us < unsent_us))
        result->since_us = waiting_us;
    return code;
}

/* ---- readiness */

/* Of the disk that the store is on; -1 if nobody knows. */
static int64_t readiness_free_bytes(const char *path)
{
    struct statvfs disk;

    if (statvfs(path, &disk) != 0)
        return -1;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

static bool readiness_is_writable(const char *path, char *detail, size_t size)
{
    struct statvfs disk;

    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0 || statvfs(path, &disk) != 0) {
        snprintf(detail, size, "%s", strerror(errno));
        return false;
    }
    if ((disk.f_flag & ST_RDONLY) != 0) {
        snprintf(detail, size, "the disk is mounted read-only");
        return false;
    }
    return true;
}

void readiness_check(struct readiness *r, struct writer *writer, const char *path,
                     uint64_t free_bytes_min)
{
    int64_t free_bytes = readiness_free_bytes(path);
    struct writer_stats stats;

    writer_stats(writer, &stats);
    *r = (struct readiness){
        .writer_failed = !stats.healthy,
        .checks = {{.name = "journal", .good = stats.healthy},
                   {.name = "store"},
                   {.name = "disk",
                    .good = free_bytes >= 0 && (uint64_t)free_bytes >= free_bytes_min}},
    };
    if (!stats.healthy)
        snprintf(r->checks[0].detail, sizeof(r->checks[0].detail),
                 "the last transaction failed, see what hooklined said");
    r->checks[1].good =
        readiness_is_writable(path, r->checks[1].detail, sizeof(r->checks[1].detail));
    snprintf(r->checks[2].detail, sizeof(r->checks[2].detail),
             "%" PRId64 " bytes are free, expected %" PRIu64, free_bytes, free_bytes_min);
    r->ready = r->checks[0].good && r->checks[1].good && r->checks[2].good;
}

/* ---- scrape */

static void metrics_page_gauge(struct prometheus *e, const char *name, const char *help,
                               uint64_t number)
{
    prometheus_family(e, PROMETHEUS_GAUGE, name, help);
    prometheus_number(e, NULL, number);
}

static void metrics_page_counter(struct prometheus *e, const char *name, const char *help,
                                 uint64_t number)
{
    prometheus_family(e, PROMETHEUS_COUNTER, name, help);
    prometheus_number(e, NULL, number);
}

static void metrics_page_process(const struct metrics_page *s, struct prometheus *e)
{
    prometheus_family(e, PROMETHEUS_GAUGE, "hookline_build_info", "The version that runs.");
    prometheus_number(e, (struct prometheus_label[]){{"version", s->version}, {NULL, NULL}}, 1);
    prometheus_family(e, PROMETHEUS_GAUGE, "hookline_start_time_seconds",
                      "When the process started, in seconds since 1970.");
    prometheus_seconds(e, NULL, s->start_us);
    metrics_page_gauge(e, "hookline_connections", "Connections of senders that are open.",
                       listener_connections(s->listener));
}

/* Of a connection that gets no further there is no line. */
static void metrics_page_refused(const struct metrics_page *s, struct prometheus *e)
{
    prometheus_family(e, PROMETHEUS_COUNTER, "hookline_connections_refused_total",
                      "Connections that did not get as far as a request, by what was wrong.");
    for (int i = 0; i < HANDSHAKE_VERDICTS; i++) {
        const char *reason = handshake_verdict_name((enum handshake_verdict)i);

        if (reason != NULL)
            prometheus_number(e, (struct prometheus_label[]){{"reason", reason}, {NULL, NULL}},
                              listener_refused(s->listener, (enum handshake_verdict)i));
    }
}

static void metrics_page_certificates(const struct metrics_page *s, struct prometheus *e)
{
    const char *address;
    int64_t end_s;

    prometheus_family(e, PROMETHEUS_GAUGE, "hookline_tls_certificate_end_time_seconds",
                      "When the certificate of an address expires, in seconds since 1970.");
    for (size_t n = 0; listener_configs_certificate(s->listener_configs, n, &address, &end_s); n++)
        if (end_s >= 0)
            prometheus_number(e, (struct prometheus_label[]){{"address", address}, {NULL, NULL}},
                              (uint64_t)end_s);
}

static void metrics_page_ended(const struct metrics_page *s, struct prometheus *e)
{
    prometheus_family(e, PROMETHEUS_COUNTER, "hookline_connections_ended_total",
                      "Connections that a limit has ended, by which.");
    for (int i = 0; i < CONNECTION_ENDS; i++)
        prometheus_number(
            e,
            (struct prometheus_label[]){{"reason", connection_end_name((enum connection_end)i)},
                                        {NULL, NULL}},
            listener_ended(s->listener, (enum connection_end)i));
}

static void metrics_page_writer(const struct metrics_page *s, struct prometheus *e)
{
    struct writer_stats stats;

    writer_stats(store_writer(s->store), &stats);
    metrics_page_counter(e, "hookline_journal_tasks_total", "Tasks that became durable.",
                         stats.tasks);
    metrics_page_counter(e, "hookline_journal_failed_commits_total", "Transactions that failed.",
                         stats.failed_commits);
    prometheus_family(e, PROMETHEUS_HISTOGRAM, "hookline_journal_commit_duration_seconds",
                      "What the transactions took, to the end of their fsync.");
    prometheus_histogram(e, NULL, WRITER_BUCKETS_US, stats.commit_buckets, stats.commit_us);
    metrics_page_gauge(e, "hookline_journal_queue_bytes", "Bytes that wait for a transaction.",
                       stats.queued_bytes);
    metrics_page_gauge(e, "hookline_journal_healthy",
                       "0 from a failed transaction until one has written, else 1.", stats.healthy);
}

static void metrics_page_store(const struct metrics_page *s, struct prometheus *e)
{
    int64_t bytes = db_bytes(s->db);
    int64_t free_bytes = readiness_free_bytes(db_path(s->db));

    metrics_page_gauge(e, "hookline_store_bytes", "Bytes that the store takes.",
                       bytes < 0 ? 0 : (uint64_t)bytes);
    metrics_page_gauge(e, "hookline_store_free_bytes",
                       "Bytes that are free on the disk of the store.",
                       free_bytes < 0 ? 0 : (uint64_t)free_bytes);
    metrics_page_counter(
        e, "hookline_store_expired_deliveries_total",
        "Deliveries that were deleted because they were old, or the store too large.",
        store_expired_count(s->store));
}

/* ---- destinations */

static void metrics_page_outcomes(const struct metrics_page *s, struct prometheus *e)
{
    struct queue_stats queue;

    prometheus_family(e, PROMETHEUS_COUNTER, "hookline_attempts_total",
                      "Attempts to forward, by what followed.");
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &queue); n++) {
        const struct {
            const char *outcome;
            uint64_t count;
        } outcomes[] = {
            {verdict_word(VERDICT_FORWARDED), queue.forwarded},
            {verdict_word(VERDICT_RETRIED), queue.retried},
            {verdict_word(VERDICT_PARKED), queue.parked},
        };

        for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
            prometheus_number(e,
                              (struct prometheus_label[]){{"destination", queue.destination},
                                                          {"outcome", outcomes[i].outcome}},
                              outcomes[i].count);
    }
}

typedef uint64_t lane_number(const struct queue_stats *queue);

static uint64_t metrics_page_sending(const struct queue_stats *queue)
{
    return queue->sending;
}

static uint64_t metrics_page_resting(const struct queue_stats *queue)
{
    return queue->resting;
}

static void metrics_page_queues(const struct metrics_page *s, struct prometheus *e,
                                const char *name, const char *help, lane_number *number)
{
    struct queue_stats queue;

    prometheus_family(e, PROMETHEUS_GAUGE, name, help);
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &queue); n++)
        prometheus_number(
            e, (struct prometheus_label[]){{"destination", queue.destination}, {NULL, NULL}},
            number(&queue));
}

static void metrics_page_durations(const struct metrics_page *s, struct prometheus *e)
{
    struct queue_stats queue;

    prometheus_family(e, PROMETHEUS_COUNTER, "hookline_attempt_duration_seconds_total",
                      "Time that the attempts took, added up.");
    for (size_t n = 0; forwarder_stats(s->forwarder, n, &queue); n++)
        prometheus_seconds(
            e, (struct prometheus_label[]){{"destination", queue.destination}, {NULL, NULL}},
            (int64_t)queue.took_us);
}

static void metrics_page_forwarder(const struct metrics_page *s, struct prometheus *e)
{
    if (!forwarder_has_destinations(s->forwarder))
        return;
    metrics_page_outcomes(s, e);
    metrics_page_durations(s, e);
    metrics_page_queues(s, e, "hookline_attempts_in_flight", "Attempts that are under way.",
                        metrics_page_sending);
    metrics_page_queues(s, e, "hookline_destination_resting",
                        "1 if a destination that keeps failing is left alone for a while, else 0.",
                        metrics_page_resting);
}

struct metrics_page_lag {
    const char *destination;
    struct lag_result lag;
};

static void metrics_page_lag_states(struct prometheus *e, const struct metrics_page_lag *all,
                                    size_t count)
{
    prometheus_family(e, PROMETHEUS_GAUGE, "hookline_undelivered_deliveries",
                      "Deliveries that a destination has not got, by state.");
    for (const struct metrics_page_lag *u = all; u < all + count; u++) {
        const struct {
            const char *state;
            int64_t count;
        } states[] = {
            {"waiting", u->lag.waiting}, {"retrying", u->lag.retrying}, {"parked", u->lag.parked}};

        for (size_t n = 0; n < sizeof(states) / sizeof(states[0]); n++)
            prometheus_number(e,
                              (struct prometheus_label[]){{"destination", u->destination},
                                                          {"state", states[n].state}},
                              (uint64_t)states[n].count);
    }
}

static void metrics_page_lag_ages(struct prometheus *e, const struct metrics_page_lag *all,
                                  size_t count)
{
    int64_t now_us = clock_wall_us();

    prometheus_family(e, PROMETHEUS_GAUGE, "hookline_oldest_undelivered_age_seconds",
                      "Age of the oldest delivery that waits or is retried; 0 without one.");
    for (const struct metrics_page_lag *u = all; u < all + count; u++) {
        int64_t since_us = u->lag.since_us;

        prometheus_seconds(
            e, (struct prometheus_label[]){{"destination", u->destination}, {NULL, NULL}},
            since_us == 0 || since_us > now_us ? 0 : now_us - since_us);
    }
}

/* Of the destinations that are configured: nobody forwards to the others. */
static int metrics_page_read_lags(const struct metrics_page *s, struct metrics_page_lag *all,
                                  size_t *count)
{
    int code = SQLITE_OK;

    *count = 0;
    for (size_t i = 0; i < status_count(s->status) && code == SQLITE_OK; i++) {
        struct metrics_page_lag *u = &all[*count];

        if (!status_is_configured(s->status, i))
            continue;
        ++*count;
        u->destination = status_destination_name(s->status, i);
        code = lag_read(s->lag, status_destination_number(s->status, i),
                        status_destination_cursor(s->status, i), &u->lag);
    }
    return code;
}

/* What cannot be read is left out: better no figure than a wrong one. */
static void metrics_page_lags(const struct metrics_page *s, struct prometheus *e)
{
    struct metrics_page_lag *all;
    size_t count;

    if (!forwarder_has_destinations(s->forwarder) || status_refresh(s->status) != SQLITE_OK ||
        (all = calloc(status_count(s->status) + 1, sizeof(*all))) == NULL)
        return;
    if (metrics_page_read_lags(s, all, &count) == SQLITE_OK) {
        metrics_page_lag_states(e, all, count);
        metrics_page_lag_ages(e, all, count);
    }
    free(all);
}

void metrics_page_write(const struct metrics_page *s, struct prometheus *e)
{
    metrics_page_process(s, e);
    metrics_page_refused(s, e);
    metrics_page_certificates(s, e);
    metrics_page_ended(s, e);
    metrics_write(s->metrics, e);
    metrics_page_writer(s, e);
    metrics_page_store(s, e);
    metrics_page_forwarder(s, e);
    metrics_page_lags(s, e);
}
