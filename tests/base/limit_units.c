/* SPDX-License-Identifier: MIT
 *
 * Limits: the rate of a source, hosts with many refusals (offenders), connections per host (crowd),
 * deadlines of requests. Tests pass the time as an argument, so no test waits.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/net.h"
#include "daemon/base/limit.h"
#include "daemon/http/connection.h"
#include "tests/run.h"

static const int64_t second = 1000000, start = 77 * 1000000;

/* ---- rate */

START_TEST(a_rate_takes_a_burst_and_then_one_at_a_time)
{
    struct rate r;

    rate_init(&r, 10, 5);
    ck_assert_int_eq(rate_wait_us(&r, start), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(rate_take(&r, start), 0);
    ck_assert_int_eq(rate_wait_us(&r, start), 100000);
    ck_assert_int_eq(rate_wait_us(&r, start + 99999), 1);
    ck_assert_int_eq(rate_wait_us(&r, start + 100000), 0);
    ck_assert_uint_eq(rate_take(&r, start), 1);
    ck_assert_uint_eq(rate_take(&r, start + 99999), 1);
    ck_assert_uint_eq(rate_take(&r, start + 100000), 0);
    ck_assert_uint_eq(rate_take(&r, start + 100000), 1);
}
END_TEST

START_TEST(who_was_quiet_for_a_year_has_saved_no_more_than_a_burst)
{
    struct rate r;
    int taken = 0;

    rate_init(&r, 1, 3);
    ck_assert_uint_eq(rate_take(&r, start), 0);
    while (rate_take(&r, start + 365 * 86400 * second) == 0)
        taken++;
    ck_assert_int_eq(taken, 3);
}
END_TEST

START_TEST(what_is_not_taken_does_not_put_off_what_comes_then)
{
    struct rate r;

    rate_init(&r, 1, 1);
    ck_assert_uint_eq(rate_take(&r, start), 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(rate_take(&r, start + second / 2), 1);
    ck_assert_uint_eq(rate_take(&r, start + second), 0);
}
END_TEST

START_TEST(a_rate_is_kept_over_time_also_where_it_does_not_divide_the_second)
{
    static const unsigned rates[] = {1, 3, 7, 60, 999, 1000000};
    struct rate r;
    unsigned taken = 0;

    rate_init(&r, rates[_i], 1);
    for (int64_t us = 0; us < 2 * second; us++)
        taken += rate_take(&r, start + us) == 0;
    ck_assert_uint_ge(taken * 1000ull, 2 * rates[_i] * 998ull); /* asked once a microsecond */
    ck_assert_uint_le(taken, 2 * rates[_i] + 1);
}
END_TEST

START_TEST(the_largest_rates_and_bursts_are_kept_at_any_time)
{
    static const struct {
        unsigned per_second, burst;
    } rates[] = {{RATE_MAX, RATE_MAX}, {1, RATE_MAX}, {RATE_MAX, 1}, {1, 1}};
    static const int64_t times[] = {0, 1, 100ll * 365 * 86400 * 1000000};
    struct rate r;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        unsigned taken = 0;

        rate_init(&r, rates[_i].per_second, rates[_i].burst);
        while (taken <= RATE_MAX && rate_take(&r, times[i]) == 0)
            taken++;
        ck_assert_uint_eq(taken, rates[_i].burst);
        ck_assert_uint_eq(rate_take(&r, times[i]), 1);
        ck_assert_uint_eq(rate_take(&r, times[i] + second), 0);
    }
}
END_TEST

START_TEST(who_has_read_the_clock_a_little_earlier_is_not_told_to_wait_for_long)
{
    struct rate r;

    rate_init(&r, 1, 1);
    ck_assert_uint_eq(rate_take(&r, start), 0);
    ck_assert_uint_eq(rate_take(&r, start - 1000), 2);
    rate_init(&r, 1000, 2);
    ck_assert_uint_eq(rate_take(&r, start), 0);
    ck_assert_uint_eq(rate_take(&r, start - 10), 1);
    ck_assert_uint_eq(rate_take(&r, start), 0);
}
END_TEST

enum {
    THREADS = 4,
    TRIES = 20000,
};

static void *take_many(void *data)
{
    struct rate *r = data;
    intptr_t taken = 0;

    for (int i = 0; i < TRIES; i++)
        taken += rate_take(r, start) == 0;
    return (void *)taken;
}

START_TEST(threads_take_no_more_of_a_rate_between_them_than_one_alone)
{
    pthread_t threads[THREADS];
    struct rate r;
    intptr_t taken = 0;

    rate_init(&r, 1, 12345);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, &r), 0);
    for (int i = 0; i < THREADS; i++) {
        void *one;

        pthread_join(threads[i], &one);
        taken += (intptr_t)one;
    }
    ck_assert_int_eq(taken, 12345);
}
END_TEST

/* ---- offenders */

static struct network_host host(const char *text)
{
    struct network_host h;

    ck_assert(network_host_read(text, strlen(text), &h));
    return h;
}

/* The nth host. */
static struct network_host host_number(unsigned n)
{
    char text[32];

    snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return host(text);
}

static struct refusal_limit *nobody(void)
{
    struct refusal_limit *all;

    ck_assert_int_ge(sodium_init(), 0);
    all = refusal_limit_new(start);
    ck_assert_ptr_nonnull(all);
    return all;
}

static void add(struct refusal_limit *all, const struct network_host *h, int times, int64_t now_us)
{
    for (int i = 0; i < times; i++)
        refusal_limit_add(all, h, "foil", now_us);
}

START_TEST(a_host_is_heard_until_its_last_refusal_and_again_after_the_minute)
{
    struct refusal_limit *all = nobody();
    struct network_host one = host("192.0.2.1"), other = host("192.0.2.2");

    add(all, &one, 2, start);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &one, "foil", 3, start), 0);
    add(all, &one, 1, start + 59 * second);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &one, "foil", 3, start + 59 * second), 1);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &other, "foil", 3, start + 59 * second), 0);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &one, "foil", 3, start + 60 * second), 0);
    add(all, &one, 2, start + 60 * second);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &one, "foil", 3, start + 60 * second), 0);
    add(all, &one, 1, start + 60 * second);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &one, "foil", 3, start + 60 * second), 60);
    refusal_limit_free(&all);
}
END_TEST

START_TEST(a_host_that_is_not_heard_at_one_source_is_heard_at_the_others)
{
    static const char *const others[] = {"", "bar", "foi", "foill"};
    struct refusal_limit *all = nobody();
    struct network_host h = host("192.0.2.1");

    add(all, &h, 3, start);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &h, "foil", 1, start), 60);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &h, others[_i], 1, start), 0);
    refusal_limit_add(all, &h, others[_i], start + second);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &h, others[_i], 1, start + second), 60);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &h, others[_i], 2, start + second), 0);
    refusal_limit_free(&all);
}
END_TEST

START_TEST(refusals_of_another_minute_do_not_count)
{
    struct refusal_limit *all = nobody();
    struct network_host h = host("192.0.2.1");

    for (int64_t at = start; at < start + 3600 * second; at += 30 * second) {
        refusal_limit_add(all, &h, "foil", at);
        ck_assert_uint_eq(refusal_limit_wait_s(all, &h, "foil", 3, at), 0);
    }
    refusal_limit_free(&all);
}
END_TEST

START_TEST(a_network_of_64_bits_is_one_host_of_ipv6)
{
    static const struct {
        const char *one, *other;
        bool same;
    } pairs[] = {
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "c000:201::", false}, /* the same bytes */
    };
    struct refusal_limit *all = nobody();
    struct network_host one = host(pairs[_i].one), other = host(pairs[_i].other);

    refusal_limit_add(all, &one, "foil", start);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &other, "foil", 1, start) > 0, pairs[_i].same);
    refusal_limit_free(&all);
}
END_TEST

enum {
    FLOOD = 1 << 19, /* four times the slots */
};

START_TEST(a_flood_of_hosts_neither_frees_the_worst_nor_harms_a_stranger)
{
    struct refusal_limit *all = nobody();
    int free = 0, harmed = 0;

    for (unsigned n = 0; n < 1000; n++) {
        struct network_host worst = host_number(n);

        add(all, &worst, 3, start);
    }
    for (unsigned n = 0; n < FLOOD; n++) {
        struct network_host h = host_number(1000000 + n);

        refusal_limit_add(all, &h, "foil", start + second);
    }
    for (unsigned n = 0; n < 1000; n++) {
        struct network_host worst = host_number(n), stranger = host_number(5000000 + n);

        free += refusal_limit_wait_s(all, &worst, "foil", 3, start + 2 * second) == 0;
        harmed += refusal_limit_wait_s(all, &stranger, "foil", 3, start + 2 * second) != 0;
    }
    ck_assert_int_eq(free, 0);
    ck_assert_int_eq(harmed, 0);
    refusal_limit_free(&all);
}
END_TEST

/* A handful of rented servers with a /48 each has a million networks. */
START_TEST(a_million_networks_of_ipv6_neither_free_the_worst_nor_harm_a_stranger)
{
    struct refusal_limit *all = nobody();
    struct network_host worst = host("2001:db8::1"), stranger = host("2001:db8:ffff:ffff::1");
    struct network_host h = host("2001:dba::1");

    add(all, &worst, 3, start);
    for (unsigned n = 0; n < 1 << 20; n++) {
        h.bytes[5] = (unsigned char)(n >> 16);
        h.bytes[6] = (unsigned char)(n >> 8);
        h.bytes[7] = (unsigned char)n;
        h.bytes[15] = (unsigned char)(n * 7);
        refusal_limit_add(all, &h, "foil", start + second);
        refusal_limit_add(all, &h, "", start + second);
    }
    ck_assert_uint_eq(refusal_limit_wait_s(all, &worst, "foil", 3, start + 2 * second), 58);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &stranger, "foil", 1, start + 2 * second), 0);
    refusal_limit_free(&all);
}
END_TEST

START_TEST(after_a_flood_of_the_worst_a_new_one_is_noticed)
{
    struct refusal_limit *all = nobody();
    struct network_host late = host("192.0.2.1");

    for (unsigned n = 0; n < FLOOD; n++) {
        struct network_host h = host_number(n);

        refusal_limit_add(all, &h, "foil", start);
    }
    refusal_limit_add(all, &late, "foil", start + second);
    ck_assert_uint_eq(refusal_limit_wait_s(all, &late, "foil", 1, start + second), 60);
    refusal_limit_free(&all);
}
END_TEST

static void *add_many(void *data)
{
    for (unsigned n = 0; n < TRIES; n++) {
        struct network_host h = host_number(n % 100);

        refusal_limit_add(data, &h, "foil", start);
    }
    return NULL;
}

START_TEST(threads_lose_no_refusal_and_count_none_twice)
{
    /* 200 by each thread, of each of 100 hosts. */
    const unsigned sum = THREADS * (TRIES / 100);
    struct refusal_limit *all = nobody();
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, all), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned n = 0; n < 100; n++) {
        struct network_host h = host_number(n);

        ck_assert_uint_eq(refusal_limit_wait_s(all, &h, "foil", sum + 1, start), 0);
        refusal_limit_add(all, &h, "foil", start);
        ck_assert_uint_eq(refusal_limit_wait_s(all, &h, "foil", sum + 1, start), 60);
    }
    refusal_limit_free(&all);
}
END_TEST

/* ---- crowd */

START_TEST(a_host_has_as_many_connections_as_came_and_did_not_leave)
{
    struct network_host one = host("2001:db8::1"), same = host("2001:db8::2"), other = host("::1");
    struct conn_count_slot places[3];
    struct conn_count *conn_count;

    ck_assert_int_ge(sodium_init(), 0);
    conn_count = conn_count_new();
    ck_assert_uint_eq(conn_count_add(conn_count, &one, &places[0]), 1);
    ck_assert_uint_eq(conn_count_add(conn_count, &same, &places[1]), 2);
    ck_assert_uint_eq(conn_count_add(conn_count, &other, &places[2]), 1);
    conn_count_remove(conn_count, &places[0]);
    conn_count_remove(conn_count, &places[2]);
    ck_assert_uint_eq(conn_count_add(conn_count, &one, &places[0]), 2);
    ck_assert_uint_eq(conn_count_add(conn_count, &other, &places[2]), 1);
    conn_count_free(&conn_count);
}
END_TEST

START_TEST(ten_thousand_connections_of_others_are_not_taken_for_those_of_a_stranger)
{
    struct conn_count_slot place;
    struct conn_count *conn_count;
    int strangers = 0;

    ck_assert_int_ge(sodium_init(), 0);
    conn_count = conn_count_new();
    for (unsigned n = 0; n < 10000; n++) {
        struct network_host h = host_number(n % 100);

        conn_count_add(conn_count, &h, &place);
    }
    for (unsigned n = 100; n < 10100; n++) {
        struct network_host h = host_number(n);

        strangers += conn_count_add(conn_count, &h, &place) > 50;
        conn_count_remove(conn_count, &place);
    }
    ck_assert_int_le(strangers, 1);
    conn_count_free(&conn_count);
}
END_TEST

/* ---- deadline */

START_TEST(each_phase_of_a_request_has_its_time_and_no_more)
{
    static const struct deadline_limits limits = {.header_s = 10, .body_s = 30, .idle_s = 60};
    static const struct {
        enum deadline_phase phase;
        int64_t seconds; /* 0: no deadline */
    } phases[] = {
        {DEADLINE_HANDSHAKE, 10}, {DEADLINE_IDLE, 60}, {DEADLINE_HEAD, 10},
        {DEADLINE_BODY, 30},      {DEADLINE_WORK, 0},  {DEADLINE_RESPONSE, 30},
        {DEADLINE_CLOSING, 2},
    };
    struct deadline d = {DEADLINE_CLOSING, 7, 0};
    int64_t end = start + phases[_i].seconds * second;

    deadline_enter(&d, phases[_i].phase, 8, start);
    for (int64_t at = start; at < end; at += second) {
        deadline_enter(&d, phases[_i].phase, 8, at);
        ck_assert(!deadline_is_over(&d, &limits, at));
    }
    ck_assert(!deadline_is_over(&d, &limits, end));
    ck_assert_int_eq(deadline_is_over(&d, &limits, end + 1), phases[_i].seconds > 0);
    ck_assert_int_eq(deadline_is_over(&d, &limits, INT64_MAX / 2), phases[_i].seconds > 0);
}
END_TEST

START_TEST(the_same_phase_of_another_request_has_its_time_anew)
{
    static const struct deadline_limits limits = {.header_s = 10, .body_s = 30, .idle_s = 60};
    struct deadline d = {DEADLINE_HEAD, 1, start};

    deadline_enter(&d, DEADLINE_HEAD, 1, start + 11 * second);
    ck_assert(deadline_is_over(&d, &limits, start + 11 * second));
    deadline_enter(&d, DEADLINE_HEAD, 2, start + 11 * second);
    ck_assert(!deadline_is_over(&d, &limits, start + 21 * second));
    ck_assert(deadline_is_over(&d, &limits, start + 21 * second + 1));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("guards");
    TCase *tc = tcase_create("guards");

    tcase_add_test(tc, a_rate_takes_a_burst_and_then_one_at_a_time);
    tcase_add_test(tc, who_was_quiet_for_a_year_has_saved_no_more_than_a_burst);
    tcase_add_test(tc, what_is_not_taken_does_not_put_off_what_comes_then);
    tcase_add_loop_test(tc, a_rate_is_kept_over_time_also_where_it_does_not_divide_the_second, 0,
                        6);
    tcase_add_loop_test(tc, the_largest_rates_and_bursts_are_kept_at_any_time, 0, 4);
    tcase_add_test(tc, who_has_read_the_clock_a_little_earlier_is_not_told_to_wait_for_long);
    tcase_add_test(tc, threads_take_no_more_of_a_rate_between_them_than_one_alone);
    tcase_add_test(tc, a_host_is_heard_until_its_last_refusal_and_again_after_the_minute);
    tcase_add_loop_test(tc, a_host_that_is_not_heard_at_one_source_is_heard_at_the_others, 0, 4);
    tcase_add_test(tc, refusals_of_another_minute_do_not_count);
    tcase_add_loop_test(tc, a_network_of_64_bits_is_one_host_of_ipv6, 0, 5);
    tcase_add_test(tc, a_flood_of_hosts_neither_frees_the_worst_nor_harms_a_stranger);
    tcase_add_test(tc, a_million_networks_of_ipv6_neither_free_the_worst_nor_harm_a_stranger);
    tcase_add_test(tc, after_a_flood_of_the_worst_a_new_one_is_noticed);
    tcase_add_test(tc, threads_lose_no_refusal_and_count_none_twice);
    tcase_add_test(tc, a_host_has_as_many_connections_as_came_and_did_not_leave);
    tcase_add_test(tc, ten_thousand_connections_of_others_are_not_taken_for_those_of_a_stranger);
    tcase_add_loop_test(tc, each_phase_of_a_request_has_its_time_and_no_more, 0, DEADLINE_PHASES);
    tcase_add_test(tc, the_same_phase_of_another_request_has_its_time_anew);
    suite_add_tcase(s, tc);
    return s;
}
