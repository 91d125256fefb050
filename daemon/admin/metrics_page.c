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
#include "daemon/base/message.h"
#include "daemon/forward/forwarder.h"
#include "daemon/http/connection.h"
#include "daemon/http/handshake.h"
#include "daemon/http/listener.h"
#include "daemon/log/metrics.h"
#include "daemon/log/prometheus.h"
#include "daemon/policy/listener_config.h"
#include "daemon/store/damage.h"
#include "daemon/store/store.h"
#include "daemon/store/writer.h"

/* ---- lag */

enum lag_statement {
    LAG_RETRYING,
    LAG_PARKED,
    LAG_OLDEST_UNSENT,
    LAG_OLDEST_WAITING,
    LAG_STATEMENTS,
};

static const char *const lag_sql[LAG_STATEMENTS] = {
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
    struct db *db;
    sqlite3_stmt *of[LAG_STATEMENTS];
};

struct lag *lag_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct lag *lag = calloc(1, sizeof(*lag));
    int code = lag == NULL ? SQLITE_NOMEM : SQLITE_OK;

    for (int i = 0; i < LAG_STATEMENTS && code == SQLITE_OK; i++)
        code = db_prepare(db, &lag->of[i], lag_sql[i]);
    if (code != SQLITE_OK) {
        db_error_text(db, code, why);
        lag_close(&lag);
    } else {
        lag->db = db;
    }
    return lag;
}

void lag_close(struct lag **lag)
{
    free(*lag);
    *lag = NULL;
}

/* A damaged page yields 0, so that one delivery hides no other. */
static int lag_query(struct lag *lag, enum lag_statement which, int64_t about, int64_t *number)
{
    sqlite3_stmt *s = lag->of[which];
    int code;

    sqlite3_bind_int64(s, 1, about);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int64(s, 2, LAG_COUNTED_MAX);
    code = db_query_number(s, number, 0);
    return damage_is(code) ? SQLITE_OK : code;
}

/* Reads the lag of one destination, from its number and low-water mark. Returns SQLite's code. */
static int lag_read(struct lag *lag, int64_t destination, int64_t cursor, struct lag_result *result)
{
    int64_t newest = 0, unsent_us = 0, waiting_us = 0;
    int code = damage_newest(lag->db, &newest);

    if (code == SQLITE_OK)
        code = lag_query(lag, LAG_RETRYING, destination, &result->retrying);
    if (code == SQLITE_OK)
        code = lag_query(lag, LAG_PARKED, destination, &result->parked);
    if (code == SQLITE_OK)
        code = lag_query(lag, LAG_OLDEST_UNSENT, destination, &unsent_us);
    if (code == SQLITE_OK)
        code = lag_query(lag, LAG_OLDEST_WAITING, cursor, &waiting_us);
    result->waiting = newest > cursor ? newest - cursor : 0;
    result->since_us = unsent_us;
    if (unsent_us == 0 || (waiting_us != 0 && waiting_us < unsent_us))
        result->since_us = waiting_us;
    return code;
}

/* ---- readiness */

/* Returns the free bytes on the disk of the store; -1 if statvfs() fails. */
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

/* Tells about damage in the store, as text for people; true if none is known. */
static bool readiness_is_whole(struct db *db, const struct writer_stats *stats,
                               const struct forwarder *forwarder, char *detail, size_t size)
{
    int64_t damaged;
    int code = damage_count(db, &damaged);

    if (damaged > 0)
        snprintf(detail, size,
                 "%" PRId64 " damaged deliveries; see hookline store check, and THE STORE in "
                 "hooklined(8)",
                 damaged);
    else if (code != SQLITE_OK || stats->damaged || !forwarder_can_read(forwarder))
        snprintf(detail, size, "a page of the store cannot be read; see hookline store check");
    return detail[0] == '\0';
}

void readiness_check(struct readiness *r, struct writer *writer, const struct forwarder *forwarder,
                     struct db *db, uint64_t free_bytes_min)
{
    const char *path = db_path(db);
    int64_t free_bytes = readiness_free_bytes(path);
    struct writer_stats stats;

    writer_stats(writer, &stats);
    *r = (struct readiness){
        .writer_failed = !stats.healthy,
        .checks = {{.name = "journal", .good = stats.healthy},
                   {.name = "store"},
                   {.name = "disk",
                    .good = free_bytes >= 0 && (uint64_t)free_bytes >= free_bytes_min},
                   {.name = "content"}},
    };
    if (stats.displaced != NULL)
        snprintf(r->checks[0].detail, sizeof(r->checks[0].detail), "%s; restart hooklined",
                 stats.displaced);
    else if (!stats.healthy)
        snprintf(r->checks[0].detail, sizeof(r->checks[0].detail),
                 "the last transaction failed; see the messages of hooklined");
    r->checks[1].good =
        readiness_is_writable(path, r->checks[1].detail, sizeof(r->checks[1].detail));
    snprintf(r->checks[2].detail, sizeof(r->checks[2].detail),
             "%" PRId64 " bytes free, expected %" PRIu64 " or more", free_bytes, free_bytes_min);
    r->checks[3].good =
        readiness_is_whole(db, &stats, forwarder, r->checks[3].detail, sizeof(r->checks[3].detail));
    r->ready = r->checks[0].good && r->checks[1].good && r->checks[2].good && r->checks[3].good;
}

/* ---- metrics of the process */

static void metrics_page_gauge(struct prometheus *out, const char *name, const char *help,
                               uint64_t number)
{
    prometheus_family(out, PROMETHEUS_GAUGE, name, help);
    prometheus_number(out, NULL, number);
}

static void metrics_page_counter(struct prometheus *out, const char *name, const char *help,
                                 uint64_t number)
{
    prometheus_family(out, PROMETHEUS_COUNTER, name, help);
    prometheus_number(out, NULL, number);
}

static void metrics_page_process(const struct metrics_page *page, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_build_info", "Version of hooklined.");
    prometheus_number(out, (struct prometheus_label[]){{"version", page->version}, {NULL, NULL}},
                      1);
    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_start_time_seconds",
                      "Start time of the process, in seconds since 1970.");
    prometheus_seconds(out, NULL, page->start_us);
    metrics_page_counter(out, "hookline_messages_lost_total",
                         "Messages that standard error did not take.", message_lost());
    metrics_page_gauge(out, "hookline_connections", "Open connections of senders.",
                       listener_connections(page->listener));
    metrics_page_gauge(out, "hookline_request_bytes",
                       "Memory of unfinished requests, of limits.bodies_bytes.",
                       listener_request_bytes(page->listener));
}

/* A connection that fails before a request has no log line, so a counter is its only trace. */
static void metrics_page_refused(const struct metrics_page *page, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_connections_refused_total",
                      "Connections that failed before a request, by reason.");
    for (int i = 0; i < HANDSHAKE_VERDICTS; i++) {
        const char *reason = handshake_verdict_name((enum handshake_verdict)i);

        if (reason != NULL)
            prometheus_number(out, (struct prometheus_label[]){{"reason", reason}, {NULL, NULL}},
                              listener_refused(page->listener, (enum handshake_verdict)i));
    }
}

static void metrics_page_certificates(const struct metrics_page *page, struct prometheus *out)
{
    const char *address;
    int64_t end_s;

    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_tls_certificate_end_time_seconds",
                      "Expiry of the certificate of an address, in seconds since 1970.");
    for (size_t n = 0; listener_configs_certificate(page->listener_configs, n, &address, &end_s);
         n++)
        if (end_s >= 0)
            prometheus_number(out, (struct prometheus_label[]){{"address", address}, {NULL, NULL}},
                              (uint64_t)end_s);
}

static void metrics_page_ended(const struct metrics_page *page, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_connections_ended_total",
                      "Connections ended by a limit, by reason.");
    for (int i = 0; i < CONNECTION_ENDS; i++)
        prometheus_number(
            out,
            (struct prometheus_label[]){{"reason", connection_end_name((enum connection_end)i)},
                                        {NULL, NULL}},
            listener_ended(page->listener, (enum connection_end)i));
}

static void metrics_page_writer(const struct metrics_page *page, struct prometheus *out)
{
    struct writer_stats stats;

    writer_stats(store_writer(page->store), &stats);
    metrics_page_counter(out, "hookline_journal_tasks_total", "Tasks that became durable.",
                         stats.tasks);
    metrics_page_counter(out, "hookline_journal_failed_commits_total", "Failed transactions.",
                         stats.failed_commits);
    prometheus_family(out, PROMETHEUS_HISTOGRAM, "hookline_journal_commit_duration_seconds",
                      "Duration of transactions, fsync included.");
    prometheus_histogram(out, NULL, WRITER_BUCKETS_US, stats.commit_buckets, stats.commit_us);
    metrics_page_gauge(out, "hookline_journal_queue_bytes", "Bytes queued for a transaction.",
                       stats.queued_bytes);
    metrics_page_gauge(out, "hookline_journal_healthy",
                       "0 from a failed transaction until the next success, else 1.",
                       stats.healthy);
}

static void metrics_page_store_sizes(const struct metrics_page *page, struct prometheus *out)
{
    const struct {
        const char *file;
        int64_t bytes;
    } files[] = {{"db", db_bytes(page->db)}, {"wal", db_wal_bytes(page->db)}};
    int64_t free_bytes = readiness_free_bytes(db_path(page->db));

    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_store_bytes",
                      "Size of the store in bytes: the database without free pages, and its WAL.");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        prometheus_number(out, (struct prometheus_label[]){{"file", files[i].file}, {NULL, NULL}},
                          files[i].bytes < 0 ? 0 : (uint64_t)files[i].bytes);
    metrics_page_gauge(out, "hookline_store_free_bytes", "Free bytes on the disk of the store.",
                       free_bytes < 0 ? 0 : (uint64_t)free_bytes);
    metrics_page_gauge(out, "hookline_store_limit_bytes",
                       "store.max_bytes; 0 without a limit. Deliveries in use may exceed it.",
                       (uint64_t)store_max_bytes(page->store));
}

static void metrics_page_store(const struct metrics_page *page, struct prometheus *out)
{
    struct writer_stats stats;
    int64_t damaged;
    int code = damage_count(page->db, &damaged);

    writer_stats(store_writer(page->store), &stats);
    metrics_page_store_sizes(page, out);
    metrics_page_counter(out, "hookline_store_expired_deliveries_total",
                         "Deliveries deleted because of their age or the size of the store.",
                         store_expired_count(page->store));
    metrics_page_gauge(out, "hookline_store_damaged_deliveries",
                       "Deliveries that the store can no longer read.", (uint64_t)damaged);
    metrics_page_gauge(out, "hookline_store_damaged",
                       "1 if a delivery or another page of the store is damaged, else 0.",
                       damaged > 0 || code != SQLITE_OK || stats.damaged ||
                           !forwarder_can_read(page->forwarder));
    metrics_page_gauge(out, "hookline_store_displaced",
                       "1 once the files at the store's path are not the open ones, else 0.",
                       stats.displaced != NULL);
}

/* ---- metrics of destinations */

static void metrics_page_outcomes(const struct metrics_page *page, struct prometheus *out)
{
    struct queue_stats queue;

    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_attempts_total",
                      "Attempts to forward, by outcome.");
    for (size_t n = 0; forwarder_stats(page->forwarder, n, &queue); n++) {
        const struct {
            const char *outcome;
            uint64_t count;
        } outcomes[] = {
            {verdict_word(VERDICT_FORWARDED), queue.forwarded},
            {verdict_word(VERDICT_RETRIED), queue.retried},
            {verdict_word(VERDICT_PARKED), queue.parked},
        };

        for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
            prometheus_number(out,
                              (struct prometheus_label[]){{"destination", queue.destination},
                                                          {"outcome", outcomes[i].outcome}},
                              outcomes[i].count);
    }
}

typedef uint64_t queue_gauge(const struct queue_stats *queue);

static uint64_t metrics_page_sending(const struct queue_stats *queue)
{
    return queue->sending;
}

static uint64_t metrics_page_resting(const struct queue_stats *queue)
{
    return queue->resting;
}

static void metrics_page_queues(const struct metrics_page *page, struct prometheus *out,
                                const char *name, const char *help, queue_gauge *number)
{
    struct queue_stats queue;

    prometheus_family(out, PROMETHEUS_GAUGE, name, help);
    for (size_t n = 0; forwarder_stats(page->forwarder, n, &queue); n++)
        prometheus_number(
            out, (struct prometheus_label[]){{"destination", queue.destination}, {NULL, NULL}},
            number(&queue));
}

static void metrics_page_refusals(const struct metrics_page *page, struct prometheus *out)
{
    struct queue_stats queue;

    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_attempts_refused_total",
                      "Attempts after which the destination was paused, because it answered 429.");
    for (size_t n = 0; forwarder_stats(page->forwarder, n, &queue); n++)
        prometheus_number(
            out, (struct prometheus_label[]){{"destination", queue.destination}, {NULL, NULL}},
            queue.refused);
}

static void metrics_page_durations(const struct metrics_page *page, struct prometheus *out)
{
    struct queue_stats queue;

    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_attempt_duration_seconds_total",
                      "Total duration of attempts.");
    for (size_t n = 0; forwarder_stats(page->forwarder, n, &queue); n++)
        prometheus_seconds(
            out, (struct prometheus_label[]){{"destination", queue.destination}, {NULL, NULL}},
            (int64_t)queue.took_us);
}

static void metrics_page_forwarder(const struct metrics_page *page, struct prometheus *out)
{
    if (!forwarder_has_destinations(page->forwarder))
        return;
    metrics_page_outcomes(page, out);
    metrics_page_refusals(page, out);
    metrics_page_durations(page, out);
    metrics_page_queues(page, out, "hookline_attempts_in_flight", "Running attempts.",
                        metrics_page_sending);
    metrics_page_queues(page, out, "hookline_destination_resting",
                        "1 while a failing or refusing destination is paused, else 0.",
                        metrics_page_resting);
}

struct metrics_page_lag {
    const char *destination;
    struct lag_result lag;
};

static void metrics_page_lag_states(struct prometheus *out, const struct metrics_page_lag *all,
                                    size_t count)
{
    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_undelivered_deliveries",
                      "Deliveries that a destination has not received, by state.");
    for (const struct metrics_page_lag *one = all; one < all + count; one++) {
        const struct {
            const char *state;
            int64_t count;
        } states[] = {{"waiting", one->lag.waiting},
                      {"retrying", one->lag.retrying},
                      {"parked", one->lag.parked}};

        for (size_t n = 0; n < sizeof(states) / sizeof(states[0]); n++)
            prometheus_number(out,
                              (struct prometheus_label[]){{"destination", one->destination},
                                                          {"state", states[n].state}},
                              (uint64_t)states[n].count);
    }
}

static void metrics_page_lag_ages(struct prometheus *out, const struct metrics_page_lag *all,
                                  size_t count)
{
    int64_t now_us = clock_wall_us();

    prometheus_family(out, PROMETHEUS_GAUGE, "hookline_oldest_undelivered_age_seconds",
                      "Age of the oldest waiting or retrying delivery; 0 if none.");
    for (const struct metrics_page_lag *one = all; one < all + count; one++) {
        int64_t since_us = one->lag.since_us;

        prometheus_seconds(
            out, (struct prometheus_label[]){{"destination", one->destination}, {NULL, NULL}},
            since_us == 0 || since_us > now_us ? 0 : now_us - since_us);
    }
}

/* Reads the lags of configured destinations; removed destinations get no deliveries. */
static int metrics_page_read_lags(const struct metrics_page *page, struct metrics_page_lag *all,
                                  size_t *count)
{
    int code = SQLITE_OK;

    *count = 0;
    for (size_t i = 0; i < status_count(page->status) && code == SQLITE_OK; i++) {
        struct metrics_page_lag *one = &all[*count];

        if (!status_is_configured(page->status, i))
            continue;
        ++*count;
        one->destination = status_destination_name(page->status, i);
        code = lag_read(page->lag, status_destination_number(page->status, i),
                        status_destination_cursor(page->status, i), &one->lag);
    }
    return code;
}

/* Omits the lags if a read fails, because a missing number is better than a wrong one. */
static void metrics_page_lags(const struct metrics_page *page, struct prometheus *out)
{
    struct metrics_page_lag *all;
    size_t count;

    if (!forwarder_has_destinations(page->forwarder) || status_refresh(page->status) != SQLITE_OK ||
        (all = calloc(status_count(page->status) + 1, sizeof(*all))) == NULL)
        return;
    if (metrics_page_read_lags(page, all, &count) == SQLITE_OK) {
        metrics_page_lag_states(out, all, count);
        metrics_page_lag_ages(out, all, count);
    }
    free(all);
}

void metrics_page_write(const struct metrics_page *page, struct prometheus *out)
{
    metrics_page_process(page, out);
    metrics_page_refused(page, out);
    metrics_page_certificates(page, out);
    metrics_page_ended(page, out);
    metrics_write(page->metrics, out);
    metrics_page_writer(page, out);
    metrics_page_store(page, out);
    metrics_page_forwarder(page, out);
    metrics_page_lags(page, out);
}
