/* SPDX-License-Identifier: MIT
 *
 * Requests to the admin address: paths, queries, times, origins, addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/admin/query.h"
#include "daemon/base/net.h"
#include "daemon/base/rfc3339.h"
#include "tests/run.h"

/* ---- query */

static bool read_query(struct query *q, const char *target, char why[QUERY_WHY_SIZE])
{
    size_t len = strlen(target);
    char *exact = malloc(len == 0 ? 1 : len); /* exposes reads beyond the end */
    bool good;

    memcpy(exact, target, len);
    good = query_read(q, exact, len, why);
    free(exact);
    return good;
}

static const struct {
    const char *target;
    enum query_route route;
} paths[] = {
    {"/livez", QUERY_LIVE},
    {"/readyz", QUERY_READY},
    {"/healthz", QUERY_READY},
    {"/metrics", QUERY_METRICS},
    {"/events", QUERY_EVENTS},
    {"/deliveries", QUERY_LIST},
    {"/deliveries?", QUERY_LIST},
    {"/deliveries/7", QUERY_DELIVERY},
    {"/deliveries/9223372036854775807", QUERY_DELIVERY},
    {"/deliveries/7/body", QUERY_BODY},
    {"/deliveries/7/replay", QUERY_REPLAY},
    {"/deliveries/7/discard", QUERY_DISCARD},
    {"/replay?destination=a", QUERY_REPLAY_MANY},
    {"", QUERY_NOTHING},
    {"/", QUERY_NOTHING},
    {"//", QUERY_NOTHING},
    {"livez", QUERY_NOTHING},
    {"/livez/", QUERY_NOTHING},
    {"/livezz", QUERY_NOTHING},
    {"/Livez", QUERY_NOTHING},
    {"/deliveries/", QUERY_NOTHING},
    {"/deliveries/0", QUERY_NOTHING},
    {"/deliveries/07", QUERY_NOTHING},
    {"/deliveries/-7", QUERY_NOTHING},
    {"/deliveries/+7", QUERY_NOTHING},
    {"/deliveries/7x", QUERY_NOTHING},
    {"/deliveries/9223372036854775808", QUERY_NOTHING},
    {"/deliveries/99999999999999999999999999", QUERY_NOTHING},
    {"/deliveries/7/body/", QUERY_NOTHING},
    {"/deliveries/7/body/x", QUERY_NOTHING},
    {"/deliveries/%37", QUERY_NOTHING},
    {"/deliveries/../livez", QUERY_NOTHING},
    {"/deliveries/{seq}", QUERY_NOTHING},
};

START_TEST(a_path_is_one_of_ours_or_nothing)
{
    char why[QUERY_WHY_SIZE];
    struct query q;

    ck_assert(read_query(&q, paths[_i].target, why));
    ck_assert_msg(q.route == paths[_i].route, "%s", paths[_i].target);
    ck_assert((query_method(q.route) == NULL) == (q.route == QUERY_NOTHING));
}
END_TEST

START_TEST(a_query_says_which_deliveries)
{
    char why[QUERY_WHY_SIZE];
    struct query q;

    ck_assert(read_query(&q,
                         "/deliveries?source=foil&type=gate.%2a&id=a%20b%2Bc+d&state=parked&"
                         "destination=app&since=1&until=1970-01-01T00:00:02Z&before=9&limit=1000",
                         why));
    ck_assert_str_eq(q.source, "foil");
    ck_assert_str_eq(q.type, "gate.*");
    ck_assert_str_eq(q.id, "a b+c+d");
    ck_assert_str_eq(q.destination, "app");
    ck_assert_str_eq(query_state_name(q.state), "parked");
    ck_assert_int_eq(q.since_us, 1000000);
    ck_assert_int_eq(q.until_us, 2000000);
    ck_assert_int_eq(q.before, 9);
    ck_assert_uint_eq(q.limit, 1000);
}
END_TEST

START_TEST(what_is_not_asked_for_is_everything)
{
    char why[QUERY_WHY_SIZE];
    struct query q;

    ck_assert(read_query(&q, "/deliveries", why));
    ck_assert_str_eq(q.source, "");
    ck_assert_int_eq(q.state, QUERY_ANY);
    ck_assert_int_eq(q.since_us, 0);
    ck_assert_int_eq(q.until_us, INT64_MAX);
    ck_assert_int_eq(q.before, INT64_MAX);
    ck_assert_uint_eq(q.limit, QUERY_LIMIT_DEFAULT);
    ck_assert(!q.verbose);
    ck_assert(read_query(&q, "/readyz?verbose", why) && q.verbose);
}
END_TEST

static const struct {
    const char *target, *why;
} mistakes[] = {
    {"/deliveries?colour=red", "unknown parameter colour: expected one of source, "},
    {"/deliveries?verdict=stored", "unknown parameter verdict"},
    {"/deliveries?verbose", "unknown parameter verbose"},
    {"/deliveries?&", "unknown parameter "},
    {"/deliveries?Source=x", "unknown parameter Source"},
    {"/metrics?source=x", "unknown parameter source: this path takes none"},
    {"/deliveries/7?limit=1", "unknown parameter limit: this path takes none"},
    {"/deliveries?source=a&source=a", "source: expected one value"},
    {"/deliveries?source=", "source: expected 1 to 64 bytes"},
    {"/deliveries?source", "source: expected 1 to 64 bytes"},
    {"/deliveries?source=%00", "source: expected at most 256 characters"},
    {"/deliveries?source=a%0ab", "source: "},
    {"/deliveries?source=%4", "source: "},
    {"/deliveries?source=%zz", "source: "},
    {"/deliveries?limit=0", "limit: expected a whole number from 1 to 1000"},
    {"/deliveries?limit=1001", "limit: "},
    {"/deliveries?limit=-1", "limit: "},
    {"/deliveries?limit=1e3", "limit: "},
    {"/deliveries?limit=010", "limit: "},
    {"/deliveries?limit=99999999999999999999", "limit: "},
    {"/deliveries?before=0", "before: expected the seq of a delivery"},
    {"/deliveries?before=x", "before: "},
    {"/deliveries?state=lost", "state: expected waiting, retrying, parked, done or passed_over"},
    {"/deliveries?destination=app", "destination: expected a state parameter as well"},
    {"/deliveries?since=yesterday", "since: expected a time like "},
    {"/deliveries?since=-1", "since: "},
    {"/deliveries?since=2&until=1", "until: expected a time after since"},
    {"/deliveries?since=2&until=2", "until: expected a time after since"},
    {"/events?verdict=accepted", "verdict: expected stored, duplicate, refused, failed, "},
    {"/readyz?verbose=1", "verbose: expected no value"},
    {"/replay", "destination: expected a destination name"},
};

START_TEST(a_mistake_is_named_and_what_was_expected_is_said)
{
    char why[QUERY_WHY_SIZE];
    struct query q;

    ck_assert_msg(!read_query(&q, mistakes[_i].target, why), "%s", mistakes[_i].target);
    ck_assert_msg(strncmp(why, mistakes[_i].why, strlen(mistakes[_i].why)) == 0, "%s: %s",
                  mistakes[_i].target, why);
}
END_TEST

START_TEST(a_long_mistake_is_shown_in_part)
{
    char target[5000] = "/deliveries?", why[QUERY_WHY_SIZE];
    struct query q;

    memset(target + strlen(target), 'x', sizeof(target) - strlen(target) - 1);
    ck_assert(!read_query(&q, target, why));
    ck_assert_uint_lt(strlen(why), QUERY_WHY_SIZE);
    memcpy(target + strlen("/deliveries?"), "source=", strlen("source="));
    ck_assert(!read_query(&q, target, why));
}
END_TEST

/* ---- moment */

static const struct {
    const char *text;
    int64_t us; /* -1: invalid */
} moments[] = {
    {"0", 0},
    {"1795320000", 1795320000000000},
    {"1795320000.5", 1795320000500000},
    {"1970-01-01T00:00:00Z", 0},
    {"2026-11-22T04:00:00Z", 1795320000000000},
    {"2026-11-22t04:00:00z", 1795320000000000},
    {"2026-11-22 04:00:00Z", 1795320000000000},
    {"2026-11-22T05:30:00+01:30", 1795320000000000},
    {"2026-11-21T23:00:00-05:00", 1795320000000000},
    {"2026-11-22T04:00:00.123456789Z", 1795320000123456},
    {"2024-02-29T00:00:00Z", 1709164800000000},
    {"9999-12-31T23:59:59Z", 253402300799000000},
    {"", -1},
    {".", -1},
    {".5", -1},
    {"5.", -1},
    {"-1", -1},
    {"1x", -1},
    {" 1", -1},
    {"1234567890123", -1},
    {"2026-11-22", -1},
    {"2026-11-22T04:00:00", -1},
    {"2026-11-22T04:00Z", -1},
    {"2026-11-22T04:00:00.Z", -1},
    {"2026-11-22T04:00:00ZZ", -1},
    {"2026-11-22T04:00:00+0100", -1},
    {"2026-11-22T04:00:00+24:00", -1},
    {"2026-11-22T24:00:00Z", -1},
    {"2026-11-22T04:60:00Z", -1},
    {"2026-11-22T04:00:61Z", -1},
    {"2026-13-22T04:00:00Z", -1},
    {"2026-00-22T04:00:00Z", -1},
    {"2026-02-29T04:00:00Z", -1},
    {"2100-02-29T04:00:00Z", -1},
    {"2026-11-31T04:00:00Z", -1},
    {"1969-12-31T23:59:59Z", -1},
    {"1970-01-01T00:00:00+01:00", -1},
    {"12026-11-22T04:00:00Z", -1},
};

START_TEST(a_moment_is_seconds_or_rfc_3339)
{
    int64_t us = -2;
    bool good = rfc3339_read(moments[_i].text, &us);

    ck_assert_msg(good == (moments[_i].us >= 0), "%s", moments[_i].text);
    if (good)
        ck_assert_int_eq(us, moments[_i].us);
}
END_TEST

/* ---- origin */

static const char *const ours[] = {"localhost",      "localhost:9090", "LocalHost:1", "127.0.0.1",
                                   "127.0.0.1:9090", "127.255.3.4:80", "[::1]",       "[::1]:9090"};
static const char *const others[] = {
    "",
    "example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "127.0.0.1:80.example.com",
    "128.0.0.1",
    "127.1",
    "0.0.0.0",
    "[::2]",
    "[::1].example.com",
    "::1",
    "localhost:80x",
    "a-name-that-is-much-longer-than-any-address-of-this-machine-could-be.example.com",
};

START_TEST(a_name_of_this_machine_is_local)
{
    ck_assert_msg(host_check_is_local(ours[_i], strlen(ours[_i])), "%s", ours[_i]);
}
END_TEST

START_TEST(any_other_name_is_not_local)
{
    ck_assert_msg(!host_check_is_local(others[_i], strlen(others[_i])), "%s", others[_i]);
    ck_assert(!host_check_is_local("localhost\0.example.com", 22));
}
END_TEST

static bool same(const char *origin, const char *host)
{
    return host_check_is_same_origin(origin, strlen(origin), host, strlen(host));
}

START_TEST(a_page_is_ours_if_it_came_from_the_same_host_and_port)
{
    ck_assert(same("http://localhost:9090", "localhost:9090"));
    ck_assert(same("HTTP://LOCALHOST:9090", "localhost:9090"));
    ck_assert(!same("http://localhost:9091", "localhost:9090"));
    ck_assert(!same("http://localhost", "localhost:9090"));
    ck_assert(!same("https://localhost:9090", "localhost:9090"));
    ck_assert(!same("http://example.com", "localhost:9090"));
    ck_assert(!same("null", "localhost:9090"));
    ck_assert(!same("", "localhost:9090"));
}
END_TEST

/* ---- admin addresses */

START_TEST(only_this_machine_reaches_a_local_address)
{
    static const char *const local[] = {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/run/x"};
    static const char *const open[] = {"0.0.0.0:1", "[::]:1", "128.0.0.1:1",
                                       "[::ffff:127.0.0.1]:1"};
    struct sockaddr_storage address;
    socklen_t len;

    for (int i = 0; i < COUNT(local); i++)
        ck_assert(address_read(local[i], &address, &len) && address_is_local(&address));
    for (int i = 0; i < COUNT(open); i++)
        ck_assert(address_read(open[i], &address, &len) && !address_is_local(&address));
}
END_TEST

START_TEST(a_unix_address_is_read_and_written_again)
{
    char longest[128] = "unix:/", text[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage address;
    socklen_t len;

    memset(longest + 6, 'x', 107 - 1);
    ck_assert(address_read(longest, &address, &len));
    address_write(&address, text);
    ck_assert_str_eq(text, longest);
    longest[strlen(longest)] = 'x';
    ck_assert(!address_read(longest, &address, &len));
    ck_assert(!address_read("unix:", &address, &len));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("query");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_path_is_one_of_ours_or_nothing, 0, COUNT(paths));
    tcase_add_test(tc, a_query_says_which_deliveries);
    tcase_add_test(tc, what_is_not_asked_for_is_everything);
    tcase_add_loop_test(tc, a_mistake_is_named_and_what_was_expected_is_said, 0, COUNT(mistakes));
    tcase_add_test(tc, a_long_mistake_is_shown_in_part);
    tcase_add_loop_test(tc, a_moment_is_seconds_or_rfc_3339, 0, COUNT(moments));
    tcase_add_loop_test(tc, a_name_of_this_machine_is_local, 0, COUNT(ours));
    tcase_add_loop_test(tc, any_other_name_is_not_local, 0, COUNT(others));
    tcase_add_test(tc, a_page_is_ours_if_it_came_from_the_same_host_and_port);
    tcase_add_test(tc, only_this_machine_reaches_a_local_address);
    tcase_add_test(tc, a_unix_address_is_read_and_written_again);
    suite_add_tcase(s, tc);
    return s;
}
