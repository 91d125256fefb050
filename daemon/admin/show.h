/* SPDX-License-Identifier: MIT
 *
 * show.h - writes one stored delivery as JSON: request, state at each destination, attempts.
 *
 * Ownership  show_open() allocates, show_close() frees, before the db is closed.
 * Threads    One, that of the db.
 * Errors     int results are SQLite's codes.
 */
#ifndef DAEMON_ADMIN_SHOW_H
#define DAEMON_ADMIN_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/store/db.h"

struct show;
struct json_writer;
struct status;

/* Prepares the statements. Returns NULL with the reason in `why`. */
struct show *show_open(struct db *db, struct status *status, char why[DB_WHY_SIZE]);
void show_close(struct show **show);

/* Writes a delivery in full. Returns SQLITE_NOTFOUND for an unknown seq. */
int show_write(struct show *show, int64_t seq, struct json_writer *line);

/* Reads a delivery in full. Returns SQLITE_ROW if it is readable, SQLITE_DONE for an unknown seq,
 * SQLITE_CORRUPT if it is damaged. */
int show_check(struct show *show, int64_t seq);

/* ---- summary, also for lists */

/* The columns of show_read_row(), in its order. length(body) makes SQLite read no body. */
#define SHOW_COLUMNS                                                                               \
    "seq, source, scheme, id, type, test, fresh, secret, received_us, signed_at, remote, "         \
    "length(body), delivery_id, query, unreadable,"                                                \
    " (SELECT 1 FROM damaged WHERE damaged.seq = delivery.seq)"

enum {
    SHOW_COLUMN_COUNT = 16
};

struct show_row {
    int64_t seq, received_us, bytes;
    hookline_bytes source, scheme, id, delivery_id, type, unreadable, remote,
        query;                 /* base NULL: SQL NULL */
    int64_t secret, signed_at; /* -1: SQL NULL */
    int test, fresh;
    bool damaged; /* listed as damaged */
};

/* Reads the current row. The strings are valid until the statement is stepped or reset. */
void show_read_row(sqlite3_stmt *statement, struct show_row *row);

/* Writes the members of a delivery that the store cannot read. */
void show_write_damaged(struct json_writer *line, int64_t seq);

/* Writes the summary as members of the open JSON object. */
void show_write_row(struct json_writer *line, const struct show_row *row);

#endif
