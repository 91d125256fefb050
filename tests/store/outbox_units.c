/* SPDX-License-Identifier: MIT
 *
 * The outbox, without a forwarder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/outbox.h"
#include "tests/run.h"
#include "tests/store/store_kit.h"

static struct db *db;
static struct deliveries *deliveries;
static struct outbox *outbox;
static int64_t app; /* a destination's number */

static void open_all(void)
{
    int64_t cursor;

    make_folder();
    db = open_store();
    deliveries = open_shelf(db);
    execute(db, "PRAGMA synchronous=OFF");
    outbox = outbox_open(db, why);
    ck_assert_msg(outbox != NULL, "%s", why);
    ck_assert_int_eq(outbox_register(outbox, "app", 0, &app, &cursor), SQLITE_OK);
    ck_assert_int_eq(cursor, 0);
}

static void close_all(void)
{
    outbox_close(&outbox);
    deliveries_close(&deliveries);
    db_close(&db);
    remove_folder();
}

/* Stores deliveries of source "foil", and every `nth` of "rare". */
static void fill(int count, int nth)
{
    for (int i = 1; i <= count; i++) {
        char id[32];
        struct delivery_row e;

        snprintf(id, sizeof(id), "evt_%d", i);
        e = entry_of(nth > 0 && i % nth == 0 ? "rare" : "foil", id, NULL);
        put(db, deliveries, &e);
    }
}

static bool any(const void *data, hookline_bytes source, hookline_bytes type)
{
    (void)data, (void)source, (void)type;
    return true;
}

static bool of_source(const void *data, hookline_bytes source, hookline_bytes type)
{
    (void)type;
    return source.len == strlen(data) && memcmp(source.base, data, source.len) == 0;
}

/* ---- new deliveries */

START_TEST(new_deliveries_come_in_the_order_of_their_arrival)
{
    struct delivery_row *delivery;
    int64_t after = 0;
    bool more;

    fill(3, 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(outbox_next(outbox, &after, any, NULL, &delivery, &more), SQLITE_ROW);
        ck_assert_int_eq(after, i);
        ck_assert_int_eq(delivery->seq, i);
        free(delivery);
    }
    ck_assert_int_eq(outbox_next(outbox, &after, any, NULL, &delivery, &more), SQLITE_DONE);
    ck_assert(!more);
    ck_assert_int_eq(after, 3);
    ck_assert_ptr_null(delivery);
}
END_TEST

START_TEST(what_nobody_wants_is_passed_over_in_small_steps)
{
    struct delivery_row *delivery = NULL;
    int64_t after = 0, last;
    bool more = true;
    int calls = 0, code;

    fill(1000, 1000);
    do {
        last = after;
        code = outbox_next(outbox, &after, of_source, "rare", &delivery, &more);
        ck_assert_int_gt(after, last);
        calls++;
    } while (code == SQLITE_DONE && more);
    ck_assert_int_eq(code, SQLITE_ROW);
    ck_assert_int_eq(delivery->seq, 1000);
    ck_assert_int_gt(calls, 2);
    free(delivery);
}
END_TEST

START_TEST(a_delivery_comes_back_as_it_was_put)
{
    static const char body[] = "\0\x01 any \xff bytes";
    struct delivery_row e = entry_of("foil", "evt", NULL), *delivery;

    e.body = (hookline_bytes){body, sizeof(body)};
    e.type = (hookline_bytes){0};
    e.signed_at = -1;
    put(db, deliveries, &e);
    ck_assert_int_eq(outbox_read_delivery(outbox, 1, &delivery), SQLITE_ROW);
    ck_assert_uint_eq(delivery->body.len, sizeof(body));
    ck_assert_mem_eq(delivery->body.base, body, sizeof(body));
    ck_assert_ptr_null(delivery->type.base);
    ck_assert_int_eq(delivery->signed_at, -1);
    ck_assert_int_eq(delivery->received_us, e.received_us);
    free(delivery);
    ck_assert_int_eq(outbox_read_delivery(outbox, 2, &delivery), SQLITE_DONE);
    ck_assert_ptr_null(delivery);
}
END_TEST

/* ---- state of a delivery */

static void record(int64_t seq, enum outbox_state state, unsigned tries, bool first, int64_t due_us)
{
    struct outbox_attempt a = {
        .destination = app,
        .seq = seq,
        .tries = tries,
        .at_us = 1000 + tries,
        .took_us = 5,
        .status = state == OUTBOX_DONE ? 200 : 500,
        .state = state,
        .first = first,
        .due_us = due_us,
    };

    ck_assert_int_eq(outbox_record(outbox, &a), SQLITE_OK);
}

static enum outbox_state state_of(int64_t seq)
{
    enum outbox_state state;

    ck_assert_int_eq(outbox_state(outbox, app, seq, &state, NULL), SQLITE_OK);
    return state;
}

START_TEST(a_delivery_goes_from_waiting_to_done_or_parked)
{
    unsigned tries;
    enum outbox_state state;

    fill(3, 0);
    ck_assert_int_eq(state_of(1), OUTBOX_WAITING);
    record(1, OUTBOX_DONE, 1, true, 0);
    ck_assert_int_eq(state_of(1), OUTBOX_DONE); /* before the cursor passes it */
    record(2, OUTBOX_RETRY, 1, true, 99);
    ck_assert_int_eq(state_of(2), OUTBOX_RETRY);
    record(2, OUTBOX_RETRY, 2, false, 100);
    ck_assert_int_eq(outbox_state(outbox, app, 2, &state, &tries), SQLITE_OK);
    ck_assert_uint_eq(tries, 2);
    record(2, OUTBOX_PARKED, 3, false, 0);
    ck_assert_int_eq(state_of(2), OUTBOX_PARKED);
    ck_assert_int_eq(state_of(3), OUTBOX_WAITING);
    ck_assert_int_eq(outbox_set_cursor(outbox, app, 3), SQLITE_OK);
    ck_assert_int_eq(state_of(3), OUTBOX_DONE);
    ck_assert_int_eq(state_of(2), OUTBOX_PARKED);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM attempt"), 4);
}
END_TEST

START_TEST(an_answer_that_broke_off_is_no_success)
{
    struct outbox_attempt a = {.destination = app,
                               .seq = 1,
                               .tries = 1,
                               .status = 200,
                               .error = "broke off",
                               .state = OUTBOX_RETRY,
                               .first = true,
                               .due_us = 1};

    fill(1, 0);
    ck_assert_int_eq(outbox_record(outbox, &a), SQLITE_OK);
    ck_assert_int_eq(state_of(1), OUTBOX_RETRY);
}
END_TEST

START_TEST(what_is_due_comes_the_longest_due_first)
{
    struct outbox_due due[4];
    int64_t next;
    size_t count;
    bool found;

    fill(5, 0);
    record(1, OUTBOX_RETRY, 1, true, 300);
    record(2, OUTBOX_RETRY, 1, true, 100);
    record(3, OUTBOX_PARKED, 1, true, 0);
    record(4, OUTBOX_RETRY, 1, true, 200);
    ck_assert_int_eq(outbox_due(outbox, app, 250, due, COUNT(due), &count), SQLITE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(due[0].seq, 2);
    ck_assert_int_eq(due[1].seq, 4);
    ck_assert_int_eq(outbox_due(outbox, app, 300, due, 1, &count), SQLITE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(outbox_next_due(outbox, app, 200, &next), SQLITE_OK);
    ck_assert_int_eq(next, 300);
    ck_assert_int_eq(outbox_next_due(outbox, app, 300, &next), SQLITE_OK);
    ck_assert_int_eq(next, INT64_MAX);
    ck_assert_int_eq(outbox_lowest_due(outbox, app, due, &found), SQLITE_OK);
    ck_assert(found && due[0].seq == 1);
    ck_assert_int_eq(outbox_due(outbox, app + 1, 300, due, 1, &count), SQLITE_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* ---- replay and discard */

static bool replay(int64_t seq)
{
    bool found;

    ck_assert_int_eq(outbox_replay(outbox, app, seq, of_source, "foil", 777, &found), SQLITE_OK);
    return found;
}

START_TEST(a_replay_is_due_now_with_all_its_tries)
{
    struct outbox_due due;
    size_t count;

    fill(4, 4);
    record(1, OUTBOX_PARKED, 9, true, 0);
    record(2, OUTBOX_DONE, 1, true, 0);
    outbox_set_cursor(outbox, app, 2);
    for (int64_t seq = 1; seq <= 2; seq++) {
        ck_assert(replay(seq));
        ck_assert_int_eq(outbox_due(outbox, app, 777, &due, 1, &count), SQLITE_OK);
        ck_assert_uint_eq(count, 1);
        ck_assert_int_eq(due.seq, seq);
        ck_assert_uint_eq(due.tries, 0);
        record(seq, OUTBOX_DONE, 1, false, 0);
    }
    ck_assert(replay(3)); /* remains waiting */
    ck_assert_int_eq(state_of(3), OUTBOX_WAITING);
    ck_assert(!replay(4)); /* another source */
    ck_assert(!replay(5)); /* no such delivery */
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM unsent"), 0);
}
END_TEST

START_TEST(what_is_discarded_stays_so)
{
    bool found;

    fill(2, 0);
    record(1, OUTBOX_RETRY, 1, true, 99);
    ck_assert_int_eq(outbox_discard(outbox, app, 1, 777, &found), SQLITE_OK);
    ck_assert(found);
    ck_assert_int_eq(state_of(1), OUTBOX_DONE);
    record(1, OUTBOX_RETRY, 2, false, 100); /* an attempt was in flight */
    ck_assert_int_eq(state_of(1), OUTBOX_DONE);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM unsent"), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM attempt WHERE error = 'discarded'"), 1);
    ck_assert_int_eq(outbox_discard(outbox, app, 1, 777, &found), SQLITE_OK);
    ck_assert(!found);
    ck_assert_int_eq(outbox_discard(outbox, app, 2, 777, &found), SQLITE_OK);
    ck_assert(!found); /* waiting for its first attempt */
}
END_TEST

/* ---- destinations, and the clock */

START_TEST(a_new_destination_begins_with_what_is_new_and_a_known_one_goes_on)
{
    int64_t number, cursor;

    outbox_set_cursor(outbox, app, 5);
    outbox_set_cursor(outbox, app, 4);
    ck_assert_int_eq(outbox_retire_all(outbox), SQLITE_OK);
    ck_assert_int_eq(outbox_register(outbox, "app", 17, &number, &cursor), SQLITE_OK);
    ck_assert_int_eq(number, app);
    ck_assert_int_eq(cursor, 5);
    ck_assert_int_eq(outbox_register(outbox, "new", 17, &number, &cursor), SQLITE_OK);
    ck_assert_int_ne(number, app);
    ck_assert_int_eq(cursor, 17);
    ck_assert_int_eq(outbox_retire_all(outbox), SQLITE_OK);
    ck_assert_int_eq(outbox_register(outbox, "new", 99, &number, &cursor), SQLITE_OK);
    ck_assert_int_eq(cursor, 17);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM destination WHERE active"), 1);
}
END_TEST

START_TEST(a_clock_that_was_ahead_puts_nothing_off)
{
    struct outbox_due due[2];
    size_t count;

    ck_assert_int_eq(outbox_add(outbox, app, 1, 1500, 1000), SQLITE_OK);
    ck_assert_int_eq(outbox_add(outbox, app, 2, 9600, 9000), SQLITE_OK);
    ck_assert_int_eq(outbox_correct_clock(outbox, 1000), SQLITE_OK);
    ck_assert_int_eq(outbox_correct_clock(outbox, 1000), SQLITE_OK);
    ck_assert_int_eq(outbox_due(outbox, app, 9999, due, 2, &count), SQLITE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(due[0].due_us, 1500);
    ck_assert_int_eq(due[1].due_us, 1600);
}
END_TEST

START_TEST(a_start_ends_waits_and_keeps_the_pauses_of_failures)
{
    struct outbox_due due[2];
    size_t count;

    fill(2, 0);
    ck_assert_int_eq(outbox_add(outbox, app, 1, 9000, 1000), SQLITE_OK);
    record(2, OUTBOX_RETRY, 0, true, 8000); /* a 429 uses up no attempt */
    ck_assert_int_eq(outbox_end_waits(outbox, 2000), SQLITE_OK);
    ck_assert_int_eq(outbox_due(outbox, app, 9999, due, 2, &count), SQLITE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(due[0].seq, 1);
    ck_assert_int_eq(due[0].due_us, 2000);
    ck_assert_int_eq(due[1].due_us, 8000);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("outbox");
    TCase *tc = tcase_create("outbox");

    tcase_add_checked_fixture(tc, open_all, close_all);
    tcase_add_test(tc, new_deliveries_come_in_the_order_of_their_arrival);
    tcase_add_test(tc, what_nobody_wants_is_passed_over_in_small_steps);
    tcase_add_test(tc, a_delivery_comes_back_as_it_was_put);
    tcase_add_test(tc, a_delivery_goes_from_waiting_to_done_or_parked);
    tcase_add_test(tc, an_answer_that_broke_off_is_no_success);
    tcase_add_test(tc, what_is_due_comes_the_longest_due_first);
    tcase_add_test(tc, a_replay_is_due_now_with_all_its_tries);
    tcase_add_test(tc, what_is_discarded_stays_so);
    tcase_add_test(tc, a_new_destination_begins_with_what_is_new_and_a_known_one_goes_on);
    tcase_add_test(tc, a_clock_that_was_ahead_puts_nothing_off);
    tcase_add_test(tc, a_start_ends_waits_and_keeps_the_pauses_of_failures);
    suite_add_tcase(s, tc);
    return s;
}
