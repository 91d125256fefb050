/* SPDX-License-Identifier: MIT
 *
 * Live observation: metrics and the feed.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/feed.h"
#include "daemon/log/metrics.h"
#include "daemon/log/prometheus.h"
#include "tests/run.h"

/* ---- metrics */

static char *text_of(struct prometheus *e)
{
    char *text = strndup(e->text.base, e->text.len);

    ck_assert(e->text.failure == BUFFER_NO_FAILURE);
    prometheus_free(e);
    return text;
}

START_TEST(a_family_is_announced_and_labels_are_escaped)
{
    const int64_t bounds[] = {250, 1000000, INT64_MAX};
    const uint64_t counts[] = {1, 2, 3};
    struct prometheus e = {0};
    char *text;

    prometheus_family(&e, PROMETHEUS_GAUGE, "a", "What it is.");
    prometheus_number(&e, NULL, UINT64_MAX);
    prometheus_number(&e, (struct prometheus_label[]){{"x", "\"\\\n{}"}, {"y", ""}}, 0);
    prometheus_seconds(&e, NULL, 1500000);
    prometheus_seconds(&e, NULL, -1);
    prometheus_seconds(&e, NULL, 0);
    prometheus_family(&e, PROMETHEUS_HISTOGRAM, "b", "H.");
    prometheus_histogram(&e, (struct prometheus_label[]){{"x", "1"}, {NULL, NULL}}, bounds, counts,
                         12345678);
    text = text_of(&e);
    ck_assert_str_eq(text, "# HELP a What it is.\n# TYPE a gauge\na 18446744073709551615\n"
                           "a{x=\"\\\"\\\\\\n{}\",y=\"\"} 0\na 1.5\na -0.000001\na 0\n"
                           "# HELP b H.\n# TYPE b histogram\n"
                           "b_bucket{x=\"1\",le=\"0.00025\"} 1\nb_bucket{x=\"1\",le=\"1\"} 3\n"
                           "b_bucket{x=\"1\",le=\"+Inf\"} 6\nb_sum{x=\"1\"} 12.345678\n"
                           "b_count{x=\"1\"} 6\n");
    free(text);
}
END_TEST

enum {
    COUNTED = 20000
};

static struct metrics_source *counted;

static void *count_many(void *metrics)
{
    static const char *const reasons[] = {"one", "two", "three"};

    for (int i = 0; i < COUNTED; i++)
        metrics_count(metrics, &(struct metrics_delivery){.source = counted,
                                                          .verdict = VERDICT_REFUSED,
                                                          .reason = reasons[i % 3],
                                                          .bytes = 2,
                                                          .duration_us = i});
    return NULL;
}

START_TEST(threads_count_at_the_same_time_and_nothing_is_missing)
{
    struct metrics *m = metrics_new();
    struct prometheus e = {0};
    pthread_t threads[4];
    char *text;

    metrics_source(m, "a");
    counted = metrics_source(m, "b");
    for (int i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, count_many, m);
    for (int i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    metrics_write(m, &e);
    text = text_of(&e);
    ck_assert(strstr(text, "hookline_deliveries_total{source=\"b\",verdict=\"refused\"} 80000\n"));
    ck_assert(strstr(text, "hookline_deliveries_total{source=\"a\",verdict=\"refused\"} 0\n"));
    ck_assert(strstr(text, "hookline_received_bytes_total{source=\"b\"} 160000\n"));
    ck_assert(strstr(text, "{source=\"b\",reason=\"one\"} 26668\n"));
    ck_assert(strstr(text, "{source=\"b\",reason=\"two\"} 26668\n"));
    ck_assert(strstr(text, "{source=\"b\",reason=\"three\"} 26664\n"));
    ck_assert(strstr(text, "hookline_request_duration_seconds_count{source=\"b\"} 80000\n"));
    free(text);
    metrics_free(&m);
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(more_reasons_than_there_is_room_for_are_not_written)
{
    struct metrics *m = metrics_new();
    struct prometheus e = {0};
    char names[100][8], *text;
    size_t reasons = 0;

    for (int i = 0; i < COUNT(names); i++) {
        snprintf(names[i], sizeof(names[i]), "r%d", i);
        metrics_count(m, &(struct metrics_delivery){
                             .source = NULL, .verdict = VERDICT_FAILED, .reason = names[i]});
    }
    metrics_write(m, &e);
    text = text_of(&e);
    for (const char *at = text; (at = strstr(at, "reason=")) != NULL; at++)
        reasons++;
    ck_assert_uint_eq(reasons, 48);
    ck_assert(strstr(text, "hookline_deliveries_total{source=\"\",verdict=\"failed\"} 100\n"));
    free(text);
    metrics_free(&m);
}
END_TEST

/* ---- feed */

static void publish(struct feed *feed, const char *source, enum verdict verdict, const char *text)
{
    feed_post(feed, &(struct feed_line){source, source == NULL ? 0 : strlen(source), verdict, text,
                                        strlen(text)});
}

static bool is_readable(const struct feed *feed)
{
    struct pollfd fd = {.fd = feed_descriptor(feed), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

/* The next line, or "". */
static const char *next(struct feed *feed, struct feed_watcher *watcher, uint64_t *lost)
{
    static char copy[64];
    char *line;
    size_t len;

    feed_take(feed, watcher, &line, &len, lost);
    snprintf(copy, sizeof(copy), "%.*s", line == NULL ? 0 : (int)len, line == NULL ? "" : line);
    free(line);
    return copy;
}

START_TEST(who_watches_gets_the_lines_from_then_on)
{
    struct feed *feed = feed_open();
    struct feed_watcher all = {0}, some = {.source = "foil", .verdict = VERDICT_STORED};
    uint64_t lost = 0;

    publish(feed, "foil", VERDICT_STORED, "before\n");
    ck_assert(!feed_is_watched(feed) && !is_readable(feed));
    feed_watch(feed, &all);
    feed_watch(feed, &some);
    ck_assert(feed_is_watched(feed));
    publish(feed, "foil", VERDICT_REFUSED, "one\n");
    publish(feed, NULL, VERDICT_REFUSED, "two\n");
    publish(feed, "foil", VERDICT_STORED, "three\n");
    ck_assert(is_readable(feed));
    feed_clear_signal(feed);
    ck_assert(!is_readable(feed));
    ck_assert_str_eq(next(feed, &all, &lost), "one\n");
    ck_assert_str_eq(next(feed, &all, &lost), "two\n");
    ck_assert_str_eq(next(feed, &all, &lost), "three\n");
    ck_assert_str_eq(next(feed, &all, &lost), "");
    ck_assert_str_eq(next(feed, &some, &lost), "three\n");
    ck_assert_str_eq(next(feed, &some, &lost), "");
    publish(feed, NULL, VERDICT_REFUSED, "four\n");
    ck_assert(is_readable(feed));
    feed_unwatch(feed);
    ck_assert(feed_is_watched(feed));
    feed_unwatch(feed);
    ck_assert(!feed_is_watched(feed));
    ck_assert_uint_eq(lost, 0);
    feed_close(&feed);
}
END_TEST

START_TEST(who_is_slow_loses_the_oldest_lines_and_is_told_how_many)
{
    struct feed *feed = feed_open();
    struct feed_watcher watcher = {0};
    uint64_t lost = 0;
    char text[16];

    feed_watch(feed, &watcher);
    for (int i = 0; i < FEED_LINES + 10; i++) {
        snprintf(text, sizeof(text), "%d\n", i);
        publish(feed, "a", VERDICT_STORED, text);
    }
    ck_assert_str_eq(next(feed, &watcher, &lost), "10\n");
    ck_assert_uint_eq(lost, 10);
    ck_assert_str_eq(next(feed, &watcher, &lost), "11\n");
    ck_assert_uint_eq(lost, 10);
    feed_unwatch(feed);
    feed_close(&feed);
}
END_TEST

START_TEST(long_lines_push_others_out_and_the_longest_are_lost)
{
    static char text[FEED_BYTES + 2];
    struct feed *feed = feed_open();
    struct feed_watcher watcher = {0};
    struct feed_line line = {.verdict = VERDICT_STORED, .text = text, .len = FEED_BYTES / 2};
    uint64_t lost = 0;

    memset(text, 'x', sizeof(text));
    feed_watch(feed, &watcher);
    for (int i = 0; i < 3; i++)
        feed_post(feed, &line);
    ck_assert_str_ne(next(feed, &watcher, &lost), "");
    ck_assert_uint_eq(lost, 1);
    line.len = FEED_BYTES + 1;
    feed_post(feed, &line);
    publish(feed, "a", VERDICT_STORED, "short\n");
    ck_assert_str_ne(next(feed, &watcher, &lost), "");
    ck_assert_str_eq(next(feed, &watcher, &lost), "short\n");
    ck_assert_uint_eq(lost, 2);
    feed_unwatch(feed);
    feed_close(&feed);
}
END_TEST

static void *publish_many(void *feed)
{
    for (int i = 0; i < COUNTED; i++)
        publish(feed, "a", VERDICT_STORED, "line\n");
    return NULL;
}

START_TEST(every_line_is_read_or_counted_as_lost_whoever_publishes_meanwhile)
{
    struct feed *feed = feed_open();
    struct feed_watcher watcher = {0};
    uint64_t lost = 0, lines = 0;
    pthread_t threads[3];

    feed_watch(feed, &watcher);
    for (int i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, publish_many, feed);
    while (lines + lost < COUNTED * (uint64_t)COUNT(threads)) {
        struct pollfd fd = {.fd = feed_descriptor(feed), .events = POLLIN};

        ck_assert_int_eq(poll(&fd, 1, 60000), 1);
        feed_clear_signal(feed);
        while (next(feed, &watcher, &lost)[0] != '\0')
            lines++;
    }
    for (int i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(lines + lost, COUNTED * COUNT(threads));
    feed_unwatch(feed);
    feed_close(&feed);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("view");
    TCase *tc = tcase_create("units");

    tcase_add_test(tc, a_family_is_announced_and_labels_are_escaped);
    tcase_add_test(tc, threads_count_at_the_same_time_and_nothing_is_missing);
    tcase_add_test(tc, more_reasons_than_there_is_room_for_are_not_written);
    tcase_add_test(tc, who_watches_gets_the_lines_from_then_on);
    tcase_add_test(tc, who_is_slow_loses_the_oldest_lines_and_is_told_how_many);
    tcase_add_test(tc, long_lines_push_others_out_and_the_longest_are_lost);
    tcase_add_test(tc, every_line_is_read_or_counted_as_lost_whoever_publishes_meanwhile);
    suite_add_tcase(s, tc);
    return s;
}
