/* SPDX-License-Identifier: MIT
 *
 * Old deliveries are deleted around those on a damaged page, which stay and are listed. Some of the
 * pages beside it stay, too, because their deletion would merge them with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/damage.h"
#include "daemon/store/store.h"
#include "tests/run.h"
#include "tests/store/store_kit.h"

enum {
    DELIVERIES = 300,
    PAGE = 4096,
    PER_PAGE = 4,
    BODY_BYTES = 900,
    STEPS_MAX = 2000,
};

static struct db *db;
static struct deliveries *deliveries;

static void open_again(void)
{
    db = open_store();
    deliveries = open_shelf(db);
}

static void close_all(void)
{
    deliveries_close(&deliveries);
    db_close(&db);
}

static void put_all(void)
{
    static char body[BODY_BYTES + 1];
    char id[16];

    for (int i = 1; i <= DELIVERIES; i++) {
        struct delivery_row row = entry_of("foil", id, NULL);

        snprintf(id, sizeof(id), "evt#%d#", i);
        row.id = (hookline_bytes){id, strlen(id)};
        memset(body, 'x', BODY_BYTES);
        row.body = (hookline_bytes){body, BODY_BYTES};
        row.received_us = i;
        ck_assert_int_eq(put(db, deliveries, &row), DELIVERIES_STORED);
    }
}

/* Overwrites the page of this text, while the store is closed. */
static void damage_page_of(const char *text)
{
    static char bytes[4 << 20];
    FILE *file = fopen(store_file, "r+b");
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    const char *at = memmem(bytes, size, text, strlen(text));
    static const char zeros[PAGE];

    ck_assert(at != NULL && size < sizeof(bytes));
    ck_assert_int_eq(fseek(file, (at - bytes) / PAGE * PAGE, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(zeros, 1, PAGE, file), PAGE);
    ck_assert_int_eq(fclose(file), 0);
}

/* Runs steps as the writer does, each in a transaction. Returns the number of those that failed
 * because of damage. */
static int run_retention(struct retention *retention)
{
    int damaged = 0;

    for (int i = 0; i < STEPS_MAX; i++) {
        int code;

        execute(db, "BEGIN");
        code = retention_step(retention);
        execute(db, code == SQLITE_ROW ? "COMMIT" : "ROLLBACK");
        deliveries_after_transaction(deliveries, code == SQLITE_ROW);
        if (code == SQLITE_DONE)
            return damaged;
        ck_assert(code == SQLITE_ROW || damage_is(code));
        damaged += code != SQLITE_ROW;
    }
    ck_abort_msg("%d steps", STEPS_MAX);
    return damaged;
}

static struct retention *retention_of_a_second(void)
{
    const struct retention_options options = {.keep_us = 1000000};
    struct retention *retention = retention_open(db, deliveries, &options, why);

    ck_assert_msg(retention != NULL, "%s", why);
    return retention;
}

START_TEST(all_old_deliveries_but_the_newest_are_deleted)
{
    struct retention *retention;

    open_again();
    put_all();
    retention = retention_of_a_second();
    ck_assert_int_eq(run_retention(retention), 0);
    ck_assert_uint_eq(retention_count(retention), DELIVERIES - 1);
    ck_assert_int_eq(ask(db, "SELECT seq FROM delivery"), DELIVERIES);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM damaged"), 0);
    retention_close(&retention);
    close_all();
}
END_TEST

static const char *const places[] = {"evt#1#", "evt#2#", "evt#100#", "evt#150#", "evt#290#"};

START_TEST(a_damaged_page_holds_up_the_deletion_of_no_other)
{
    struct retention *retention;
    int64_t count;

    open_again();
    put_all();
    execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    close_all();
    damage_page_of(places[_i]);
    open_again();
    retention = retention_of_a_second();
    run_retention(retention);
    ck_assert_int_eq(damage_count(db, &count), SQLITE_OK);
    ck_assert(count >= 1 && count <= 3 * PER_PAGE);
    ck_assert_uint_ge(retention_count(retention), (uint64_t)(DELIVERIES - 1 - 3 * PER_PAGE));
    ck_assert_int_eq(ask(db, "SELECT max(seq) FROM delivery"), DELIVERIES);
    retention_close(&retention);
    close_all();
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("retention");
    TCase *tc = tcase_create("retention");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, all_old_deliveries_but_the_newest_are_deleted);
    tcase_add_loop_test(tc, a_damaged_page_holds_up_the_deletion_of_no_other, 0, COUNT(places));
    suite_add_tcase(s, tc);
    return s;
}
