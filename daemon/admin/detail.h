/* SPDX-License-Identifier: MIT
 *
 * detail.h - one delivery of the store as JSON: what came, how it stands, and what was tried.
 *
 * Ownership  detail_open() makes it, detail_close() ends it; before the store.
 * Threads    That of the store.
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_ADMIN_DETAIL_H
#define DAEMON_ADMIN_DETAIL_H

#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/store/store.h"

struct detail;
struct json_line;
struct standing;

struct detail *detail_open(struct store *store, struct standing *standing,
                           char why[STORE_WHY_SIZE]);
void detail_close(struct detail **detail);

/* Writes all there is; SQLITE_NOTFOUND if the delivery is not in the store. */
int detail_write(struct detail *detail, int64_t seq, struct json_line *line);

/* ---- what a list shows of each, too */

/* The columns that detail_read_row() reads, in its order: none of them makes SQLite read a body. */
#define DETAIL_COLUMNS                                                                             \
    "seq, source, scheme, id, type, test, fresh, secret, received_us, signed_at, remote, "         \
    "length(body)"

struct detail_row {
    int64_t seq, received_us, bytes;
    hookline_bytes source, scheme, id, type, remote; /* without a base: NULL */
    int64_t secret, signed_at;                       /* -1: nothing says it */
    int test, fresh;
};

/* Points into the statement until it steps or is reset. */
void detail_read_row(sqlite3_stmt *statement, struct detail_row *row);

void detail_write_row(struct json_line *line, const struct detail_row *row);

#endif
