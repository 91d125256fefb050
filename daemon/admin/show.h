/* SPDX-License-Identifier: MIT
 *
 * show.h - one delivery of the store as JSON: what came, how it stands, and what was tried.
 *
 * Ownership  show_open() makes it, show_close() ends it; before the store.
 * Threads    That of the store.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_SHOW_H
#define DAEMON_ADMIN_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/store/db.h"

struct show;
struct json_writer;
struct status;

struct show *show_open(struct db *db, struct status *status, char why[DB_WHY_SIZE]);
void show_close(struct show **show);

/* Writes all there is; SQLITE_NOTFOUND if the delivery is not in the store. */
int show_write(struct show *show, int64_t seq, struct json_writer *line);

/* ---- what a list shows of each, too */

/* The columns that show_read_row() reads, in its order: none of them makes SQLite read a body. */
#define SHOW_COLUMNS                                                                               \
    "seq, source, scheme, id, type, test, fresh, secret, received_us, signed_at, remote, "         \
    "length(body)"

struct show_row {
    int64_t seq, received_us, bytes;
    hookline_bytes source, scheme, id, type, remote; /* without a base: NULL */
    int64_t secret, signed_at;                       /* -1: nothing says it */
    int test, fresh;
};

/* Points into the statement until it steps or is reset. */
void show_read_row(sqlite3_stmt *statement, struct show_row *row);

void show_write_row(struct json_writer *line, const struct show_row *row);

#endif
