/* SPDX-License-Identifier: MIT */
#include "daemon/store/retention.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/store/shelf.h"

enum {
    STEP_ROWS = 100,
    STEP_BYTES = 4 << 20,
    RETENTION_ROUND_US = 60 * 1000000, /* between two looks at those that were waited for */
};

struct retention {
    struct db *db;
    struct deliveries *deliveries;
    struct retention_options options;
    sqlite3_stmt *boundary, *candidates, *delete_delivery, *delete_attempts, *oldest;
    int64_t position; /* up to here they are gone, or waited for */
    int64_t round_at_us;
    atomic_uint_fast64_t count;
};

static int retention_prepare(struct retention *r)
{
    const struct db_statement all[] = {
        {&r->boundary, "SELECT min(cursor) FROM destination WHERE active"},
        {&r->candidates, "SELECT seq, received_us, length(body),"
                         " EXISTS (SELECT 1 FROM unsent WHERE unsent.seq = delivery.seq)"
                         " FROM delivery WHERE seq > ? AND seq <= ? ORDER BY seq"},
        {&r->delete_delivery, "DELETE FROM delivery WHERE seq = ?"},
        {&r->delete_attempts, "DELETE FROM attempt WHERE seq = ?"},
        {&r->oldest, "SELECT min(seq) FROM delivery"},
        {NULL, NULL},
    };

    return db_prepare_all(r->db, all);
}

struct retention *retention_open(struct db *db, struct deliveries *deliveries,
                                 const struct retention_options *options, char why[DB_WHY_SIZE])
{
    struct retention *r = calloc(1, sizeof(*r));
    int code;

    if (r == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", db_path(db));
        return NULL;
    }
    r->db = db;
    r->deliveries = deliveries;
    r->options = *options;
    if ((code = retention_prepare(r)) != SQLITE_OK) {
        db_error_text(db, code, why);
        retention_close(&r);
    }
    return r;
}

void retention_close(struct retention **retention)
{
    free(*retention);
    *retention = NULL;
}

uint64_t retention_count(const struct retention *r)
{
    return atomic_load_explicit(&r->count, memory_order_relaxed);
}

/* The last seq that may go: all destinations have taken it up, and the newest one stays, so that
 * its seq is never used again. */
static int retention_find_boundary(struct retention *r, int64_t *boundary)
{
    int64_t newest = deliveries_newest(r->deliveries) - 1;
    int code = db_query_number(r->boundary, boundary, newest);

    if (*boundary > newest)
        *boundary = newest;
    return code;
}

/* Collects what may go from here on. SQLITE_DONE if the next one may stay. */
static int retention_collect(struct retention *r, int64_t boundary, int64_t seqs[STEP_ROWS],
                             size_t *count)
{
    int64_t cutoff_us = clock_steady_us() - r->options.keep_us, bytes = 0;
    bool too_large = r->options.max_bytes > 0 && db_bytes(r->db) > r->options.max_bytes;
    size_t rows = 0;
    int code;

    *count = 0;
    sqlite3_bind_int64(r->candidates, 1, r->position);
    sqlite3_bind_int64(r->candidates, 2, boundary);
    while ((code = sqlite3_step(r->candidates)) == SQLITE_ROW && rows < STEP_ROWS &&
           bytes < STEP_BYTES) {
        int64_t seq = sqlite3_column_int64(r->candidates, 0);

        if (sqlite3_column_int64(r->candidates, 1) >= cutoff_us && !too_large) {
            code = SQLITE_DONE;
            break;
        }
        if (!sqlite3_column_int(r->candidates, 3))
            seqs[(*count)++] = seq;
        bytes += sqlite3_column_int64(r->candidates, 2);
        r->position = seq;
        rows++;
    }
    sqlite3_reset(r->candidates);
    return code;
}

static int retention_delete_all(struct retention *r, const int64_t *seqs, size_t count)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        sqlite3_bind_int64(r->delete_delivery, 1, seqs[i]);
        sqlite3_bind_int64(r->delete_attempts, 1, seqs[i]);
        if ((code = db_run(r->delete_delivery)) == SQLITE_OK)
            code = db_run(r->delete_attempts);
    }
    return code;
}

static int retention_tidy_keys(struct retention *r)
{
    int64_t oldest;
    int code = db_query_number(r->oldest, &oldest, 0);

    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    for (int rows = 0; code == SQLITE_ROW && rows < STEP_ROWS; rows++)
        code = deliveries_forget_keys(r->deliveries, oldest);
    return code == SQLITE_DONE ? deliveries_merge_keys(r->deliveries) : code;
}

int retention_step(struct retention *r)
{
    int64_t seqs[STEP_ROWS], boundary, now_us = clock_steady_us();
    size_t count;
    int code, found;

    if (now_us >= r->round_at_us) {
        r->round_at_us = now_us + RETENTION_ROUND_US;
        r->position = 0;
    }
    if ((code = retention_find_boundary(r, &boundary)) != SQLITE_OK)
        return code;
    found = retention_collect(r, boundary, seqs, &count);
    if (found != SQLITE_ROW && found != SQLITE_DONE)
        return found;
    if ((code = retention_delete_all(r, seqs, count)) != SQLITE_OK)
        return code;
    atomic_fetch_add_explicit(&r->count, count, memory_order_relaxed);
    return count > 0 || found == SQLITE_ROW ? SQLITE_ROW : retention_tidy_keys(r);
}
