/* SPDX-License-Identifier: MIT
 *
 * Providers of a ping: ids, URLs, and any kind of answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping/provider.h"
#include "daemon/base/text.h"
#include "tests/run.h"

#define ENDPOINT "we_0123456789abcdef0123456789abcdef"
#define EVENT    "wevt_0123456789abcdef0123456789abcdef"
#define ORG      "org_f6m39y94nh6fs513q03skj929c"
#define RECEIPT  "9f3c61d80b52e7a4"

/* ---- untrusted texts */

START_TEST(what_others_say_is_one_printable_line)
{
    static const struct {
        const char *from, *hidden, *to;
    } texts[] = {
        {"plain", NULL, "plain"},
        {"", "", ""},
        {"a\r\n\tb", NULL, "a   b"},
        {"\033[31mred\033[0m", NULL, "\\x1b[31mred\\x1b[0m"},
        {"\xff\xfe", NULL, "\\xff\\xfe"},
        {"\xe2\x80\xae", NULL, "\\u{202e}"},
        {"key sk_1, sk_1!", "sk_1", "key (hidden), (hidden)!"},
        {"aaaa", "aa", "(hidden)(hidden)"},
        {"1234567890123456789012345678901", NULL, "1234567890123456789012345678901"},
        {"12345678901234567890123456789012", NULL, "1234567890123456789012345678..."},
        {"1234567890123456789012345678\t\033", NULL, "1234567890123456789012345678..."},
    };
    char out[32];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text_copy_redacted(out, sizeof(out), texts[i].from, strlen(texts[i].from), texts[i].hidden);
        ck_assert_str_eq(out, texts[i].to);
    }
    text_copy_redacted(out, sizeof(out), "a\0b", 3, NULL);
    ck_assert_str_eq(out, "a\\x00b");
}
END_TEST

START_TEST(a_text_fits_whatever_it_is_and_whatever_is_hidden)
{
    char from[700], out[TEXT_REDACTED_MAX];

    for (unsigned seed = 0; seed < 2000; seed++) {
        size_t size = 16 + seed % (TEXT_REDACTED_MAX - 15), len = seed * 7 % sizeof(from);

        for (size_t i = 0; i < len; i++)
            from[i] = (char)((seed * 31 + i * i * 7 + (i >> 3)) & 0xff);
        text_copy_redacted(out, size, from, len, seed % 3 == 0 ? "\x07" : NULL);
        ck_assert_uint_lt(strlen(out), size);
    }
    memset(from, 'x', sizeof(from));
    text_copy_redacted(out, sizeof(out), from, sizeof(from), "x");
    ck_assert_uint_lt(strlen(out), sizeof(out));
    ck_assert_ptr_null(strchr(out, 'x'));
}
END_TEST

/* ---- ids and URLs */

START_TEST(ids_are_checked_before_anything_is_sent)
{
    static const struct {
        const char *provider, *organization, *endpoint;
        bool good;
    } ids[] = {
        {"foil", ORG, ENDPOINT, true},
        {"foil", NULL, ENDPOINT, false},
        {"foil", ORG, NULL, false},
        {"foil", "org_", ENDPOINT, false},
        {"foil", "org_f6m39y94nh6fs513q03skj929", ENDPOINT, false},
        {"foil", "org_f6m39y94nh6fs513q03skj929cc", ENDPOINT, false},
        {"foil", "org_f6m39y94nh6fs513q03skj929i", ENDPOINT, false},
        {"foil", "org_F6M39Y94NH6FS513Q03SKJ929C", ENDPOINT, false},
        {"foil", ORG "\n", ENDPOINT, false},
        {"foil", ORG, "we_0123456789ABCDEF0123456789abcdef", false},
        {"foil", ORG, ENDPOINT "0", false},
        {"foil", ORG, "../../../../../../../../../../../x", false},
        {"foil", ORG, "", false},
        {"tripwire", ORG, ENDPOINT, true},
        {"tripwire", NULL, ENDPOINT, false},
        {"tripwire", ORG, "wh_123", false},
        {"shodai", NULL, "wh_123", true},
        {"shodai", ORG, "wh_123", false},
        {"shodai", NULL, "a-b.c~d_E9", true},
        {"shodai", NULL, ".", false},
        {"shodai", NULL, "..", false},
        {"shodai", NULL, "a/b", false},
        {"shodai", NULL, "a?b", false},
        {"shodai", NULL, "a%2fb", false},
        {"shodai", NULL, "a b", false},
        {"shodai", NULL, "", false},
        {"shodai", NULL, "\xc3\xa4", false},
        {"trulayer", NULL, "018f1234-5678-7abc-8def-0123456789ab", true},
        {"trulayer", NULL, "018F1234-5678-7ABC-8DEF-0123456789AB", true},
        {"trulayer", NULL, "018f1234-5678-7abc-8def-0123456789a", false},
        {"trulayer", NULL, "018f1234-5678-7abc-8def-0123456789abc", false},
        {"trulayer", NULL, "018f1234a5678-7abc-8def-0123456789ab", false},
        {"trulayer", NULL, "018f1234-5678-7abc-8def-0123456789ag", false},
        {"trulayer", NULL, ENDPOINT, false},
        {"emulated", NULL, "stripe", true},
        {"emulated", NULL, NULL, false},
        {"emulated", NULL, "a/b", false},
    };
    char why[PROVIDER_WHY_SIZE], long_id[200];

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct provider *p = provider_find(ids[i].provider);
        bool good;

        why[0] = '\0';
        good = provider_check_ids(p, ids[i].organization, ids[i].endpoint, why);
        ck_assert_msg(good == ids[i].good, "row %zu: %s", i, why);
        ck_assert_msg(good || strlen(why) > 20, "row %zu: %s", i, why);
    }
    memset(long_id, 'a', sizeof(long_id));
    long_id[sizeof(long_id) - 1] = '\0';
    ck_assert(!provider_check_ids(provider_find("shodai"), NULL, long_id, why));
    ck_assert_ptr_null(provider_find("stripe"));
    ck_assert_ptr_null(provider_find(""));
}
END_TEST

START_TEST(urls_are_those_of_the_providers_documentation)
{
    char url[PROVIDER_URL_SIZE], base[PROVIDER_URL_SIZE];

    ck_assert(
        provider_test_url(provider_find("foil"), "https://api.usefoil.com", ORG, ENDPOINT, url));
    ck_assert_str_eq(url, "https://api.usefoil.com/v1/organizations/" ORG
                          "/webhooks/endpoints/" ENDPOINT "/test");
    ck_assert(provider_test_url(provider_find("tripwire"), provider_find("tripwire")->base_url, ORG,
                                ENDPOINT, url));
    ck_assert_str_eq(url, "https://api.tripwirejs.com/v1/organizations/" ORG
                          "/webhooks/endpoints/" ENDPOINT "/test");
    ck_assert(provider_test_url(provider_find("shodai"), "http://h/x//", NULL, "wh_1", url));
    ck_assert_str_eq(url, "http://h/x/v0/webhooks/wh_1/test");
    ck_assert(provider_test_url(provider_find("trulayer"), "http://h", NULL, "u", url));
    ck_assert_str_eq(url, "http://h/v1/webhooks/u/test");
    ck_assert(provider_test_url(provider_find("emulated"), "http://h/", NULL, "github", url));
    ck_assert_str_eq(url, "http://h/emulator/sources/github/test");
    ck_assert(provider_event_url(provider_find("foil"), "http://h", ORG, EVENT, url));
    ck_assert_str_eq(url, "http://h/v1/organizations/" ORG "/events/" EVENT);
    ck_assert(!provider_event_url(provider_find("foil"), "http://h", ORG, "../x", url));
    ck_assert(!provider_event_url(provider_find("shodai"), "http://h", ORG, EVENT, url));
    memset(base, 'a', sizeof(base));
    base[sizeof(base) - 1] = '\0';
    ck_assert(!provider_test_url(provider_find("foil"), base, ORG, ENDPOINT, url));
    ck_assert_ptr_null(provider_base_problem("http://h:1/x"));
    ck_assert_ptr_nonnull(provider_base_problem("http://h/?a"));
    ck_assert_ptr_nonnull(provider_base_problem("http://h/\r\nX: y"));
    ck_assert_ptr_null(provider_key_problem("sk_test_1"));
    ck_assert_ptr_nonnull(provider_key_problem(""));
    ck_assert_ptr_nonnull(provider_key_problem("a b"));
    ck_assert_ptr_nonnull(provider_key_problem("a\r\nX-Evil: 1"));
    ck_assert_ptr_nonnull(provider_key_problem("\xc3\xa4"));
}
END_TEST

/* ---- provider answers */

static struct provider_answer read_answer(const char *provider, int status, const char *text)
{
    struct provider_bytes bytes = {status, text, strlen(text), false, "sk_secret"};
    struct provider_answer answer;

    provider_answer_read(provider_find(provider), &bytes, &answer);
    return answer;
}

START_TEST(a_provider_that_did_it_is_understood)
{
    struct provider_answer a;

    a = read_answer("foil", 202,
                    "{\"data\":{\"object\":\"webhook_test\",\"event_id\":\"" EVENT
                    "\",\"delivery_ids\":[\"wdlv_1\"],\"latest_delivery\":null},"
                    "\"meta\":{\"request_id\":\"req_1\"}}");
    ck_assert_int_eq(a.kind, PROVIDER_TRIGGERED);
    ck_assert_str_eq(a.event_id, EVENT);
    ck_assert_str_eq(a.delivery_id, "wdlv_1");
    ck_assert_int_eq(a.view.state, PROVIDER_PENDING);
    ck_assert_int_eq(a.view.status, -1);

    a = read_answer("foil", 202,
                    "{\"data\":{\"event_id\":\"" EVENT "\",\"delivery_ids\":[],"
                    "\"latest_delivery\":{\"status\":\"succeeded\",\"attempts\":2,"
                    "\"response_status\":200,\"response_body\":\"{\\\"receipt\\\":\\\"" RECEIPT
                    "\\\"}\",\"error\":null}}}");
    ck_assert_int_eq(a.view.state, PROVIDER_DELIVERED);
    ck_assert_int_eq(a.view.attempts, 2);
    ck_assert_int_eq(a.view.status, 200);
    ck_assert_str_eq(a.view.receipt, RECEIPT);

    a = read_answer("shodai", 201,
                    "{\"data\":{\"ok\":true,\"deliveryId\":\"whd_123\",\"status\":\"succeeded\","
                    "\"responseStatus\":204},\"meta\":{}}");
    ck_assert_int_eq(a.kind, PROVIDER_TRIGGERED);
    ck_assert_str_eq(a.delivery_id, "whd_123");
    ck_assert_int_eq(a.view.status, 204);
    a = read_answer("shodai", 201,
                    "{\"data\":{\"ok\":false,\"deliveryId\":\"whd_1\",\"status\":\"failed\","
                    "\"error\":\"timeout\"}}");
    ck_assert_int_eq(a.view.state, PROVIDER_FAILED);
    ck_assert_int_eq(a.view.status, 0);
    ck_assert_str_eq(a.view.error, "timeout");
    a = read_answer("shodai", 201,
                    "{\"data\":{\"ok\":false,\"deliveryId\":\"w\",\"status\":\"pending\"}}");
    ck_assert_int_eq(a.view.state, PROVIDER_PENDING);
    ck_assert_int_eq(a.view.status, -1);

    a = read_answer("shodai", 201,
                    "{\"data\":{\"ok\":false,\"deliveryId\":\"w\",\"status\":\"queued\"}}");
    ck_assert_int_eq(a.view.state, PROVIDER_UNKNOWN); /* a word that may yet come */
    ck_assert_int_eq(a.view.status, -1);

    a = read_answer("trulayer", 200, "{\"status\":401,\"body\":\"no\"}");
    ck_assert_int_eq(a.kind, PROVIDER_TRIGGERED);
    ck_assert_int_eq(a.view.state, PROVIDER_FAILED);
    ck_assert_int_eq(a.view.status, 401);
    a = read_answer("trulayer", 200, "{\"status\":0,\"body\":\"\"}");
    ck_assert_int_eq(a.view.status, 0);
    a = read_answer("emulated", 200, "{\"status\":200,\"body\":\"\",\"id\":\"evt_1\"}");
    ck_assert_str_eq(a.event_id, "evt_1");
}
END_TEST

START_TEST(a_refusal_is_told_in_the_providers_words_without_the_key)
{
    struct provider_answer a;

    a = read_answer("foil", 401,
                    "{\"error\":{\"code\":\"auth.invalid_api_key\",\"message\":\"Bad key "
                    "sk_secret\\u001b[31m.\",\"status\":401}}");
    ck_assert_int_eq(a.kind, PROVIDER_REFUSED);
    ck_assert_str_eq(a.said, "auth.invalid_api_key: Bad key (hidden)\\x1b[31m.");
    a = read_answer("trulayer", 422, "{\"error\":\"webhook.url.not_https\"}");
    ck_assert_str_eq(a.said, "webhook.url.not_https");
    a = read_answer("trulayer", 404, "<html>\n<h1>sk_secret</h1>");
    ck_assert_int_eq(a.kind, PROVIDER_REFUSED);
    ck_assert_str_eq(a.said, "HTML instead of JSON: <html> <h1>(hidden)</h1>");
    a = read_answer("shodai", 404, "");
    ck_assert_str_eq(a.said, "an empty body instead of JSON");
    a = read_answer("shodai", 503, "{\"error\":{\"code\":\"x\"}}");
    ck_assert_int_eq(a.kind, PROVIDER_ODD);
    ck_assert_str_eq(a.said, "x");
}
END_TEST

/* No provider and no status makes any of these texts credible. */
START_TEST(hostile_answers_are_odd_and_do_no_harm)
{
    static const char *const providers[] = {"foil", "shodai", "trulayer", "emulated"};
    static const char *const texts[] = {
        "",
        " \r\n",
        "<html>",
        "nonsense",
        "{",
        "[]",
        "null",
        "1e999",
        "\"text\"",
        "{}",
        "{\"data\":null}",
        "{\"data\":[]}",
        "{\"data\":{}}",
        "{\"data\":{\"event_id\":1}}",
        "{\"data\":{\"event_id\":\"wevt_\"}}",
        "{\"data\":{\"event_id\":\"\",\"ok\":1}}",
        "{\"data\":{\"ok\":\"true\",\"deliveryId\":\"w\",\"status\":\"succeeded\"}}",
        "{\"data\":{\"ok\":true,\"deliveryId\":null,\"status\":\"succeeded\"}}",
        "{\"data\":{\"ok\":true,\"deliveryId\":\"w\",\"status\":7}}",
        "{\"status\":\"200\",\"body\":\"\"}",
        "{\"status\":-1,\"body\":\"\"}",
        "{\"status\":1e300,\"body\":\"\"}",
        "{\"status\":200,\"body\":null}",
        "{\"status\":200}",
        "{\"error\":\"x\"}",
        "{\"error\":{}}",
        "{\"error\":[[[[]]]]}",
        "\xff\xfe\xfd",
        "{\"data\":{\"event_id\":\"\\ud800\"}}",
    };
    static const int statuses[] = {200, 201, 202, 204, 301, 400, 401, 500};
    struct provider_answer a;
    struct provider_view view;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t j = 0; j < 4 * (sizeof(statuses) / sizeof(statuses[0])); j++) {
            int status = statuses[j / 4];
            struct provider_bytes bytes = {status, texts[i], strlen(texts[i]), false, NULL};

            a = read_answer(providers[j % 4], status, texts[i]);
            ck_assert_msg(a.kind == (status / 100 == 4 ? PROVIDER_REFUSED : PROVIDER_ODD),
                          "%s: %d %s", providers[j % 4], status, texts[i]);
            ck_assert_uint_gt(strlen(a.said), 0);
            ck_assert(!provider_answer_read_event(&bytes, ENDPOINT, &view));
            ck_assert_uint_gt(strlen(view.error), 0);
        }
    }
}
END_TEST

START_TEST(huge_and_deep_answers_are_odd)
{
    enum {
        SIZE = 1 << 20
    };
    char *text = malloc(SIZE);
    struct provider_bytes bytes = {200, text, SIZE, false, NULL};
    struct provider_answer a;

    memset(text, '[', SIZE);
    provider_answer_read(provider_find("trulayer"), &bytes, &a);
    ck_assert_int_eq(a.kind, PROVIDER_ODD);
    memset(text, 'a', SIZE);
    memcpy(text, "{\"status\":200,\"body\":\"", 22);
    memcpy(text + SIZE - 2, "\"}", 2);
    provider_answer_read(provider_find("trulayer"), &bytes, &a);
    ck_assert_int_eq(a.kind, PROVIDER_TRIGGERED);
    ck_assert_uint_lt(strlen(a.view.body), sizeof(a.view.body));
    bytes.cut = true;
    provider_answer_read(provider_find("trulayer"), &bytes, &a);
    ck_assert_int_eq(a.kind, PROVIDER_ODD);
    ck_assert_ptr_nonnull(strstr(a.said, "more than 1 MiB"));
    memset(text, 0, SIZE);
    bytes.cut = false;
    provider_answer_read(provider_find("foil"), &bytes, &a);
    ck_assert_int_eq(a.kind, PROVIDER_ODD);
    free(text);
}
END_TEST

START_TEST(of_an_event_the_delivery_to_our_endpoint_counts)
{
    static const char text[] =
        "{\"data\":{\"webhook_deliveries\":[{\"endpoint_id\":\"we_other\",\"status\":\"failed\"},"
        "{\"endpoint_id\":\"" ENDPOINT "\",\"status\":\"%s\",\"attempts\":1,"
        "\"response_status\":%s,\"response_body\":null,\"error\":%s}]}}";
    static const struct {
        const char *word, *status, *error;
        enum provider_state state;
        int got;
    } rows[] = {
        {"pending", "null", "null", PROVIDER_PENDING, -1},
        {"delivering", "null", "null", PROVIDER_PENDING, -1},
        {"pending", "401", "null", PROVIDER_RETRYING, 401},
        {"pending", "null", "\"ECONNREFUSED\"", PROVIDER_RETRYING, 0},
        {"succeeded", "204", "null", PROVIDER_DELIVERED, 204},
        {"failed", "null", "null", PROVIDER_FAILED, 0},
        {"failed", "500", "null", PROVIDER_FAILED, 500},
        {"skipped", "null", "null", PROVIDER_SKIPPED, -1},
        {"levitating", "null", "null", PROVIDER_UNKNOWN, -1},
    };
    char json[600];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int len = snprintf(json, sizeof(json), text, rows[i].word, rows[i].status, rows[i].error);
        struct provider_bytes bytes = {200, json, (size_t)len, false, NULL};
        struct provider_view view;

        ck_assert(provider_answer_read_event(&bytes, ENDPOINT, &view));
        ck_assert_msg(view.state == rows[i].state && view.status == rows[i].got, "row %zu: %d %d",
                      i, view.state, view.status);
        ck_assert(!provider_answer_read_event(&bytes, "we_none", &view));
    }
}
END_TEST

START_TEST(only_a_receipt_of_ours_is_one)
{
    static const struct {
        const char *body, *receipt;
    } bodies[] = {
        {"{\\\"receipt\\\":\\\"" RECEIPT "\\\"}", RECEIPT},
        {"{\\\"status\\\":\\\"accepted\\\",\\\"receipt\\\":\\\"" RECEIPT "\\\"", RECEIPT},
        {"{\\\"receipt\\\":\\\"9f3c61d80b52e7a\\\"}", ""},
        {"{\\\"receipt\\\":\\\"9f3c61d80b52e7a45\\\"}", ""},
        {"{\\\"receipt\\\":\\\"9F3C61D80B52E7A4\\\"}", ""},
        {"{\\\"receipt\\\":\\\"", ""},
        {"{\\\"receipt\\\":null}", ""},
    };
    char text[200];

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        snprintf(text, sizeof(text), "{\"status\":200,\"body\":\"%s\"}", bodies[i].body);
        ck_assert_str_eq(read_answer("trulayer", 200, text).view.receipt, bodies[i].receipt);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("provider");
    TCase *c = tcase_create("provider");

    tcase_add_test(c, what_others_say_is_one_printable_line);
    tcase_add_test(c, a_text_fits_whatever_it_is_and_whatever_is_hidden);
    tcase_add_test(c, ids_are_checked_before_anything_is_sent);
    tcase_add_test(c, urls_are_those_of_the_providers_documentation);
    tcase_add_test(c, a_provider_that_did_it_is_understood);
    tcase_add_test(c, a_refusal_is_told_in_the_providers_words_without_the_key);
    tcase_add_test(c, hostile_answers_are_odd_and_do_no_harm);
    tcase_add_test(c, huge_and_deep_answers_are_odd);
    tcase_add_test(c, of_an_event_the_delivery_to_our_endpoint_counts);
    tcase_add_test(c, only_a_receipt_of_ours_is_one);
    suite_add_tcase(s, c);
    return s;
}
