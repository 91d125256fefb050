/* SPDX-License-Identifier: MIT */
#include "daemon/admin/detail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/entry.h"
#include "daemon/base/json_line.h"
#include "daemon/admin/standing.h"

enum {
    BODY_SHOWN_MAX = 1 << 20, /* bytes; of a longer one there is only the raw body */
    ATTEMPTS_SHOWN_MAX = 1000,
    MAC_MIN = 40, /* characters: a SHA-256 has 43 in base64 and 64 in hex */
};

struct detail {
    struct standing *standing;
    sqlite3_stmt *delivery, *attempts;
};

struct detail *detail_open(struct store *store, struct standing *standing, char why[STORE_WHY_SIZE])
{
    struct detail *d = calloc(1, sizeof(*d));
    int code = SQLITE_NOMEM;

    if (d != NULL) {
        d->standing = standing;
        code = store_prepare(store, &d->delivery,
                             "SELECT " DETAIL_COLUMNS ", headers, body FROM delivery WHERE seq=?1");
    }
    if (code == SQLITE_OK)
        code = store_prepare(store, &d->attempts,
                             "SELECT name, at_us, tries, took_us, status, error FROM attempt"
                             " LEFT JOIN destination ON number=destination WHERE seq=?1"
                             " ORDER BY at_us DESC LIMIT ?2");
    if (code != SQLITE_OK) {
        store_why(store, code, why);
        detail_close(&d);
    }
    return d;
}

void detail_close(struct detail **detail)
{
    free(*detail);
    *detail = NULL;
}

static hookline_bytes text_of(sqlite3_stmt *s, int column)
{
    const char *base = (const char *)sqlite3_column_text(s, column);

    return (hookline_bytes){base, (size_t)sqlite3_column_bytes(s, column)};
}

static int64_t number_of(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, column);
}

void detail_read_row(sqlite3_stmt *s, struct detail_row *row)
{
    *row = (struct detail_row){
        .seq = sqlite3_column_int64(s, 0),
        .source = text_of(s, 1),
        .scheme = text_of(s, 2),
        .id = text_of(s, 3),
        .type = text_of(s, 4),
        .test = sqlite3_column_int(s, 5),
        .fresh = sqlite3_column_int(s, 6),
        .secret = number_of(s, 7),
        .received_us = sqlite3_column_int64(s, 8),
        .signed_at = number_of(s, 9),
        .remote = text_of(s, 10),
        .bytes = sqlite3_column_int64(s, 11),
    };
}

static void write_bytes(struct json_line *line, const char *key, hookline_bytes text)
{
    json_line_text(line, key, text.base, text.len);
}

void detail_write_row(struct json_line *line, const struct detail_row *row)
{
    json_line_number(line, "seq", row->seq);
    json_line_time(line, "time", row->received_us);
    write_bytes(line, "source", row->source);
    write_bytes(line, "scheme", row->scheme);
    write_bytes(line, "id", row->id);
    write_bytes(line, "type", row->type);
    json_line_bool(line, "test", row->test);
    json_line_known(line, "signed_at", row->signed_at);
    json_line_bool(line, "fresh", row->fresh);
    json_line_known(line, "secret", row->secret);
    json_line_number(line, "bytes", row->bytes);
    write_bytes(line, "remote", row->remote);
}

/* ---- headers */

static bool is_of_mac(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("+/-_", c) != NULL);
}

/* The value without what may be a signature: a right one appears nowhere. */
static void write_value(struct json_line *line, hookline_bytes value)
{
    char *shown = malloc(value.len + 1), *to = shown;

    for (size_t i = 0, run; shown != NULL && i < value.len; i += run == 0 ? 1 : run) {
        for (run = 0; i + run < value.len && is_of_mac(value.base[i + run]); run++)
            ;
        if (run >= MAC_MIN)
            to += snprintf(to, MAC_MIN, "(%zu characters withheld)", run);
        else
            to = mempcpy(to, value.base + i, run == 0 ? 1 : run);
    }
    json_line_text(line, "value", shown, shown == NULL ? 0 : (size_t)(to - shown));
    free(shown);
}

static void write_headers(struct json_line *line, hookline_bytes headers)
{
    hookline_bytes name, value;

    json_line_open_list(line, "headers");
    while (entry_next_header(&headers, &name, &value)) {
        json_line_open_item(line);
        write_bytes(line, "name", name);
        write_value(line, value);
        json_line_close(line);
    }
    json_line_close_list(line);
}

/* ---- the rest */

static void write_standing(const struct standing *s, struct json_line *line,
                           const struct standing_result *results)
{
    json_line_open_list(line, "destinations");
    for (size_t i = 0; i < standing_count(s); i++) {
        if (results[i].state == QUERY_ANY)
            continue;
        json_line_open_item(line);
        json_line_string(line, "name", standing_name(s, i));
        json_line_string(line, "state", query_state_name(results[i].state));
        if (results[i].state == QUERY_RETRYING || results[i].state == QUERY_PARKED)
            json_line_number(line, "tries", results[i].tries);
        if (results[i].state == QUERY_RETRYING)
            json_line_time(line, "due", results[i].due_us);
        json_line_close(line);
    }
    json_line_close_list(line);
}

static int write_attempts(struct detail *d, int64_t seq, struct json_line *line)
{
    sqlite3_stmt *s = d->attempts;

    sqlite3_bind_int64(s, 1, seq);
    sqlite3_bind_int64(s, 2, ATTEMPTS_SHOWN_MAX);
    json_line_open_list(line, "attempts");
    while (sqlite3_step(s) == SQLITE_ROW) {
        int64_t status = sqlite3_column_int64(s, 4);

        json_line_open_item(line);
        write_bytes(line, "destination", text_of(s, 0));
        json_line_time(line, "time", sqlite3_column_int64(s, 1));
        json_line_number(line, "tries", sqlite3_column_int64(s, 2));
        json_line_number(line, "duration_us", sqlite3_column_int64(s, 3));
        json_line_known(line, "status", status == 0 ? -1 : status);
        write_bytes(line, "error", text_of(s, 5));
        json_line_close(line);
    }
    json_line_close_list(line);
    return sqlite3_reset(s);
}

static int write_delivery(struct detail *d, struct json_line *line)
{
    const struct standing_result *results;
    struct detail_row row;
    int code;

    detail_read_row(d->delivery, &row);
    code = standing_of(d->standing, row.seq, row.source, row.type, &results);
    if (code != SQLITE_OK)
        return code;
    json_line_begin(line);
    detail_write_row(line, &row);
    write_headers(line, text_of(d->delivery, 12));
    if (row.bytes > BODY_SHOWN_MAX)
        json_line_bool(line, "body_omitted", true);
    else
        json_line_body(line, sqlite3_column_blob(d->delivery, 13), (size_t)row.bytes);
    write_standing(d->standing, line, results);
    code = write_attempts(d, row.seq, line);
    json_line_end(line);
    return code;
}

int detail_write(struct detail *d, int64_t seq, struct json_line *line)
{
    int code = SQLITE_NOTFOUND, reset;

    sqlite3_bind_int64(d->delivery, 1, seq);
    if (sqlite3_step(d->delivery) == SQLITE_ROW)
        code = write_delivery(d, line);
    reset = sqlite3_reset(d->delivery);
    return reset == SQLITE_OK ? code : reset;
}
