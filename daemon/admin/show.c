/* SPDX-License-Identifier: MIT */
#include "daemon/admin/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admin/status.h"
#include "daemon/base/json.h"
#include "daemon/store/damage.h"
#include "daemon/store/deliveries.h"

enum {
    BODY_SHOWN_MAX = 1 << 20, /* bytes; a longer body is at /deliveries/SEQ/body only */
    ATTEMPTS_SHOWN_MAX = 1000,
    MAC_MIN = 40, /* characters; SHA-256 has 43 in base64 and 64 in hex */
};

struct show {
    struct status *status;
    sqlite3_stmt *whole, *damaged, *delivery, *attempts;
};

struct show *show_open(struct db *db, struct status *status, char why[DB_WHY_SIZE])
{
    struct show *d = calloc(1, sizeof(*d));
    int code = SQLITE_NOMEM;

    if (d != NULL) {
        d->status = status;
        code = db_prepare(db, &d->delivery,
                          "SELECT " SHOW_COLUMNS ", headers, body FROM delivery WHERE seq=?1");
    }
    if (code == SQLITE_OK)
        code =
            db_prepare(db, &d->whole, "SELECT " DELIVERY_ROW_COLUMNS " FROM delivery WHERE seq=?1");
    if (code == SQLITE_OK)
        code = db_prepare(db, &d->damaged, "SELECT 1 FROM damaged WHERE seq=?1");
    if (code == SQLITE_OK)
        code = db_prepare(db, &d->attempts,
                          "SELECT name, at_us, tries, took_us, status, error FROM attempt"
                          " LEFT JOIN destination ON number=destination WHERE seq=?1"
                          " ORDER BY at_us DESC LIMIT ?2");
    if (code != SQLITE_OK) {
        db_error_text(db, code, why);
        show_close(&d);
    }
    return d;
}

void show_close(struct show **show)
{
    free(*show);
    *show = NULL;
}

void show_read_row(sqlite3_stmt *s, struct show_row *row)
{
    *row = (struct show_row){
        .seq = sqlite3_column_int64(s, 0),
        .source = db_column_bytes(s, 1),
        .scheme = db_column_bytes(s, 2),
        .id = db_column_bytes(s, 3),
        .type = db_column_bytes(s, 4),
        .test = sqlite3_column_int(s, 5),
        .fresh = sqlite3_column_int(s, 6),
        .secret = db_column_number(s, 7),
        .received_us = sqlite3_column_int64(s, 8),
        .signed_at = db_column_number(s, 9),
        .remote = db_column_bytes(s, 10),
        .bytes = sqlite3_column_int64(s, 11),
        .delivery_id = db_column_bytes(s, 12),
        .query = db_column_bytes(s, 13),
        .unreadable = db_column_bytes(s, 14),
        .damaged = sqlite3_column_int(s, 15) != 0,
    };
}

static void show_json_text(struct json_writer *line, const char *key, hookline_bytes text)
{
    json_text(line, key, text.base, text.len);
}

static bool show_is_mac_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("+/-_", c) != NULL);
}

/* Writes text of a request without anything that may be a MAC, because a valid MAC must not leak. */
static void show_json_value(struct json_writer *line, const char *key, hookline_bytes value)
{
    char *shown = malloc(value.len + 1), *to = shown;

    for (size_t i = 0, run; shown != NULL && i < value.len; i += run == 0 ? 1 : run) {
        for (run = 0; i + run < value.len && show_is_mac_char(value.base[i + run]); run++)
            ;
        if (run >= MAC_MIN)
            to += snprintf(to, MAC_MIN, "(%zu characters withheld)", run);
        else
            to = mempcpy(to, value.base + i, run == 0 ? 1 : run);
    }
    json_text(line, key, value.base == NULL ? NULL : shown,
              shown == NULL ? 0 : (size_t)(to - shown));
    free(shown);
}

void show_write_row(struct json_writer *line, const struct show_row *row)
{
    json_number(line, "seq", row->seq);
    json_time(line, "time", row->received_us);
    show_json_text(line, "source", row->source);
    show_json_text(line, "scheme", row->scheme);
    show_json_text(line, "id", row->id);
    show_json_text(line, "delivery_id", row->delivery_id);
    show_json_text(line, "type", row->type);
    show_json_text(line, "unreadable", row->unreadable);
    json_bool(line, "test", row->test);
    json_number_or_null(line, "signed_at", row->signed_at);
    json_bool(line, "fresh", row->fresh);
    json_number_or_null(line, "secret", row->secret);
    json_number(line, "bytes", row->bytes);
    show_json_text(line, "remote", row->remote);
    show_json_value(line, "query", row->query);
}

void show_write_damaged(struct json_writer *line, int64_t seq)
{
    json_number(line, "seq", seq);
    json_bool(line, "damaged", true);
}

/* ---- headers */

static void show_json_headers(struct json_writer *line, hookline_bytes headers)
{
    hookline_bytes name, value;

    json_open_array(line, "headers");
    while (delivery_row_next_header(&headers, &name, &value)) {
        json_open_element(line);
        show_json_text(line, "name", name);
        show_json_value(line, "value", value);
        json_close_object(line);
    }
    json_close_array(line);
}

/* ---- delivery */

static void show_json_destinations(const struct status *s, struct json_writer *line,
                                   const struct status_result *results)
{
    json_open_array(line, "destinations");
    for (size_t i = 0; i < status_count(s); i++) {
        if (results[i].state == QUERY_ANY)
            continue;
        json_open_element(line);
        json_string(line, "name", status_destination_name(s, i));
        json_string(line, "state", query_state_name(results[i].state));
        if (results[i].state == QUERY_RETRYING || results[i].state == QUERY_PARKED)
            json_number(line, "tries", results[i].tries);
        if (results[i].state == QUERY_PASSED_OVER)
            json_string(line, "reason", results[i].reason);
        if (results[i].state == QUERY_RETRYING)
            json_time(line, "due", results[i].due_us);
        json_close_object(line);
    }
    json_close_array(line);
}

static int show_json_attempts(struct show *d, int64_t seq, struct json_writer *line)
{
    sqlite3_stmt *s = d->attempts;
    int code;

    sqlite3_bind_int64(s, 1, seq);
    sqlite3_bind_int64(s, 2, ATTEMPTS_SHOWN_MAX);
    json_open_array(line, "attempts");
    while (sqlite3_step(s) == SQLITE_ROW) {
        int64_t status = sqlite3_column_int64(s, 4);

        json_open_element(line);
        show_json_text(line, "destination", db_column_bytes(s, 0));
        json_time(line, "time", sqlite3_column_int64(s, 1));
        json_number(line, "tries", sqlite3_column_int64(s, 2));
        json_number(line, "duration_us", sqlite3_column_int64(s, 3));
        json_number_or_null(line, "status", status == 0 ? -1 : status);
        show_json_text(line, "error", db_column_bytes(s, 5));
        json_close_object(line);
    }
    json_close_array(line);
    code = sqlite3_reset(s);
    return damage_is(code) ? SQLITE_OK : code;
}

static int show_json_delivery(struct show *d, struct json_writer *line)
{
    const struct status_result *results;
    struct show_row row;
    int code;

    show_read_row(d->delivery, &row);
    code = status_of(d->status, row.seq, row.source, row.type, &results);
    if (code != SQLITE_OK)
        return code;
    json_begin(line);
    show_write_row(line, &row);
    show_json_headers(line, db_column_bytes(d->delivery, SHOW_COLUMN_COUNT));
    if (row.bytes > BODY_SHOWN_MAX)
        json_bool(line, "body_omitted", true);
    else
        json_body(line, sqlite3_column_blob(d->delivery, SHOW_COLUMN_COUNT + 1), (size_t)row.bytes);
    show_json_destinations(d->status, line, results);
    code = show_json_attempts(d, row.seq, line);
    json_end(line);
    return code;
}

/* Writes what other tables say about a damaged delivery. */
static int show_json_damaged(struct show *d, int64_t seq, struct json_writer *line)
{
    const struct status_result *results;
    int code = status_of(d->status, seq, (hookline_bytes){0}, (hookline_bytes){0}, &results);

    if (code != SQLITE_OK)
        return code;
    json_begin(line);
    show_write_damaged(line, seq);
    show_json_destinations(d->status, line, results);
    code = show_json_attempts(d, seq, line);
    json_end(line);
    return code;
}

/* Returns SQLITE_ROW for a readable delivery, SQLITE_CORRUPT for a damaged one. */
int show_check(struct show *d, int64_t seq)
{
    struct delivery_row row;
    int64_t listed;
    int code;

    sqlite3_bind_int64(d->whole, 1, seq);
    code = sqlite3_step(d->whole);
    if (code == SQLITE_ROW && !delivery_row_read(d->whole, &row))
        code = SQLITE_CORRUPT;
    sqlite3_reset(d->whole);
    if (code == SQLITE_DONE) {
        sqlite3_bind_int64(d->damaged, 1, seq);
        if (db_query_number(d->damaged, &listed, 0) == SQLITE_OK && listed != 0)
            code = SQLITE_CORRUPT;
    }
    return damage_is(code) ? SQLITE_CORRUPT : code;
}

int show_write(struct show *d, int64_t seq, struct json_writer *line)
{
    int code = show_check(d, seq), reset;

    if (code == SQLITE_CORRUPT)
        return show_json_damaged(d, seq, line);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    sqlite3_bind_int64(d->delivery, 1, seq);
    if (sqlite3_step(d->delivery) == SQLITE_ROW)
        code = show_json_delivery(d, line);
    reset = sqlite3_reset(d->delivery);
    return reset == SQLITE_OK ? code : reset;
}
