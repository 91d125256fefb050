/* SPDX-License-Identifier: MIT
 *
 * Parts of a ping that need neither a provider nor a sink: match of the delivery, diagnosis,
 * timeline.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping/diagnosis.h"
#include "cli/ping/observed.h"
#include "cli/ping/provider.h"
#include "cli/ping/report.h"
#include "tests/run.h"

#define ENDPOINT "we_0123456789abcdef0123456789abcdef"
#define RECEIPT  "9f3c61d80b52e7a4"

/* ---- match of the delivery */

static struct observed_event sight(const char *json)
{
    cJSON *line = cJSON_Parse(json);
    struct observed_event s;

    ck_assert_ptr_nonnull(line);
    ck_assert(observed_event_read(&s, line, 1000000000));
    cJSON_Delete(line);
    return s;
}

START_TEST(a_line_is_read_as_far_as_it_makes_sense)
{
    static const char *const others[] = {"{}", "{\"verdict\":\"forwarded\"}", "{\"verdict\":7}",
                                         "{\"lost_lines\":1}", "[]"};
    struct observed_event s =
        sight("{\"time\":\"1970-01-01T00:16:40.123Z\",\"source\":\"foil\","
              "\"verdict\":\"stored\",\"status\":200,\"receipt\":\"" RECEIPT "\","
              "\"seq\":17,\"id\":\"a\",\"test\":true,\"signed_at\":1000,"
              "\"secret\":1,\"bytes\":5,\"duration_us\":77}");

    ck_assert_int_eq(s.time_us, 1000123000);
    ck_assert_int_eq(s.seq, 17);
    ck_assert_int_eq(s.secret, 1);
    ck_assert(s.test && observed_event_is_accepted(&s));
    ck_assert_str_eq(s.receipt, RECEIPT);
    s = sight("{\"verdict\":\"refused\",\"time\":\"soon\",\"seq\":\"17\",\"status\":1e99,"
              "\"signed_at\":null,\"source\":null,\"id\":[]}");
    ck_assert_int_eq(s.time_us, 1000000000);
    ck_assert(s.seq == -1 && s.status == -1 && s.signed_at == -1 && s.source[0] == '\0');
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cJSON *line = cJSON_Parse(others[i]);

        ck_assert(!observed_event_read(&s, line, 0));
        cJSON_Delete(line);
    }
}
END_TEST

static const char *const lines[] = {
    /* 0 */ "{\"verdict\":\"stored\",\"source\":\"foil\",\"status\":200,\"seq\":1,\"id\":\"live\"}",
    /* 1 */
    "{\"verdict\":\"stored\",\"source\":\"foil\",\"status\":200,\"seq\":2,\"id\":\"t1\","
    "\"test\":true,\"receipt\":\"1111111111111111\"}",
    /* 2 */
    "{\"verdict\":\"duplicate\",\"source\":\"foil\",\"status\":200,\"seq\":2,\"id\":\"t1\","
    "\"test\":true,\"receipt\":\"2222222222222222\"}",
    /* 3 */
    "{\"verdict\":\"refused\",\"source\":\"foil\",\"status\":401,\"id\":null,"
    "\"receipt\":\"3333333333333333\"}",
    /* 4 */ "{\"verdict\":\"refused\",\"source\":null,\"status\":404,\"id\":null}",
    /* 5 */
    "{\"verdict\":\"stored\",\"source\":\"other\",\"status\":200,\"seq\":5,\"id\":\"t5\","
    "\"test\":true}",
    /* 6 */ "{\"verdict\":\"refused\",\"source\":\"other\",\"status\":401,\"id\":null}",
    /* 7 */
    "{\"verdict\":\"stored\",\"source\":\"foil\",\"status\":200,\"seq\":8,\"id\":\"t8\","
    "\"test\":true}",
};

/* Finds the match among the lines with these numbers. */
static enum observed_match find(const char *numbers, const struct observed_query *wanted,
                                size_t *at, size_t *rivals)
{
    struct observed_events list = {0};
    enum observed_match match;

    for (const char *n = numbers; *n != '\0'; n++) {
        struct observed_event s = sight(lines[*n - '0']);

        ck_assert(observed_events_add(&list, &s));
    }
    match = observed_events_find(&list, wanted, at, rivals);
    if (match != OBSERVED_MATCH_NONE)
        *at = (size_t)(numbers[*at] - '0');
    observed_events_free(&list);
    return match;
}

START_TEST(the_delivery_is_found_by_receipt_by_id_and_last_by_time)
{
    static const struct {
        const char *lines, *receipt, *id;
        int status;
        bool by_time;
        enum observed_match match;
        size_t at, rivals;
    } rows[] = {
        {"01234567", "2222222222222222", "", 200, true, OBSERVED_MATCH_RECEIPT, 2, 0},
        {"01234567", "3333333333333333", "t1", 401, true, OBSERVED_MATCH_RECEIPT, 3, 0},
        {"01234567", "4444444444444444", "", 200, true, OBSERVED_MATCH_NONE, 0, 0},
        {"01234567", "", "t1", -1, false, OBSERVED_MATCH_ID, 1, 0},
        {"2", "", "t1", -1, false, OBSERVED_MATCH_ID, 2, 0},
        {"01234567", "", "none", -1, false, OBSERVED_MATCH_NONE, 0, 0},
        {"0125", "", "none", 200, true, OBSERVED_MATCH_NONE, 0, 0},
        {"01253", "", "none", 401, true, OBSERVED_MATCH_TIME, 3, 0},
        {"", "", "", 200, true, OBSERVED_MATCH_NONE, 0, 0},
        {"0", "", "", 200, true, OBSERVED_MATCH_NONE, 0, 0}, /* not a test delivery */
        {"01", "", "", 200, true, OBSERVED_MATCH_TIME, 1, 0},
        {"012", "", "", 200, true, OBSERVED_MATCH_TIME, 1, 0}, /* a duplicate is no rival */
        {"0127", "", "", 200, true, OBSERVED_MATCH_TIME, 1, 1},
        {"17", "", "", 500, true, OBSERVED_MATCH_TIME_ONLY, 1, 1}, /* the application's status */
        {"13", "", "", 401, true, OBSERVED_MATCH_TIME, 3, 0},
        {"14", "", "", 404, true, OBSERVED_MATCH_TIME, 4, 0},
        {"34", "", "", 404, true, OBSERVED_MATCH_TIME, 4, 0}, /* another path */
        {"36", "", "", 401, true, OBSERVED_MATCH_TIME, 3, 0},
        {"6", "", "", 401, true, OBSERVED_MATCH_TIME_ONLY, 6, 0},
        {"6", "", "", 0, true, OBSERVED_MATCH_NONE, 0, 0},
        {"5", "", "", 200, true, OBSERVED_MATCH_TIME_ONLY, 5, 0},
        {"5", "", "", -1, true, OBSERVED_MATCH_NONE, 0, 0},
        {"1", "", "", 0, true, OBSERVED_MATCH_TIME_ONLY, 1, 0},
        {"3", "", "", 0, true, OBSERVED_MATCH_NONE, 0, 0},
        {"3", "", "", -1, true, OBSERVED_MATCH_TIME_ONLY, 3, 0},
        {"13", "", "none", -1, true, OBSERVED_MATCH_TIME_ONLY, 3, 0},
        {"3", "", "", 200, true, OBSERVED_MATCH_NONE, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct observed_query wanted = {.source = "foil",
                                              .receipt = rows[i].receipt,
                                              .event_id = rows[i].id,
                                              .delivery_id = "",
                                              .by_time = rows[i].by_time,
                                              .status = rows[i].status};
        size_t at = 0, rivals = 0;
        enum observed_match match = find(rows[i].lines, &wanted, &at, &rivals);

        ck_assert_msg(match == rows[i].match, "row %zu: match %d", i, match);
        if (match != OBSERVED_MATCH_NONE)
            ck_assert_msg(at == rows[i].at && rivals == rows[i].rivals, "row %zu: %zu, %zu", i, at,
                          rivals);
    }
}
END_TEST

START_TEST(a_pending_delivery_is_found_by_the_providers_id_and_at_last_elsewhere)
{
    static const struct {
        const char *lines, *delivery_id;
        int status;
        enum observed_match match;
        size_t at;
    } rows[] = {
        {"017", "t8", -1, OBSERVED_MATCH_ID, 7},
        {"01", "t8", -1, OBSERVED_MATCH_TIME_ONLY, 1},
        {"5", "", -1, OBSERVED_MATCH_TIME_ONLY, 5},
        {"15", "", -1, OBSERVED_MATCH_TIME_ONLY, 1},
        {"35", "", -1, OBSERVED_MATCH_TIME_ONLY, 3},
        {"6", "", -1, OBSERVED_MATCH_NONE, 0},
        {"4", "", -1, OBSERVED_MATCH_NONE, 0},
        {"5", "", 0, OBSERVED_MATCH_NONE, 0}, /* the provider got no answer */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct observed_query wanted = {.source = "foil",
                                              .receipt = "",
                                              .event_id = "",
                                              .delivery_id = rows[i].delivery_id,
                                              .by_time = true,
                                              .elsewhere = true,
                                              .status = rows[i].status};
        size_t at = 0, rivals = 0;
        enum observed_match match = find(rows[i].lines, &wanted, &at, &rivals);

        ck_assert_msg(match == rows[i].match && at == rows[i].at, "row %zu: match %d at %zu", i,
                      match, at);
    }
}
END_TEST

START_TEST(what_came_before_or_after_is_another_delivery)
{
    struct observed_query wanted = {
        .source = "foil",
        .receipt = "",
        .event_id = "",
        .delivery_id = "",
        .by_time = true,
        .status = 200,
    };
    struct observed_events list = {0};
    struct observed_event s = sight(lines[1]);
    size_t at, rivals;

    s.time_us = 5000000;
    s.seen_us = 5000500;
    ck_assert(observed_events_add(&list, &s));
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_TIME);
    wanted.until_us = 5000000;
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_TIME);
    wanted.until_us = 4999999;
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_NONE);
    wanted.until_us = 0;
    wanted.from_us = 5000000;
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_TIME);
    wanted.from_us = 5000001;
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_NONE);
    list.at[0].seen_us = 50000000; /* the sink's own clock */
    ck_assert_int_eq(observed_events_find(&list, &wanted, &at, &rivals), OBSERVED_MATCH_TIME);
    observed_events_free(&list);
}
END_TEST

START_TEST(of_very_many_lines_the_oldest_are_forgotten)
{
    struct observed_events list = {0};
    struct observed_event s = sight(lines[1]);

    for (int i = 0; i < 5000; i++) {
        s.seq = i;
        ck_assert(observed_events_add(&list, &s));
    }
    ck_assert_uint_eq(list.count + list.forgotten, 5000);
    ck_assert_int_eq(list.at[list.count - 1].seq, 4999);
    observed_events_free(&list);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

/* ---- diagnosis */

static struct observed base(const char *provider, const char *line)
{
    struct observed f = {
        .provider = provider_find(provider),
        .endpoint = ENDPOINT,
        .base_url = "http://p",
        .source = "foil",
        .sink = "unix:s",
        .timeout_us = 30000000,
        .triggered_us = 999990000,
        .answered_us = 999995000,
        .answered = true,
        .answer = {.kind = PROVIDER_TRIGGERED, .status = 202},
        .view = {.state = PROVIDER_DELIVERED, .status = 200, .attempts = 1},
        .view_us = 999996000,
        .alone = true,
    };

    if (line != NULL) {
        f.seen = sight(line);
        f.match = OBSERVED_MATCH_ID;
    }
    return f;
}

static void diagnosed(const struct observed *f, enum outcome outcome, const char *name,
                      const char *words)
{
    struct diagnosis d;

    diagnosis_make(&d, f);
    ck_assert_msg(strstr(d.text, words) != NULL, "%s: no \"%s\"", d.text, words);
    ck_assert_str_eq(d.name, name);
    ck_assert_msg(d.outcome == outcome, "%s: %d", d.text, d.outcome);
    ck_assert_msg(d.text[0] != '\0' && d.text[strlen(d.text) - 1] != '.' &&
                      strchr(d.text, '\n') == NULL && strlen(d.text) < 700,
                  "%s", d.text);
}

START_TEST(what_went_well_is_confirmed)
{
    struct observed f = base("foil", lines[1]);

    f.seen.fresh = true;
    diagnosed(&f, OUTCOME_GOOD, "confirmed", "stored as 2 in");
    f.forwarded = true;
    diagnosed(&f, OUTCOME_TIMEOUT, "not_forwarded", "did not list its destinations within 30 s");
    f.destinations_known = true;
    diagnosed(&f, OUTCOME_REFUSED, "no_destination", "no destination takes");
    f.destinations_count = 1;
    f.destinations[0] =
        (struct observed_destination){.name = "app", .state = OBSERVED_TAKEN, .reason = "it an"};
    diagnosed(&f, OUTCOME_GOOD, "confirmed", ", and accepted by app");
    f.destinations[0].state = OBSERVED_RETRYING;
    diagnosed(&f, OUTCOME_TIMEOUT, "not_forwarded", "app did not accept it within 30 s: it an");
    f.destinations[0].state = OBSERVED_PARKED;
    diagnosed(&f, OUTCOME_REFUSED, "parked", "hookline replay 2 --destination app");
    f.forwarded = false;
    diagnosed(&f, OUTCOME_GOOD, "confirmed", "app has not accepted it yet: it an");
    f.match = OBSERVED_MATCH_TIME;
    f.rivals = 1;
    diagnosed(&f, OUTCOME_GOOD, "confirmed", "may be another test delivery");
}
END_TEST

START_TEST(what_the_provider_says_must_fit_what_the_sink_says)
{
    struct observed f = base("trulayer", lines[1]);

    f.view.status = 0;
    f.view.state = PROVIDER_FAILED;
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "answer_lost", "the sink's answer came too late");
    f.view.status = 502;
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "answer_replaced",
              "answered 200, but TruLayer got 502");
    f.match = OBSERVED_MATCH_RECEIPT;
    diagnosed(&f, OUTCOME_REFUSED, "application_failed",
              "relays the application's answer: TruLayer");
    f.view.status = 204;
    diagnosed(&f, OUTCOME_GOOD, "confirmed", "");
    f.forwarded = true;
    snprintf(f.sink_problem, sizeof(f.sink_problem), "unix:s: gone");
    diagnosed(&f, OUTCOME_TRANSPORT, "sink_lost", "stored as 2, but then: unix:s: gone");
}
END_TEST

START_TEST(a_provider_that_did_not_do_it_is_told_from_a_sink_that_did_not)
{
    struct observed f = base("foil", NULL);

    f.answered = false;
    diagnosed(&f, OUTCOME_TRANSPORT, "no_answer", "did not answer within 30 s");
    snprintf(f.no_answer, sizeof(f.no_answer), "refused");
    diagnosed(&f, OUTCOME_TRANSPORT, "no_answer", "no answer from Foil at http://p: refused");
    f.answered = true;
    f.answer.kind = PROVIDER_ODD;
    f.answer.status = 301;
    snprintf(f.answer.said, sizeof(f.answer.said), "HTML");
    diagnosed(&f, OUTCOME_TRANSPORT, "odd_answer", "redirects are not followed");
    f.answer.kind = PROVIDER_REFUSED;
    for (int status = 400; status < 500; status++) {
        f.answer.status = status;
        diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "provider_refused", "Foil ");
    }
    snprintf(f.answer.said, sizeof(f.answer.said), "webhook.url.private_ip");
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "provider_refused", "a public one");
}
END_TEST

START_TEST(where_nothing_came_the_providers_view_tells_why)
{
    struct observed f = base("foil", NULL);

    diagnosed(&f, OUTCOME_TIMEOUT, "elsewhere", "not to this sink: another server answered 200");
    f.view = (struct provider_view){.state = PROVIDER_FAILED, .status = 502, .body = "<html>"};
    diagnosed(&f, OUTCOME_TIMEOUT, "elsewhere", "answered 502 (<html>)");
    f.view = (struct provider_view){.state = PROVIDER_FAILED, .status = 0, .error = "ENOTFOUND"};
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "unreachable",
              "could not deliver (ENOTFOUND): the endpoint");
    f.view.error[0] = '\0';
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "unreachable",
              "could not deliver: the endpoint's URL is unreachable");
    f.view = (struct provider_view){.state = PROVIDER_SKIPPED, .status = -1, .word = "skipped"};
    diagnosed(&f, OUTCOME_PROVIDER_REFUSED, "disabled", "is the endpoint disabled?");
    f.view = (struct provider_view){.state = PROVIDER_PENDING, .status = -1, .word = "pending"};
    diagnosed(&f, OUTCOME_TIMEOUT, "nothing_came", "reported only pending");
    f.lost = 3;
    diagnosed(&f, OUTCOME_TIMEOUT, "nothing_came", "3 other events");
    snprintf(f.sink_problem, sizeof(f.sink_problem), "unix:s: gone");
    diagnosed(&f, OUTCOME_TRANSPORT, "sink_lost", "unix:s: gone");
}
END_TEST

/* By the sink's clock, signed at 1412 and received at 1000.123. */
START_TEST(of_a_wrong_clock_it_is_told_by_how_much_and_whose_it_is)
{
    struct observed f = base("foil", "{\"verdict\":\"refused\",\"reason\":\"timestamp_too_new\","
                                     "\"status\":401,\"source\":\"foil\",\"signed_at\":1412,"
                                     "\"time\":\"1970-01-01T00:16:40.123Z\"}");

    diagnosed(&f, OUTCOME_STALE, "clock",
              "ahead of the sink's, or the sink's is 412 s behind; compare");
    f.date_us = f.answered_us + 412000000;
    diagnosed(&f, OUTCOME_STALE, "clock", "correct this machine's clock");
    f.date_us = f.answered_us - 900000;
    diagnosed(&f, OUTCOME_STALE, "clock", "agrees with this machine's");
    f.seen.seen_us += 500000000;
    diagnosed(&f, OUTCOME_STALE, "clock", "the sink's clock is 500 s behind this machine's");
    f = base("foil", "{\"verdict\":\"refused\",\"reason\":\"timestamp_too_old\",\"status\":401,"
                     "\"source\":\"foil\",\"signed_at\":400,"
                     "\"time\":\"1970-01-01T00:16:40.000Z\"}");
    diagnosed(&f, OUTCOME_STALE, "clock", "it was signed 600 s before it arrived");
    snprintf(f.seen.hint, sizeof(f.seen.hint), "timestamp_unit");
    diagnosed(&f, OUTCOME_STALE, "timestamp_unit", "the wrong unit");
    f.seen.hint[0] = '\0';
    f.seen.signed_at = -1;
    diagnosed(&f, OUTCOME_STALE, "clock", "outside the accepted window");
    f.seen.signed_at = 8999999999999999;
    diagnosed(&f, OUTCOME_STALE, "clock", "before it arrived");
}
END_TEST

START_TEST(every_reason_and_every_hint_has_a_sentence)
{
    static const char *const reasons[] = {
        "missing_header",      "ambiguous_header",    "invalid_signature_format",
        "signature_mismatch",  "invalid_timestamp",   "invalid_webhook_id",
        "webhook_id_mismatch", "invalid_payload",     "bad_request",
        "not_found",           "method_not_allowed",  "request_timeout",
        "body_too_large",      "expectation_failed",  "too_many_connections",
        "unavailable",         "no_memory",           "upstream_failed",
        "upstream_timeout",    "a_reason_of_tomorrow"};
    static const char *const hints[] = {"other_source",  "body_reencoded", "body_newline",
                                        "body_crlf",     "secret_newline", "secret_decoding",
                                        "timestamp_unit"};
    static const char *const causes[] = {"body_base64", "secret_quotes", "url_slash"};
    struct observed f = base("foil", lines[3]);

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        snprintf(f.seen.reason, sizeof(f.seen.reason), "%s", reasons[i]);
        diagnosed(&f, OUTCOME_REFUSED, reasons[i], reasons[i]);
    }
    snprintf(f.seen.reason, sizeof(f.seen.reason), "signature_mismatch");
    snprintf(f.seen.hint_source, sizeof(f.seen.hint_source), "stripe");
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        snprintf(f.seen.hint, sizeof(f.seen.hint), "%s", hints[i]);
        diagnosed(&f, OUTCOME_REFUSED, hints[i], i == 0 ? "matches source stripe" : "Foil");
    }
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        snprintf(f.seen.hint, sizeof(f.seen.hint), "%s", causes[i]);
        diagnosed(&f, OUTCOME_REFUSED, causes[i], "the signature matches the ");
    }
    snprintf(f.seen.hint, sizeof(f.seen.hint), "hint_of_tomorrow");
    diagnosed(&f, OUTCOME_REFUSED, "hint_of_tomorrow", "no secret of this source");
}
END_TEST

/* A remote sink's clock may have any value. */
START_TEST(times_are_the_sinks_if_they_can_be)
{
    struct observed f = base("foil", lines[1]);

    f.seen.duration_us = 3000;
    f.seen.time_us = 999999000;
    f.seen.seen_us = 1000005000;
    ck_assert_int_eq(observed_received_us(&f), 999999000);
    ck_assert_int_eq(observed_settled_us(&f), 1000002000);
    f.seen.time_us = 5;
    ck_assert_int_eq(observed_received_us(&f), 1000002000);
    f.seen.time_us = INT64_MAX;
    ck_assert_int_eq(observed_received_us(&f), 1000002000);
    f.seen.time_us = f.triggered_us - 999;
    ck_assert_int_eq(observed_received_us(&f), f.triggered_us);
    f.seen.duration_us = -1;
    f.seen.time_us = 5;
    ck_assert_int_eq(observed_received_us(&f), 1000005000);
}
END_TEST

/* ---- the timeline */

START_TEST(rows_are_in_the_order_of_their_times_and_aligned)
{
    struct timeline *t = calloc(1, sizeof(*t));
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    cJSON *json;

    timeline_add(t, "triggered", 1000000000, TERMINAL_PLAIN, "a %d", 1);
    timeline_add(t, "stored", 1012345678, TERMINAL_GOOD, "b");
    timeline_add(t, "received", 1000002999, TERMINAL_PLAIN, "c");
    timeline_add(t, "verified", 1000002999, TERMINAL_PLAIN, "d");
    timeline_add(t, "early", 5, TERMINAL_PLAIN, "e");
    timeline_print(t, stream);
    fclose(stream);
    ck_assert_str_eq(text, "triggered      0 ms  a 1\n"
                           "early          0 ms  e\n"
                           "received       2 ms  c\n"
                           "verified       2 ms  d\n"
                           "stored     12345 ms  b\n");
    free(text);
    json = timeline_json(t);
    text = cJSON_PrintUnformatted(cJSON_GetArrayItem(json, 2));
    ck_assert_str_eq(text, "{\"what\":\"received\",\"time\":\"1970-01-01T00:16:40.002Z\","
                           "\"ms\":2.999,\"text\":\"c\"}");
    free(text);
    cJSON_Delete(json);
    for (int i = 0; i < 2 * TIMELINE_ROWS_MAX; i++)
        timeline_add(t, "more", 2000000000 - i, TERMINAL_PLAIN, "f");
    ck_assert_uint_eq(t->count, TIMELINE_ROWS_MAX);
    free(t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("ping");
    TCase *c = tcase_create("ping");

    tcase_add_test(c, a_line_is_read_as_far_as_it_makes_sense);
    tcase_add_test(c, the_delivery_is_found_by_receipt_by_id_and_last_by_time);
    tcase_add_test(c, a_pending_delivery_is_found_by_the_providers_id_and_at_last_elsewhere);
    tcase_add_test(c, what_came_before_or_after_is_another_delivery);
    tcase_add_test(c, of_very_many_lines_the_oldest_are_forgotten);
    tcase_add_test(c, what_went_well_is_confirmed);
    tcase_add_test(c, what_the_provider_says_must_fit_what_the_sink_says);
    tcase_add_test(c, a_provider_that_did_not_do_it_is_told_from_a_sink_that_did_not);
    tcase_add_test(c, where_nothing_came_the_providers_view_tells_why);
    tcase_add_test(c, of_a_wrong_clock_it_is_told_by_how_much_and_whose_it_is);
    tcase_add_test(c, every_reason_and_every_hint_has_a_sentence);
    tcase_add_test(c, times_are_the_sinks_if_they_can_be);
    tcase_add_test(c, rows_are_in_the_order_of_their_times_and_aligned);
    suite_add_tcase(s, c);
    return s;
}
