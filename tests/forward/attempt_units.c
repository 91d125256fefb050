/* SPDX-License-Identifier: MIT
 *
 * Parts of the forwarder that need neither a process nor a network: backoff, circuit breaker, URLs,
 * filters of a destination, requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/backoff.h"
#include "daemon/forward/attempt.h"
#include "daemon/http/client.h"
#include "daemon/policy/destination.h"
#include "daemon/store/deliveries.h"
#include "tests/run.h"

/* ---- backoff */

static const int64_t SECOND = 1000000;

START_TEST(a_delay_is_anything_between_nothing_and_the_schedules_value)
{
    static const unsigned schedule[] = {5, 300, 0};

    ck_assert_int_eq(backoff_delay_us(schedule, 3, 1, 0), 0);
    ck_assert_int_eq(backoff_delay_us(schedule, 3, 1, 5 * SECOND), 5 * SECOND);
    ck_assert_int_eq(backoff_delay_us(schedule, 3, 1, 5 * SECOND + 1), 0);
    ck_assert_int_eq(backoff_delay_us(schedule, 3, 2, 299 * SECOND), 299 * SECOND);
    ck_assert_int_eq(backoff_delay_us(schedule, 3, 3, UINT64_MAX), 0);
    for (uint64_t random = 1; random != 0; random <<= 1)
        ck_assert_int_le(backoff_delay_us(schedule, 3, 1, random), 5 * SECOND);
}
END_TEST

START_TEST(the_schedule_has_an_end)
{
    static const unsigned schedule[] = {5};

    ck_assert_int_eq(backoff_delay_us(schedule, 1, 0, 17), 0);
    ck_assert_int_eq(backoff_delay_us(schedule, 1, 2, 0), -1);
    ck_assert_int_eq(backoff_delay_us(schedule, 1, UINT32_MAX, 0), -1);
    ck_assert_int_eq(backoff_delay_us(schedule, 0, 1, 0), -1);
}
END_TEST

START_TEST(the_default_is_that_of_standard_webhooks)
{
    static const unsigned published[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};

    ck_assert_uint_eq(BACKOFF_STANDARD_COUNT, COUNT(published));
    ck_assert_mem_eq(BACKOFF_STANDARD, published, sizeof(published));
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds; /* -1: invalid */
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"", -1},
    {"GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 CET", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT, 5", -1},
    {"Sun, 06 Nov 1994 25:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:60 GMT", -1},
    {"Thu, 29 Feb 2023 00:00:00 GMT", -1},
    {"Fri, 31 Apr 2026 00:00:00 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Abc 1994 08:49:37 GMT", -1},
    {"1994-11-06T08:49:37Z", -1},
    {"784111777", -1},
    {"\xff\xfe", -1},
};

START_TEST(a_date_is_read_in_each_of_its_forms_and_no_other)
{
    int64_t seconds = -1;

    ck_assert_int_eq(backoff_read_date(dates[_i].text, &seconds), dates[_i].seconds >= 0);
    ck_assert_msg(seconds == dates[_i].seconds, "%s: %lld", dates[_i].text, (long long)seconds);
}
END_TEST

#define NOVEMBER "Sun, 06 Nov 1994 08:49:37 GMT" /* 784111777 */

static const struct {
    const char *text, *date;
    int64_t now, seconds;
} waits[] = {
    {"0", NULL, 0, 0},
    {"120", NULL, 0, 120},
    {"0120", NULL, 0, 120},
    {"86399", NULL, 0, 86399},
    {"86401", NULL, 0, 86400},
    {"99999999999999999999999999999999999999", NULL, 0, 86400},
    {"", NULL, 0, -1},
    {"-1", NULL, 0, -1},
    {"+1", NULL, 0, -1},
    {"1.5", NULL, 0, -1},
    {"1 ", NULL, 0, -1},
    {"0x10", NULL, 0, -1},
    {"soon", NULL, 0, -1},
    {NOVEMBER, NULL, 784111777 - 90, 90},
    {NOVEMBER, NULL, 784111777, 0},
    {NOVEMBER, NULL, 784111777 + 90, 0},
    {NOVEMBER, NULL, 0, 86400},
    {NOVEMBER, "Sun, 06 Nov 1994 08:48:37 GMT", 0, 60}, /* independent of the local clock */
    {NOVEMBER, "Sun, 06 Nov 1994 08:48:37 GMT", 2000000000, 60},
    {NOVEMBER, "yesterday", 784111777 - 90, 90},
    {"7", "Sun, 06 Nov 1994 08:48:37 GMT", 2000000000, 7},
};

START_TEST(a_retry_after_is_seconds_or_a_date_and_a_day_at_most)
{
    int64_t seconds = backoff_retry_after_s(waits[_i].text, waits[_i].date, waits[_i].now);

    ck_assert_msg(seconds == waits[_i].seconds, "%s: %lld", waits[_i].text, (long long)seconds);
}
END_TEST

/* ---- breaker */

enum {
    MOST = 8
};

static int64_t fail_until_open(struct breaker *b, int64_t now)
{
    for (int i = 0; i < BREAKER_FAILURES; i++) {
        ck_assert_uint_eq(breaker_allows(b, MOST, now), MOST);
        breaker_failure(b, 0, now++);
    }
    return now;
}

START_TEST(after_three_failures_a_destination_rests_and_then_one_attempt_is_made)
{
    struct breaker b = {0};
    int64_t now = fail_until_open(&b, 1000);

    ck_assert_uint_eq(breaker_allows(&b, MOST, now), 0);
    ck_assert_uint_eq(breaker_allows(&b, MOST, now + BREAKER_FIRST_REST_US), 1);
    breaker_success(&b, now);
    ck_assert_uint_eq(breaker_allows(&b, MOST, now), MOST);
}
END_TEST

START_TEST(rests_grow_and_have_a_longest)
{
    struct breaker b = {0};
    int64_t now = fail_until_open(&b, 0), last = 0;

    for (int i = 0; i < 40; i++) {
        int64_t rest = b.rests_until_us - now;

        ck_assert_int_ge(rest + 1, last);
        ck_assert_int_le(rest, BREAKER_LONGEST_REST_US);
        last = rest;
        now = b.rests_until_us;
        breaker_failure(&b, 0, now);
    }
    ck_assert_int_eq(b.rests_until_us - now, BREAKER_LONGEST_REST_US);
}
END_TEST

START_TEST(what_fails_during_a_rest_began_before_it_and_says_nothing_new)
{
    struct breaker b = {0};
    int64_t now = fail_until_open(&b, 0), until = b.rests_until_us;

    for (int i = 0; i < 100; i++)
        breaker_failure(&b, 0, now);
    ck_assert_int_eq(b.rests_until_us, until);
}
END_TEST

START_TEST(a_destination_that_asks_for_rest_gets_it_but_not_for_ever)
{
    struct breaker b = {0};

    breaker_failure(&b, 7 * SECOND, 0);
    ck_assert_uint_eq(breaker_allows(&b, MOST, 7 * SECOND - 1), 0);
    ck_assert_uint_eq(breaker_allows(&b, MOST, 7 * SECOND), MOST);
    breaker_failure(&b, 86400 * SECOND, 7 * SECOND);
    ck_assert_int_eq(b.rests_until_us, 7 * SECOND + BREAKER_MAX_RETRY_AFTER_US);
    breaker_probe(&b);
    ck_assert_uint_ne(breaker_allows(&b, MOST, 7 * SECOND), 0);
}
END_TEST

START_TEST(a_refusal_is_a_pause_that_neither_a_success_nor_a_replay_ends)
{
    struct breaker b = {0};

    breaker_refusal(&b, 7 * SECOND, false, 0);
    breaker_success(&b, SECOND); /* of an attempt that started before */
    breaker_probe(&b);
    ck_assert(breaker_rests(&b, 7 * SECOND - 1));
    ck_assert_uint_eq(breaker_allows(&b, MOST, 7 * SECOND - 1), 0);
    ck_assert_uint_eq(breaker_allows(&b, MOST, 7 * SECOND), MOST);
    breaker_refusal(&b, 86400 * SECOND, false, 7 * SECOND);
    ck_assert_int_eq(breaker_until_us(&b), 7 * SECOND + BREAKER_MAX_RETRY_AFTER_US);
}
END_TEST

START_TEST(a_refusal_without_a_time_is_a_pause_too_and_longer_if_all_are_refused)
{
    struct breaker b = {0};
    int64_t now = 0, last = 0;

    for (int i = 0; i < 40; i++) {
        breaker_refusal(&b, 0, true, now);
        ck_assert_int_ge(breaker_until_us(&b) - now, BREAKER_FIRST_REST_US);
        ck_assert_int_ge(breaker_until_us(&b) - now, last);
        last = breaker_until_us(&b) - now;
        now = breaker_until_us(&b);
        ck_assert_uint_eq(breaker_allows(&b, MOST, now), i < BREAKER_FAILURES - 1 ? MOST : 1);
    }
    ck_assert_int_eq(last, BREAKER_LONGEST_REST_US);
}
END_TEST

/* Starts as many attempts as the breaker allows in a second. */
static int starts_in_a_second(struct breaker *b, int64_t now)
{
    int started = 0;

    for (int64_t end = now + SECOND; now < end && started < 100000; now += 1000) {
        if (breaker_allows(b, MOST, now) == 0)
            continue;
        breaker_start(b, now);
        started++;
    }
    return started;
}

START_TEST(after_a_refusal_the_pace_is_below_that_of_the_last_second_and_grows)
{
    struct breaker b = {0};
    int64_t now = 1000 * SECOND;

    ck_assert_int_eq(starts_in_a_second(&b, now), 1000); /* the test's clock has 1 ms */
    for (int i = 0; i < 100; i++)
        breaker_success(&b, now + i);
    breaker_refusal(&b, 60 * SECOND, false, now);
    for (int i = 0; i < 7; i++)
        breaker_refusal(&b, 60 * SECOND, false,
                        now); /* of attempts that ran; they change nothing */
    now += 60 * SECOND;
    ck_assert_int_eq(starts_in_a_second(&b, now - SECOND), 0);
    ck_assert_int_ge(starts_in_a_second(&b, now), 70); /* it did not grow during the pause */
    ck_assert_int_le(starts_in_a_second(&b, now + SECOND), 90);
    ck_assert_int_ge(starts_in_a_second(&b, now + 20 * SECOND), 130);
    ck_assert_int_le(starts_in_a_second(&b, now + 20 * SECOND), 180);
    ck_assert_int_eq(starts_in_a_second(&b, now + 200 * SECOND), 1000);
}
END_TEST

START_TEST(the_first_pace_is_five_a_second_and_the_slowest_is_one)
{
    struct breaker b = {0};
    int64_t now = 1000 * SECOND;

    breaker_refusal(&b, 0, true, now); /* due to the delivery */
    now = breaker_until_us(&b);
    ck_assert_int_eq(starts_in_a_second(&b, now), 1000);
    breaker_refusal(&b, 0, false, now);
    now = breaker_until_us(&b);
    ck_assert_int_ge(starts_in_a_second(&b, now), 5);
    ck_assert_int_le(starts_in_a_second(&b, now), 6);
    for (int i = 0; i < 40; i++, now = breaker_until_us(&b))
        breaker_refusal(&b, 0, false, now);
    ck_assert_int_ge(starts_in_a_second(&b, now), 1);
    ck_assert_int_le(starts_in_a_second(&b, now + SECOND), 2);
    ck_assert_int_eq(starts_in_a_second(&b, now + 400 * SECOND), 1000);
}
END_TEST

START_TEST(a_delivery_that_is_always_refused_waits_longer_than_the_destination)
{
    static const int64_t seconds[] = {7, 7, 14, 28, 56, 112, 112, 112};

    for (int i = 0; i < COUNT(seconds); i++)
        ck_assert_int_eq(backoff_refused_us(7 * SECOND, (unsigned)i), seconds[i] * SECOND);
    ck_assert_int_eq(backoff_refused_us(0, 0), BREAKER_FIRST_REST_US);
    ck_assert_int_eq(backoff_refused_us(86400 * SECOND, UINT32_MAX), 86400 * SECOND);
}
END_TEST

/* ---- URLs */

static const struct {
    const char *url;
    const char *problem; /* part of the message; NULL: valid */
} urls[] = {
    {"https://app.example.com/hooks", NULL},
    {"http://127.0.0.1:8080", NULL},
    {"http://[::1]:8080/a?token=b", NULL},
    {"HTTPS://APP", NULL},
    {"", "expected a URL"},
    {"app.example.com/hooks", "expected a URL"},
    {"/hooks", "expected a URL"},
    {"http://", "expected a URL"},
    {"http:///hooks", "expected a URL"},
    {"http://a b/", "expected a URL"},
    {"http://a/b c", "expected a URL"},
    {"http://a\r\nHost: b/", "expected a URL"},
    {"http://a:99999/", "expected a URL"},
    {"ftp://app.example.com/", "begins with https:// or http://"},
    {"file:///etc/passwd", "expected a URL"},
    {"javascript:alert(1)", "expected a URL"},
    {"https://user:password@app.example.com/", "user and password"},
    {"https://user@app.example.com/", "user and password"},
    {"https://:password@app.example.com/", "user and password"},
    {"https://app.example.com/#part", "never sent"},
    {"http://my_app:8080/", NULL},
    {"https://xn--bcher-kva.example/", NULL},
    {"https://b\xc3\xbc"
     "cher.example/",
     "xn--"},
    {"https://b%C3%BC"
     "cher.example/",
     "xn--"},
    {"https://app.example\xe3\x80\x82"
     "com/",
     "xn--"},
    {"https://app.example.com/b\xc3\xbc"
     "cher",
     NULL},
};

START_TEST(a_url_is_https_or_http_and_holds_no_password)
{
    const char *problem = client_url_problem(urls[_i].url);

    if (urls[_i].problem == NULL)
        ck_assert_msg(problem == NULL, "%s: %s", urls[_i].url, problem);
    else
        ck_assert_msg(problem != NULL && strstr(problem, urls[_i].problem) != NULL, "%s: %s",
                      urls[_i].url, problem == NULL ? "is good" : problem);
}
END_TEST

/* ---- filters */

#define BYTES(text) ((hookline_bytes){text, sizeof(text) - 1})

static char *foil_only[] = {"foil", NULL};
static char *some_types[] = {"webhook.test", "gate.*", NULL};
static char *any_type[] = {"*", NULL};

static const struct {
    char **sources, **types;
    hookline_bytes source, type;
    bool taken;
} filters[] = {
    {NULL, NULL, BYTES("foil"), BYTES("webhook.test"), true},
    {NULL, NULL, BYTES("foil"), {NULL, 0}, true},
    {foil_only, NULL, BYTES("foil"), {NULL, 0}, true},
    {foil_only, NULL, BYTES("foil2"), {NULL, 0}, false},
    {foil_only, NULL, BYTES("foi"), {NULL, 0}, false},
    {NULL, some_types, BYTES("foil"), BYTES("webhook.test"), true},
    {NULL, some_types, BYTES("foil"), BYTES("webhook.tes"), false},
    {NULL, some_types, BYTES("foil"), BYTES("webhook.tests"), false},
    {NULL, some_types, BYTES("foil"), BYTES("gate."), true},
    {NULL, some_types, BYTES("foil"), BYTES("gate.session.approved"), true},
    {NULL, some_types, BYTES("foil"), BYTES("gate"), false},
    {NULL, some_types, BYTES("foil"), BYTES(""), false},
    {NULL, some_types, BYTES("foil"), {NULL, 0}, false},
    {NULL, any_type, BYTES("foil"), BYTES("x"), true},
    {NULL, any_type, BYTES("foil"), BYTES(""), true},
    {foil_only, some_types, BYTES("foil"), BYTES("gate.x"), true},
    {foil_only, some_types, BYTES("shodai"), BYTES("gate.x"), false},
};

START_TEST(a_destination_takes_what_its_filters_let_pass)
{
    struct destination d = {.sources = filters[_i].sources, .types = filters[_i].types};

    ck_assert_int_eq(destination_matches(&d, filters[_i].source, filters[_i].type),
                     filters[_i].taken);
}
END_TEST

/* ---- requests */

static size_t count_headers(const struct attempt_headers *outgoing, const char *line)
{
    size_t n = 0;

    for (const char **h = outgoing->headers; *h != NULL; h++)
        n += strcasecmp(*h, line) == 0;
    return n;
}

static size_t count_names(const struct attempt_headers *outgoing, const char *name)
{
    size_t n = 0, len = strlen(name);

    for (const char **h = outgoing->headers; *h != NULL; h++)
        n += strncasecmp(*h, name, len) == 0 && strchr(":;", (*h)[len]) != NULL;
    return n;
}

static const struct delivery_row some_entry = {
    .seq = 17,
    .source = BYTES("foil"),
    .scheme = BYTES("standard"),
    .id = BYTES("evt 1\r\nEvil: %41\xc3\xa4"),
    .type = BYTES("gate.session.approved"),
    .headers = BYTES("content-type: application/json\nuser-agent: sender\nwebhook-id: theirs\n"
                     "hookline-seq: 99\nhookline_type: evil\nhost: elsewhere\nx-empty: \n"
                     "x-foil-signature: abc\ncontent-encoding: gzip\nx-github-event: push\n"
                     "x-github-delivery: 72d3162e\ncookie: a=b\nauthorization: Bearer secret\n"
                     "x-gitlab-token: secret\nconnection: x-a\ncontent-length: 7\n"
                     "transfer-encoding: chunked\naccept-encoding: gzip\nexpect: 100-continue\n"
                     "x-nul: a\0Hookline-Type: evil\nx-folded: a\tb\xc3\xa4\n"),
    .body = BYTES("{}"),
    .received_us = 1700000000123456,
    .signed_at = 1700000001,
};

START_TEST(the_facts_are_told_and_cannot_be_forged)
{
    char *answers[] = {NULL};
    struct destination d = {.answers = answers};
    struct attempt_headers outgoing = attempt_headers_new(&some_entry, &d, 3, 1700000002);

    ck_assert_ptr_nonnull(outgoing.headers);
    ck_assert_uint_eq(count_headers(&outgoing, "content-type: application/json"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "x-foil-signature: abc"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "x-empty;"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "webhook-id: theirs"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Seq: 17"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "hookline-seq"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Id: evt%201%0D%0AEvil:%20%2541%C3%A4"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Type: gate.session.approved"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Attempt: 3"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Signed-At: 1700000001"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "Hookline-Received-At: 1700000000"), 1);
    attempt_headers_free(&outgoing);
}
END_TEST

START_TEST(the_senders_headers_travel_except_those_of_the_connection_secrets_and_ours)
{
    static const char *const dropped[] = {
        "host",       "hookline_type",  "cookie",          "authorization",     "x-gitlab-token",
        "connection", "content-length", "accept-encoding", "transfer-encoding", "expect",
        "x-nul",
    };
    char *answers[] = {NULL};
    struct destination d = {.answers = answers};
    struct attempt_headers outgoing = attempt_headers_new(&some_entry, &d, 3, 1700000002);

    for (int i = 0; i < COUNT(dropped); i++)
        ck_assert_msg(count_names(&outgoing, dropped[i]) == 0, "%s", dropped[i]);
    ck_assert_uint_eq(count_names(&outgoing, "hookline-type"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "content-encoding: gzip"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "x-github-event: push"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "x-github-delivery: 72d3162e"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "x-folded: a\tb\xc3\xa4"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "user-agent: sender"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "user-agent"), 1);
    attempt_headers_free(&outgoing);
}
END_TEST

START_TEST(a_destination_names_the_headers_that_it_takes)
{
    static char *listed[] = {"X-GitHub-*", "Webhook-ID", NULL};
    char *answers[] = {NULL};
    struct destination d = {.answers = answers, .headers = listed};
    struct attempt_headers outgoing = attempt_headers_new(&some_entry, &d, 3, 1700000002);

    ck_assert_uint_eq(count_names(&outgoing, "x-github-event"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "webhook-id"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "content-type"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "content-encoding"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "x-foil-signature"), 0);
    ck_assert_uint_eq(count_headers(&outgoing, "user-agent: sender"), 0);
    ck_assert_uint_eq(count_names(&outgoing, "user-agent"), 1); /* ours */
    attempt_headers_free(&outgoing);
}
END_TEST

START_TEST(a_header_that_is_added_replaces_the_senders)
{
    static char *added[] = {"X_GitHub_Event: ours", "Authorization: Basic YTpi", "User-Agent: mine",
                            NULL};
    char *answers[] = {NULL};
    struct destination d = {.answers = answers, .added = added};
    struct attempt_headers outgoing = attempt_headers_new(&some_entry, &d, 3, 1700000002);

    ck_assert_uint_eq(count_headers(&outgoing, "X_GitHub_Event: ours"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "x-github-event"), 0);
    ck_assert_uint_eq(count_headers(&outgoing, "Authorization: Basic YTpi"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "authorization"), 1);
    ck_assert_uint_eq(count_headers(&outgoing, "User-Agent: mine"), 1);
    ck_assert_uint_eq(count_names(&outgoing, "user-agent"), 1);
    attempt_headers_free(&outgoing);
}
END_TEST

static const struct {
    const char *url;
    bool query;
    hookline_bytes asked;
    const char *sent;
} queries[] = {
    {"http://a/hooks", true, {NULL, 0}, "http://a/hooks"},
    {"http://a/hooks", true, BYTES(""), "http://a/hooks"},
    {"http://a/hooks", true, BYTES("tenant=42"), "http://a/hooks?tenant=42"},
    {"http://a/hooks?", true, BYTES("tenant=42"), "http://a/hooks?tenant=42"},
    {"http://a/hooks?x=1", true, BYTES("tenant=42&y"), "http://a/hooks?x=1&tenant=42&y"},
    {"http://a", true, BYTES("b"), "http://a?b"},
    {"http://a/hooks", false, BYTES("tenant=42"), "http://a/hooks"},
    {"http://a/h", true, BYTES("a=%41%zz+b/../?c@evil:1"), "http://a/h?a=%41%zz+b/../?c@evil:1"},
    {"http://a/h", true, BYTES("a#b \t\r\n\0\x7f\xc3\xa4\"<>"),
     "http://a/h?a%23b%20%09%0D%0A%00%7F%C3%A4%22%3C%3E"},
};

START_TEST(the_senders_query_is_appended_and_changes_nothing_else)
{
    struct delivery_row delivery = some_entry;
    struct destination d = {.query = queries[_i].query, .target.url = queries[_i].url};
    char *url;

    delivery.query = queries[_i].asked;
    url = attempt_url_new(&delivery, &d);
    ck_assert_str_eq(url, queries[_i].sent);
    ck_assert_ptr_null(client_url_problem(url));
    free(url);
}
END_TEST

START_TEST(a_fact_that_nobody_told_or_that_is_endless_is_left_out)
{
    static char endless[257];
    struct delivery_row delivery = some_entry;
    char *answers[] = {NULL};
    struct destination d = {.answers = answers};
    struct attempt_headers outgoing;

    memset(endless, 'x', sizeof(endless));
    delivery.id = (hookline_bytes){0};
    delivery.type = (hookline_bytes){endless, sizeof(endless)};
    delivery.signed_at = -1;
    delivery.headers = (hookline_bytes){0};
    outgoing = attempt_headers_new(&delivery, &d, 1, 1700000002);
    ck_assert_uint_eq(count_names(&outgoing, "hookline-id"), 0);
    ck_assert_uint_eq(count_names(&outgoing, "hookline-type"), 0);
    ck_assert_uint_eq(count_names(&outgoing, "hookline-signed-at"), 0);
    ck_assert_uint_eq(count_names(&outgoing, "content-type"), 0);
    attempt_headers_free(&outgoing);
}
END_TEST

START_TEST(a_fresh_signature_takes_the_place_of_the_senders)
{
    char *answers[] = {NULL};
    struct destination d = {.answers = answers};
    struct attempt_headers first, second;

    ck_assert_int_eq(hookline_verifier_new(&d.signer, "standard",
                                           "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
                     0);
    first = attempt_headers_new(&some_entry, &d, 1, 1700000002);
    second = attempt_headers_new(&some_entry, &d, 2, 1700000003);
    ck_assert_uint_eq(count_headers(&first, "webhook-id: theirs"), 0);
    ck_assert_uint_eq(count_headers(&first, "webhook-id: hl_17_60a2418202240"), 1);
    ck_assert_uint_eq(count_headers(&second, "webhook-id: hl_17_60a2418202240"), 1);
    ck_assert_uint_eq(count_headers(&first, "webhook-timestamp: 1700000002"), 1);
    ck_assert_uint_eq(count_headers(&second, "webhook-timestamp: 1700000003"), 1);
    ck_assert_uint_eq(count_names(&first, "webhook-signature"), 1);
    attempt_headers_free(&first);
    attempt_headers_free(&second);
    hookline_verifier_free(&d.signer);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("forward");
    TCase *tc = tcase_create("units");

    tcase_add_test(tc, a_delay_is_anything_between_nothing_and_the_schedules_value);
    tcase_add_test(tc, the_schedule_has_an_end);
    tcase_add_test(tc, the_default_is_that_of_standard_webhooks);
    tcase_add_loop_test(tc, a_date_is_read_in_each_of_its_forms_and_no_other, 0, COUNT(dates));
    tcase_add_loop_test(tc, a_retry_after_is_seconds_or_a_date_and_a_day_at_most, 0, COUNT(waits));
    tcase_add_test(tc, after_three_failures_a_destination_rests_and_then_one_attempt_is_made);
    tcase_add_test(tc, rests_grow_and_have_a_longest);
    tcase_add_test(tc, what_fails_during_a_rest_began_before_it_and_says_nothing_new);
    tcase_add_test(tc, a_destination_that_asks_for_rest_gets_it_but_not_for_ever);
    tcase_add_test(tc, a_refusal_is_a_pause_that_neither_a_success_nor_a_replay_ends);
    tcase_add_test(tc, a_refusal_without_a_time_is_a_pause_too_and_longer_if_all_are_refused);
    tcase_add_test(tc, after_a_refusal_the_pace_is_below_that_of_the_last_second_and_grows);
    tcase_add_test(tc, the_first_pace_is_five_a_second_and_the_slowest_is_one);
    tcase_add_test(tc, a_delivery_that_is_always_refused_waits_longer_than_the_destination);
    tcase_add_loop_test(tc, a_url_is_https_or_http_and_holds_no_password, 0, COUNT(urls));
    tcase_add_loop_test(tc, a_destination_takes_what_its_filters_let_pass, 0, COUNT(filters));
    tcase_add_test(tc, the_facts_are_told_and_cannot_be_forged);
    tcase_add_test(tc, the_senders_headers_travel_except_those_of_the_connection_secrets_and_ours);
    tcase_add_test(tc, a_destination_names_the_headers_that_it_takes);
    tcase_add_test(tc, a_header_that_is_added_replaces_the_senders);
    tcase_add_loop_test(tc, the_senders_query_is_appended_and_changes_nothing_else, 0,
                        COUNT(queries));
    tcase_add_test(tc, a_fact_that_nobody_told_or_that_is_endless_is_left_out);
    tcase_add_test(tc, a_fresh_signature_takes_the_place_of_the_senders);
    suite_add_tcase(s, tc);
    return s;
}
