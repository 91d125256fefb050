/* SPDX-License-Identifier: MIT
 *
 * Header names: the ones that travel to a destination, the ones that a configuration may set.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/header_name.h"
#include "tests/run.h"

static const struct {
    const char *name;
    bool travels, settable;
} names[] = {
    {"content-type", true, true},
    {"Content-Encoding", true, true},
    {"User-Agent", true, true},
    {"X-GitHub-Event", true, true},
    {"x-shopify-hmac-sha256", true, true},
    {"webhook-signature", true, true},
    {"Idempotency-Key", true, true},
    {"X-Forwarded-For", true, true},
    {"traceparent", true, true},
    {"X-Tokens", true, true},
    {"x-broken", true, true},
    {"te-", true, true},
    {"proxy", true, true},
    {"hookline", true, true},
    /* the connection, and the frame of the message */
    {"Connection", false, false},
    {"keep-alive", false, false},
    {"Proxy-Authorization", false, false},
    {"proxy-connection", false, false},
    {"TE", false, false},
    {"trailer", false, false},
    {"Transfer-Encoding", false, false},
    {"transfer_encoding", false, false},
    {"upgrade", false, false},
    {"HTTP2-Settings", false, false},
    {"Content-Length", false, false},
    {"CONTENT_LENGTH", false, false},
    {"Expect", false, false},
    {"Accept-Encoding", false, false},
    /* our own */
    {"Hookline-Type", false, false},
    {"hookline_type", false, false},
    {"HOOKLINE-", false, false},
    /* secrets, and the host */
    {"Host", false, true},
    {"Authorization", false, true},
    {"X-Authorization", false, true},
    {"Cookie", false, true},
    {"Set-Cookie", false, true},
    {"X-Api-Key", false, true},
    {"x_api_key", false, true},
    {"apikey", false, true},
    {"X-Gitlab-Token", false, true},
    {"X-Telegram-Bot-Api-Secret-Token", false, true},
    {"X-Hook-Secret", false, true},
    {"password", false, true},
    /* no token of HTTP */
    {"", false, false},
    {"x y", false, false},
    {"x:y", false, false},
    {"x\r\ny", false, false},
    {"b\xc3\xbc", false, false},
    {"x\x7f", false, false},
    {"(x)", false, false},
};

START_TEST(a_name_travels_unless_it_is_of_the_connection_a_secret_or_ours)
{
    size_t len = strlen(names[_i].name);
    char *exact = malloc(len + 1); /* exposes reads beyond the end */

    memcpy(exact, names[_i].name, len);
    exact = realloc(exact, len == 0 ? 1 : len);
    ck_assert_msg(header_name_travels(exact, len) == names[_i].travels, "%s", names[_i].name);
    ck_assert_msg(header_name_is_settable(exact, len) == names[_i].settable, "%s", names[_i].name);
    free(exact);
}
END_TEST

START_TEST(a_pattern_ends_with_a_star_or_is_the_whole_name)
{
    ck_assert(header_name_matches("*", "x", 1));
    ck_assert(header_name_matches("*", "", 0));
    ck_assert(header_name_matches("X-GitHub-*", "x-github-event", 14));
    ck_assert(header_name_matches("X-GitHub-*", "x_github_event", 14));
    ck_assert(header_name_matches("x-github-event", "X-GitHub-Event", 14));
    ck_assert(!header_name_matches("x-github-event", "x-github-events", 15));
    ck_assert(!header_name_matches("x-github-event", "x-github-even", 13));
    ck_assert(!header_name_matches("X-GitHub-*", "x-github", 8));
    ck_assert(!header_name_matches("", "x", 1));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("header names");
    TCase *tc = tcase_create("header names");

    tcase_add_loop_test(tc, a_name_travels_unless_it_is_of_the_connection_a_secret_or_ours, 0,
                        COUNT(names));
    tcase_add_test(tc, a_pattern_ends_with_a_star_or_is_the_whole_name);
    suite_add_tcase(s, tc);
    return s;
}
